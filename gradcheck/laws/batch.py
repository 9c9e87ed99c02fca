"""Where the forward takes each index of an axis by itself, so does the gradient.

Then the gradients of what has the axis belong to one index each, and those of what all share
are sums over it. Whether the forward does so is asked of the forward: two parts must give two
parts of every output, or the sum or the mean of an output without the axis.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.cells.cell import Array, Cell
from gradcheck.evidence import Evidence, Examiner
from gradcheck.laws.axes import (
    JOINED,
    MEAN,
    SUM,
    Named,
    alike,
    close,
    cut,
    everywhere,
    join,
    joined,
    named,
    outputs_of,
)
from gradcheck.laws.runs import Broken, broken, run, sides, void


@dataclass(frozen=True)
class Apart:
    """An axis each index of which the forward takes by itself; ``rules`` say how outputs join."""

    axis: Named
    rules: tuple[str, ...]

    def cotangents(
        self, whole: Sequence[Array], start: int, stop: int | None, share: float
    ) -> tuple[Array, ...]:
        """The cotangents of one part of the axis, which is a ``share`` of it."""
        found = []
        for cotangent, axes, rule in zip(whole, self.axis.outputs, self.rules, strict=True):
            weight = np.asarray(share if rule == MEAN else 1.0, cotangent.dtype)
            found.append(cut(cotangent, axes, start, stop) if axes else weight * cotangent)
        return tuple(map(np.asarray, found))

    def outputs(self, parts: Sequence[Sequence[Array]], share: float) -> list[Array]:
        """What the whole should give, from what its two parts give."""
        joint = zip(*parts, self.axis.outputs, self.rules, strict=True)
        return [join(rule, one, two, axes, share) for one, two, axes, rule in joint]


def apart(examiner: Examiner) -> tuple[Apart, ...]:
    """The axes along which the forward is separate."""
    found = []
    for axis in examiner.fact(named):
        rules = _rules(examiner.cell, axis) if axis.single and any(axis.inputs.values()) else None
        if rules is not None:
            found.append(Apart(axis, rules))
    return tuple(found)


def _rules(cell: Cell, axis: Named) -> tuple[str, ...] | None:
    left: list[set[str]] | None = None
    for inputs in everywhere(cell, axis.name):
        length = axis.length(inputs)
        for k in (1, 3):
            parts = (axis.part(inputs, 0, k), axis.part(inputs, k, None))
            whole, one, two = (outputs_of(cell, i) for i in (inputs, *parts))
            if whole is None or one is None or two is None:
                return None
            fitting = [
                {
                    rule
                    for rule in ([JOINED] if axes else [SUM, MEAN])
                    if close(join(rule, a, b, axes, k / length), want)
                }
                for want, a, b, axes in zip(whole, one, two, axis.outputs, strict=True)
            ]
            pairs = zip(left, fitting, strict=True) if left is not None else ()
            left = [old & new for old, new in pairs] if left is not None else fitting
    if left is None or not all(left):
        return None
    return tuple(min(rules) for rules in left)


def batch(evidence: Evidence) -> str | None:
    """The gradients of two parts of an axis give those of the whole."""
    if void(evidence):
        return None
    found = (_of(evidence, turn) for turn in evidence.examiner.fact(apart))
    return next((fault for fault in found if fault is not None), None)


def _of(evidence: Evidence, turn: Apart) -> str | None:
    length = turn.axis.length(evidence.inputs)
    if length < 2:
        return None
    k = 1 + evidence.example.seed % (length - 1)
    whole = evidence.run
    bounds = ((0, k, k / length), (k, None, 1 - k / length))
    parts = [
        run(
            evidence,
            turn.axis.part(evidence.inputs, start, stop),
            turn.cotangents(evidence.cotangents, start, stop, share),
        )
        for start, stop, share in bounds
    ]
    outputs = turn.outputs([list(part.outputs) for part in parts], k / length)
    # In extreme numbers a softmax over the whole may lose what its parts have.
    pairs = zip(outputs, evidence.outputs, strict=True)
    if not all(alike(a, b, evidence.precision) for a, b in pairs):
        return None
    terms = {}
    for name in whole.usable:
        if not all(name in part.usable for part in parts):
            continue
        own = turn.axis.inputs[name.removeprefix("d")]
        both = [part.usable[name] for part in parts]
        terms[name] = [joined(both, own)] if own else both

    def of_parts(name: str) -> Array:
        own = turn.axis.inputs[name.removeprefix("d")]
        both = [part.noise(name) for part in parts]
        return joined(both, own) if own else both[0] + both[1]

    spreads = (whole.noise, of_parts)
    wrong = broken(whole.usable, terms, [whole, *parts], spreads, evidence)
    return None if wrong is None else _told(wrong, turn.axis, length, k)


def _told(wrong: Broken, axis: Named, length: int, k: int) -> str:
    got, want = sides(wrong.got, wrong.want)
    size, name = axis.name, wrong.name
    if axis.inputs[name.removeprefix("d")]:
        own = wrong.index[axis.inputs[name.removeprefix("d")][0]]
        bounds = (0, k) if own < k else (k, length)
        return (
            f"{wrong.entry} is {got} among {size}={length}, but {want} with only "
            f"{size} {bounds[0]} to {bounds[1] - 1}.\nThe forward takes each {size} by itself, so "
            f"no entry of {name} may depend on the others: no sum or mean over {size} belongs in "
            "it."
        )
    return (
        f"{wrong.entry} is {got} for {size}={length}, but {want} as the sum of {size}={k} and "
        f"{size}={length - k}.\nThe forward takes each {size} by itself, so {name} is the sum of "
        f"what each gives: sum over the whole axis {size}, and divide by nothing."
    )
