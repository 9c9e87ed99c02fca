"""The same call gives the same bits: from a new forward, and again from one forward."""

import numpy as np

from gradcheck.cells.returned import Unusable
from gradcheck.evidence import Evidence
from gradcheck.laws.untouched import bits, changed
from gradcheck.running.run import NOT_A_FUNCTION


def repeatable(evidence: Evidence) -> str | None:
    """Forward and backward, called again, give the same bits."""
    caller, names = evidence.caller, evidence.cell.outputs
    before = dict(zip(names, evidence.outputs, strict=True))
    outputs, backward = caller.forward(evidence.inputs)
    for name in changed(before, dict(zip(names, outputs, strict=True))):
        return f"Two calls of the forward differ in {name}.\n{NOT_A_FUNCTION}"
    first = {n: g for n, g in evidence.hand.items() if not isinstance(g, Unusable)}
    second = caller.gradients(caller.backward(backward, evidence.cotangents), evidence.inputs)
    for name, gradient in second.items():
        if name in first and isinstance(gradient, Unusable):
            return f"Two calls differ in d{name}, although the forward repeats itself."
    usable = {n: g for n, g in second.items() if not isinstance(g, Unusable)}
    for name in changed({n: first[n] for n in usable if n in first}, usable):
        return (
            f"Two calls differ in d{name}, although the forward repeats itself.\n"
            "backward draws random numbers, or keeps something from one call to the next."
        )
    return None


def again(evidence: Evidence) -> str | None:
    """A second backward gives the same bits, also once the forward has run on other inputs."""
    _, backward = evidence.caller.forward(evidence.inputs)
    first = bits(evidence, backward, "backward")
    second = bits(evidence, backward, "A second backward")
    for name in first:
        if name not in second or not np.array_equal(first[name], second[name]):
            return (
                f"Two calls of backward differ in d{name}.\nIt changes something that the forward "
                "kept, or draws random numbers."
            )
    other = {
        k: 1.5 * v if np.asarray(v).dtype.kind == "f" else v for k, v in evidence.inputs.items()
    }
    try:
        evidence.cell.run(other)
    except Exception:
        return None  # outside of a domain; what was seen of the first forward stands
    third = bits(evidence, backward, "A later backward")
    for name in first:
        if name not in third or not np.array_equal(first[name], third[name]):
            return (
                f"backward gives another d{name} once the forward has run on other inputs.\nIt "
                "reads what the last forward left; let it use the variables of its own."
            )
    return None
