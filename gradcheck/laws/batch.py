"""Where the forward takes each index of an axis by itself, so does the gradient.

Then the gradients of what has the axis belong to one index each, and those of what all share
are sums over it. Whether the forward does so is asked of the forward: two parts must give two
parts of every output, or the sum or the mean of an output without the axis.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck.cells.cell import Array, Cell
from gradcheck.evidence import Evidence, Examiner
from gradcheck.finding import Finding, Reason, Unjudged, Wrong
from gradcheck.laws import forward, parts
from gradcheck.laws.axes import Named, named
from gradcheck.laws.parts import Parts, Rule, Trial
from gradcheck.laws.runs import all_of, equal, obstacle, run

_RULES = frozenset({Rule.SUM, Rule.MEAN})


def apart(examiner: Examiner) -> tuple[Parts, ...]:
    """The axes each index of which the forward takes by itself."""
    found = []
    for axis in examiner.fact(named):
        if axis.single and any(axis.inputs.values()):
            rules = parts.rules(axis, _RULES, _trials(examiner.cell, axis))
            found += [] if rules is None else [Parts(axis, rules)]
    return tuple(found)


def _trials(cell: Cell, axis: Named) -> Iterator[Trial | None]:
    for inputs in forward.everywhere(cell, axis.name):
        for k in (1, 3):
            cuts = (inputs, axis.part(inputs, 0, k), axis.part(inputs, k, None))
            whole, one, two = (forward.outputs_of(cell, given) for given in cuts)
            if whole is None or one is None or two is None:
                yield None
            else:
                yield Trial(one, two, whole, k / axis.length(inputs))


def batch(evidence: Evidence) -> Finding:
    """The gradients of two parts of an axis give those of the whole."""
    if reason := obstacle(evidence):
        return Unjudged(reason)
    return all_of(_along(evidence, turn) for turn in evidence.examiner.fact(apart))


def _along(evidence: Evidence, turn: Parts) -> Finding:
    axis, whole = turn.axis, evidence.run
    length = axis.length(evidence.inputs)
    if length < 2:
        return Unjudged(Reason.NOTHING_TO_TRY)
    k = 1 + evidence.example.seed % (length - 1)
    one, two = (
        run(
            evidence,
            axis.part(evidence.inputs, start, stop),
            turn.cotangents(evidence.cotangents, start, stop, share),
        )
        for start, stop, share in ((0, k, k / length), (k, None, 1 - k / length))
    )
    # In extreme numbers a softmax over the whole may lose what its parts have.
    if not turn.make(whole.outputs, one.outputs, two.outputs, k / length, evidence.precision):
        return Unjudged(Reason.ROUNDING)

    def of_parts(name: str) -> Array:
        own = name.removeprefix("d")
        return np.asarray(sum(turn.summands(own, one.noise(name), two.noise(name))))

    return equal(
        whole.usable,
        {
            name: turn.summands(name.removeprefix("d"), one.usable[name], two.usable[name])
            for name in whole.usable
            if name in one.usable and name in two.usable
        },
        [whole, one, two],
        [whole.noise, of_parts],
        _Told(axis, length, k),
    )


@dataclass(frozen=True)
class _Told:
    """The finding on an entry: one of what has the axis is told with the part that it lies in."""

    axis: Named
    length: int
    k: int

    def __call__(self, name: str, index: tuple[int, ...], got: float, want: float) -> Wrong:
        facts = {"size": self.axis.name, "length": self.length}
        own = self.axis.inputs[name.removeprefix("d")]
        if not own:
            facts |= {"part": self.k, "rest": self.length - self.k}
            return Wrong("batch-sum", name, index, got, want, facts)
        first, stop = (0, self.k) if index[own[0]] < self.k else (self.k, self.length)
        facts |= {"first": first, "last": stop - 1}
        return Wrong("batch-others", name, index, got, want, facts)
