"""A backward is linear in the cotangents: nothing in gives nothing out, and it scales and adds."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.cells.returned import Unusable
from gradcheck.evidence import Evidence
from gradcheck.finding import Finding, Reason, Right, Unjudged, Wrong
from gradcheck.laws.runs import all_of, drawn, equal, obstacle, run
from gradcheck.running.run import Run

# Powers of two scale without rounding: small enough for any threshold, large enough to be clipped.
_FACTORS = {"1024": 2.0**10, "2**-20": 2.0**-20, "-2**20": -(2.0**20)}


def zero(evidence: Evidence) -> Finding:
    """Cotangents of zero give gradients of exactly zero."""
    if reason := obstacle(evidence):
        return Unjudged(reason)
    if not evidence.run.usable:
        return Unjudged(Reason.UNUSABLE)
    found = run(evidence, evidence.inputs, tuple(np.zeros_like(d) for d in evidence.cotangents))
    for name, gradient in found.gradients.items():
        if isinstance(evidence.hand[name], Unusable):
            continue  # its own nodes tell
        if isinstance(gradient, Unusable):
            if gradient.overflows:
                return Wrong("zero-not-finite", gradient.name, gradient.index, gradient.got)
        elif gradient.any():
            index = tuple(int(k) for k in np.argwhere(gradient)[0])
            return Wrong("zero-term", f"d{name}", index, float(gradient[index]), 0.0)
    return Right()


def linear(evidence: Evidence) -> Finding:
    """backward(s * d) is s * backward(d), and backward(d + e) is backward(d) + backward(e)."""
    if reason := obstacle(evidence):
        return Unjudged(reason)
    return all_of(_each(evidence))


def _each(evidence: Evidence) -> Iterator[Finding]:
    once = evidence.run
    for said, factor in _FACTORS.items():
        scaled = run(evidence, evidence.inputs, tuple(factor * d for d in once.cotangents))
        yield equal(
            scaled.usable,
            {name: [factor * gradient] for name, gradient in once.usable.items()},
            [once, scaled],
            [partial(_times, abs(factor), once), scaled.noise],
            partial(Wrong, "linear-scaled", facts={"factor": said}),
        )
    other = drawn(evidence, evidence.outputs, 2)
    one = run(evidence, evidence.inputs, other)
    both = tuple(d + e for d, e in zip(once.cotangents, other, strict=True))
    added = run(evidence, evidence.inputs, both)
    yield equal(
        added.usable,
        {n: [g, one.usable[n]] for n, g in once.usable.items() if n in one.usable},
        [once, one, added],
        [once.noise, one.noise, added.noise],
        partial(Wrong, "linear-added"),
    )


def _times(factor: float, one: Run, name: str) -> Array:
    return factor * one.noise(name)
