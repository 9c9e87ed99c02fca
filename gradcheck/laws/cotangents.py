"""A backward is linear in the cotangents: nothing in gives nothing out, and it scales and adds."""

from functools import partial

import numpy as np

from gradcheck.arrays import entry
from gradcheck.cells.cell import Array
from gradcheck.cells.returned import Unusable
from gradcheck.evidence import Evidence
from gradcheck.laws.runs import Broken, broken, drawn, run, sides, void
from gradcheck.running.run import Run

# Powers of two scale without rounding: small enough for any threshold, large enough to be clipped.
_FACTORS = {"1024": 2.0**10, "2**-20": 2.0**-20, "-2**20": -(2.0**20)}


def zero(evidence: Evidence) -> str | None:
    """Cotangents of zero give gradients of exactly zero."""
    if void(evidence):
        return None
    found = run(evidence, evidence.inputs, tuple(np.zeros_like(d) for d in evidence.cotangents))
    for name, gradient in found.gradients.items():
        if isinstance(evidence.hand[name], Unusable):
            continue  # its own nodes tell
        if isinstance(gradient, Unusable):
            if gradient.overflows:
                where = gradient.sentence.partition(", in ")[0]
                return (
                    f"{where} although every cotangent is zero.\n0 times an infinite slope is no "
                    "number: write the slope so that it stays finite."
                )
        elif gradient.any():
            index = tuple(int(k) for k in np.argwhere(gradient)[0])
            return (
                f"{entry(f'd{name}', index)} is {float(gradient[index]):.6g} although every "
                "cotangent is zero.\nEach term of a gradient has a cotangent as a factor: leave "
                "out what has none."
            )
    return None


def linear(evidence: Evidence) -> str | None:
    """backward(s * d) is s * backward(d), and backward(d + e) is backward(d) + backward(e)."""
    if void(evidence):
        return None
    once = evidence.run
    for said, factor in _FACTORS.items():
        scaled = run(evidence, evidence.inputs, tuple(factor * d for d in once.cotangents))
        spreads = (partial(_times, abs(factor), once), scaled.noise)
        terms = {name: [factor * gradient] for name, gradient in once.usable.items()}
        wrong = broken(scaled.usable, terms, [once, scaled], spreads, evidence)
        if wrong is not None:
            return _told(wrong, f"backward({said} * d)", f"{said} * backward(d)")
    other = drawn(evidence, evidence.outputs, 2)
    one = run(evidence, evidence.inputs, other)
    both = tuple(d + e for d, e in zip(once.cotangents, other, strict=True))
    added = run(evidence, evidence.inputs, both)
    wrong = broken(
        added.usable,
        {n: [g, one.usable[n]] for n, g in once.usable.items() if n in one.usable},
        [once, one, added],
        [once.noise, one.noise, added.noise],
        evidence,
    )
    if wrong is None:
        return None
    return _told(wrong, "backward(d + e)", "backward(d) + backward(e)")


def _times(factor: float, one: Run, name: str) -> Array:
    return factor * one.noise(name)


def _told(wrong: Broken, got: str, want: str) -> str:
    shown, expected = sides(wrong.got, wrong.want)
    return (
        f"{wrong.entry} is {shown} in {got}, but {expected} in {want}.\nA gradient is linear in "
        "the cotangents: no clipping, no threshold and no square of them belongs in backward."
    )
