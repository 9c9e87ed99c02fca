"""Chunks compose over time: the first steps, then the rest from the state that they leave.

Where two chunks give the outputs of the whole (states.py), the chain rule says that the second
one's gradient of a state is a cotangent of the first one, and that gradients of what both chunks
see add up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.cells.returned import Unusable
from gradcheck.evidence import Evidence
from gradcheck.finding import Finding, Reason, Unjudged, Wrong
from gradcheck.laws.runs import equal, obstacle, run
from gradcheck.laws.states import Composed, composed
from gradcheck.running.run import Run


def chunks(evidence: Evidence) -> Finding:
    """The backwards of two chunks, the cotangents of the states handed back, give the whole."""
    found = evidence.examiner.fact(composed)
    assert found is not None  # or the law does not apply
    if reason := obstacle(evidence):
        return Unjudged(reason)
    whole, length = evidence.run, found.axis.length(evidence.inputs)
    if length < 2:
        return Unjudged(Reason.NOTHING_TO_TRY)
    k = 1 + evidence.example.seed % (length - 1)
    two = _two(evidence, found, k, length)
    if isinstance(two, Reason):
        return Unjudged(two)
    facts = {
        "size": found.axis.name,
        "length": length,
        "part": k,
        "rest": length - k,
        "states": {state: str(source) for state, source in found.states.items()},
    }
    return equal(
        whole.usable,
        {name: terms for name in whole.usable if (terms := two.terms(name)) is not None},
        [whole, two.first, two.second],
        # The two chunks are the computation of the whole once more, rounded in other places.
        [lambda name: 2 * whole.noise(name), two.noise],
        partial(Wrong, "chunks", facts=facts),
    )


@dataclass(frozen=True)
class _Two:
    """Both chunks, and the gradients of the first with what is handed back to its inputs."""

    how: Composed
    first: Run
    second: Run
    carried: Mapping[str, Array]

    def terms(self, name: str) -> list[Array] | None:
        """What the gradient over the whole is the sum of; None where one chunk has none."""
        if name not in self.carried or name not in self.second.usable:
            return None
        own = name.removeprefix("d")
        return self.how.summands(own, self.carried[name], self.second.usable[name])

    def noise(self, name: str) -> Array:
        own = name.removeprefix("d")
        one, two = self.first.noise(name), self.second.noise(name)
        return np.asarray(sum(self.how.summands(own, one, two)))


def _two(evidence: Evidence, how: Composed, k: int, length: int) -> _Two | Reason:
    names = evidence.cell.outputs
    inputs = how.axis.part(evidence.inputs, 0, k)
    outputs = dict(zip(names, (o.copy() for o in evidence.caller.forward(inputs)[0]), strict=True))
    share = k / length
    second = run(
        evidence,
        how.handed_on(evidence.inputs, outputs, k),
        how.cotangents(evidence.cotangents, k, None, 1 - share),
    )
    made = (evidence.outputs, tuple(outputs.values()), second.outputs)
    if not how.make(*made, share, evidence.precision):
        return Reason.ROUNDING
    cotangents = how.cotangents(evidence.cotangents, 0, k, share)
    for state, source in how.states.items():
        gradient = second.gradients[state]
        if isinstance(gradient, Unusable):
            return Reason.UNUSABLE
        if source.output:
            cotangents[names.index(source.name)][source.place] += gradient
    first = run(evidence, inputs, cotangents)
    carried = {name: gradient.copy() for name, gradient in first.usable.items()}
    for state, source in how.states.items():
        if not source.output and f"d{source.name}" in carried:
            carried[f"d{source.name}"][source.place] += second.usable[f"d{state}"]
    return _Two(how, first, second, carried)
