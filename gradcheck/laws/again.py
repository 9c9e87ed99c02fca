"""The same call gives the same bits: from a new forward, and again from one forward."""

from collections.abc import Mapping

import numpy as np

from gradcheck.cells.cell import Array, Backward
from gradcheck.cells.returned import Unusable
from gradcheck.evidence import Evidence
from gradcheck.finding import Finding, Right, Wrong
from gradcheck.laws.kept import changed


def repeatable(evidence: Evidence) -> Finding:
    """Forward and backward, called again, give the same bits."""
    caller, names = evidence.caller, evidence.cell.outputs
    before = dict(zip(names, evidence.outputs, strict=True))
    outputs, of = caller.forward(evidence.inputs)
    for name in changed(before, dict(zip(names, outputs, strict=True))):
        return Wrong("repeatable-forward", name)
    first = {n: g for n, g in evidence.hand.items() if not isinstance(g, Unusable)}
    second = caller.gradients(caller.backward(of, evidence.cotangents), evidence.inputs)
    for name, gradient in second.items():
        if name in first and isinstance(gradient, Unusable):
            return Wrong("repeatable-unusable", f"d{name}")
    usable = {n: g for n, g in second.items() if not isinstance(g, Unusable)}
    for name in changed({n: first[n] for n in usable if n in first}, usable):
        return Wrong("repeatable-backward", f"d{name}")
    return Right()


def again(evidence: Evidence) -> Finding:
    """A second backward gives the same bits, also once the forward has run on other inputs."""
    _, of = evidence.caller.forward(evidence.inputs)
    first = _bits(evidence, of, "backward")
    for name in _others(first, _bits(evidence, of, "A second backward")):
        return Wrong("again-second", f"d{name}")
    other = {
        k: 1.5 * v if np.asarray(v).dtype.kind == "f" else v for k, v in evidence.inputs.items()
    }
    try:
        evidence.cell.run(other)
    except Exception:
        return Right()  # outside of a domain; what was seen of the first forward stands
    for name in _others(first, _bits(evidence, of, "A later backward")):
        return Wrong("again-later", f"d{name}")
    return Right()


def _bits(evidence: Evidence, of: Backward, what: str) -> dict[str, Array]:
    """The usable gradients that a backward returns."""
    returned = evidence.caller.backward(of, evidence.cotangents, what)
    found = evidence.caller.gradients(returned, evidence.inputs)
    return {name: g for name, g in found.items() if not isinstance(g, Unusable)}


def _others(first: Mapping[str, Array], then: Mapping[str, Array]) -> list[str]:
    """The names of what is not as it was the first time."""
    return [n for n in first if n not in then or not np.array_equal(first[n], then[n])]
