"""Which gradients are right as they are written, by a few forwards: right code is not searched."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator

from gradcheck.cells.cell import Array
from gradcheck.checking import passing
from gradcheck.checking.passing import Found
from gradcheck.evidence import Evidence
from gradcheck.finding import Reason, Right, Unjudged
from gradcheck.oracles import finite_differences
from gradcheck.oracles.loss import Loss
from gradcheck.oracles.probe import FEW, Probe, directions
from gradcheck.running.precision import DOUBLE

CLOSE = 1e-10  # relative to the largest entry: far above rounding, far below any slip
SATURATED = ("saturated", "huge")  # regimes in which slopes such as 1 - tanh**2 lose digits

_AS_LINES = replace(DOUBLE, name="of lines", eps=CLOSE / FEW)


def right(evidence: Evidence) -> Found:
    """The gradients that have the slope of the forward, and what cannot be known of the others.

    Where gates saturate, rounding hides slips that are smaller than lines are judged by, and is
    not measured for less: what differences cannot tell from right is unjudged there.
    """
    if evidence.example.regime in SATURATED and all(map(evidence.examiner.analytic, evidence.hand)):
        gradients, loss = evidence.run.comparable, Loss.of(evidence.wide)
        generator = np.random.default_rng([evidence.example.seed, 3])  # of no other draw
        probe = Probe(loss, gradients, _AS_LINES, lambda: iter(()), (), generator)
        found = {name: Right(one) for name, one in probe.fitting.items()}
        if len(found) == len(evidence.hand):
            return found
        if _seen(loss, gradients, generator):
            return {**dict.fromkeys(gradients, Unjudged(Reason.ROUNDING)), **found}
    return evidence.fact(passing.by_probe)


def _seen(loss: Loss, gradients: Mapping[str, Array], generator: Generator) -> bool:
    """Whether differences see their slope, as far as these know it.

    Along two directions through all arguments: each tensor moves by its size, and by as much as
    makes its gradient count alike, so that neither a large nor a small one drowns the others.
    """
    norms = {name: float(np.linalg.norm(gradient)) for name, gradient in gradients.items()}
    sizes = {name: float(np.max(np.abs(loss.inputs[name]), initial=0.0)) for name in gradients}
    share = min([sizes[name] * norm for name, norm in norms.items() if norm], default=1.0)
    alike = {name: share / norm if norm else sizes[name] for name, norm in norms.items()}
    return all(_along(loss, gradients, lengths, generator) for lengths in (sizes, alike))


def _along(
    loss: Loss,
    gradients: Mapping[str, Array],
    lengths: Mapping[str, float],
    generator: Generator,
) -> bool:
    """The same along one direction, of so many units in each argument."""
    drawn = directions([gradient.shape for gradient in gradients.values()], generator)
    moves = {
        name: direction.dense(lengths[name])
        for name, direction in zip(gradients, drawn, strict=True)
    }

    def forward(given: Mapping[str, Any]) -> tuple[Array, ...]:
        moved = {n: loss.inputs[n] + given["step"] * move for n, move in moves.items()}
        return loss.forward({**loss.inputs, **moved})

    line = replace(loss, forward=forward, inputs={"step": np.zeros(())})
    slope, bound = finite_differences.along(line, "step", np.ones(()))
    shares = [float(np.sum(move * gradients[name])) for name, move in moves.items()]
    return abs(slope - sum(shares)) <= CLOSE * float(np.hypot.reduce(shares)) + bound
