"""Which gradients are right as they are written, by a few forwards: right code is not searched."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator

from gradcheck.cells.cell import Array
from gradcheck.cells.returned import Unusable
from gradcheck.checking import passing
from gradcheck.checking.passing import Found
from gradcheck.drawing.draw import EXTREME
from gradcheck.evidence import Evidence
from gradcheck.finding import Reason, Right, Unjudged
from gradcheck.oracles import finite_differences
from gradcheck.oracles.loss import Loss
from gradcheck.oracles.probe import Probe, directions
from gradcheck.running.compare import OPERATIONS
from gradcheck.running.precision import DOUBLE

CLOSE = 1e-10  # relative to the largest entry: far above rounding, far below any slip

_AS_LINES = replace(DOUBLE, name="of lines", eps=CLOSE / OPERATIONS)


def right(evidence: Evidence) -> Found:
    """The gradients that have the slope of the forward, and what cannot be known of the others.

    In extreme numbers rounding hides slips that are smaller than lines are judged by, and is not
    measured for less: what differences cannot tell from right is unjudged there.
    """
    if evidence.example.regime in EXTREME and all(map(evidence.examiner.analytic, evidence.hand)):
        run, hand = evidence.wide, evidence.hand
        gradients = {name: g for name, g in hand.items() if not isinstance(g, Unusable)}
        loss = Loss(run.forward, run.inputs, run.cotangents, run.outputs)
        generator = np.random.default_rng([evidence.example.seed, 3])  # of no other draw
        found = _fitting(loss, gradients, generator)
        if len(found) < len(gradients) and _seen(loss, gradients, generator):
            return {**dict.fromkeys(gradients, Unjudged(Reason.ROUNDING)), **found}
        if len(found) == len(hand):
            return found
    return evidence.fact(passing.by_probe)


def _fitting(loss: Loss, gradients: Mapping[str, Array], generator: Generator) -> Found:
    """Those that have the slope that the complex step sees."""
    found = Probe(loss, gradients, _AS_LINES, lambda: iter(()), (), generator)
    return {name: Right(one) for name, one in found.fitting.items()}


def _seen(loss: Loss, gradients: Mapping[str, Array], generator: Generator) -> bool:
    """Whether differences see their slope along one direction, as far as these know it."""
    inputs = {name: loss.inputs[name] for name in gradients}
    drawn = directions([value.shape for value in inputs.values()], generator)
    sizes = [float(np.max(np.abs(value), initial=0.0)) for value in inputs.values()]
    every = zip(inputs, drawn, sizes, strict=True)
    moves = {name: direction.dense(size) for name, direction, size in every}

    def forward(given: Mapping[str, Any]) -> tuple[Array, ...]:
        moved = {name: inputs[name] + given["step"] * move for name, move in moves.items()}
        return loss.forward({**loss.inputs, **moved})

    line = replace(loss, forward=forward, inputs={"step": np.zeros(())})
    slope, bound = finite_differences.along(line, "step", np.ones(()))
    shares = [float(np.sum(move * gradients[name])) for name, move in moves.items()]
    size = float(np.hypot.reduce(shares, initial=0.0))
    return abs(slope - sum(shares)) <= CLOSE * size + bound
