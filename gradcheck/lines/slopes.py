"""Which gradients are right as they are written, by a few forwards: right code is not searched."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.cells.returned import Unusable
from gradcheck.checking import passing
from gradcheck.checking.passing import Found
from gradcheck.drawing.draw import EXTREME
from gradcheck.evidence import Evidence
from gradcheck.finding import Reason, Right, Unjudged
from gradcheck.oracles import finite_differences, probe
from gradcheck.oracles.loss import Loss
from gradcheck.oracles.probe import Probe
from gradcheck.running.compare import OPERATIONS
from gradcheck.running.precision import DOUBLE, Precision

CLOSE = 1e-10  # relative to the largest entry: far above rounding, far below any slip

_AS_LINES = replace(DOUBLE, name="of lines", eps=CLOSE / OPERATIONS)


def right(evidence: Evidence) -> Found:
    """The gradients that have the slope of the forward, and what cannot be known of the others.

    In extreme numbers rounding hides slips that are smaller than lines are judged by, and is not
    measured for less: what differences cannot tell from right is unjudged there.
    """
    if evidence.example.regime in EXTREME and all(map(evidence.examiner.analytic, evidence.hand)):
        along = _Along(evidence)
        found = along.fitting
        if len(found) < len(along.gradients) and along.seen:
            return {**dict.fromkeys(along.gradients, Unjudged(Reason.ROUNDING)), **found}
        if len(found) == len(evidence.hand):
            return found
    return evidence.fact(passing.by_probe)


class _Along:
    """A direction through all arguments, and what is seen along it of the gradients by hand."""

    def __init__(self, evidence: Evidence) -> None:
        run, hand = evidence.wide, evidence.hand
        self.gradients = {n: g for n, g in hand.items() if not isinstance(g, Unusable)}
        self._loss = Loss(run.forward, run.inputs, run.cotangents, run.outputs)
        self._generator = np.random.default_rng([evidence.example.seed, 3])  # of no other draw

    @property
    def fitting(self) -> Found:
        """Those that have the slope that the complex step sees."""

        def noise() -> tuple[Mapping[str, Array], Precision]:
            return {name: np.zeros_like(g) for name, g in self.gradients.items()}, _AS_LINES

        found = Probe(self._loss, self.gradients, _AS_LINES, noise, (), self._generator)
        return {name: Right(one) for name, one in found.fitting.items()}

    @property
    def seen(self) -> bool:
        """Whether differences see their slope, as far as these know it."""
        inputs = {name: self._loss.inputs[name] for name in self.gradients}
        shapes = [value.shape for value in inputs.values()]
        drawn = zip(inputs, probe.directions(shapes, self._generator), strict=True)
        moves = {n: one.dense(float(np.max(np.abs(inputs[n]), initial=0.0))) for n, one in drawn}

        def forward(given: Mapping[str, Any]) -> tuple[Array, ...]:
            moved = {name: inputs[name] + given["step"] * move for name, move in moves.items()}
            return self._loss.forward({**self._loss.inputs, **moved})

        line = replace(self._loss, forward=forward, inputs={"step": np.zeros(())})
        slope, bound = finite_differences.along(line, "step", np.ones(()))
        shares = [np.sum(move * self.gradients[name]) for name, move in moves.items()]
        size = float(np.hypot.reduce(shares, initial=0.0))
        return bool(abs(slope - sum(shares)) <= CLOSE * size + bound)
