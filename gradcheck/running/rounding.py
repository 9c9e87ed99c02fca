"""How far rounding moves the outputs and gradients of a cell: its code, run on disturbed arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array, Cell
from gradcheck.cells.returned import Gradient, Unusable, gradients
from gradcheck.running import dtypes, monte_carlo
from gradcheck.running.monte_carlo import Disturbance
from gradcheck.running.precision import DOUBLE, Precision

FEW = 3  # by chance some entries hardly move: what agrees within is right, what does not is open
_SETTLED = 0.01


@dataclass(frozen=True)
class Rounding:
    """The standard deviation of each output and gradient under disturbance.

    ``precision`` is that of the coarsest number in the run. Where rounding throws a switch, such
    as a saturated gate in float32, eight runs do not show how far it reaches: not ``settled``.
    Not ``complete``: some numbers were made where nothing can be disturbed, by Python's own floats
    or compiled code, and their rounding is not in it.
    """

    outputs: tuple[Array, ...]
    gradients: Mapping[str, Array]
    precision: Precision
    settled: bool = True
    complete: bool = True


def coarsest(
    cell: Cell, inputs: Mapping[str, Any], cotangents: Sequence[Array], precision: Precision
) -> Precision:
    """The precision of the coarsest number in a run on inputs of ``precision``."""
    coarse = [n.precision for n in dtypes.found(cell, inputs, cotangents, precision)]
    return max([precision, *coarse], key=lambda one: one.eps)


def of(
    cell: Cell,
    inputs: Mapping[str, Any],
    cotangents: Sequence[Array],
    coarsest: Precision,
    runs: int = monte_carlo.SAMPLES,
) -> Rounding:
    """The rounding noise at one point, in so many disturbed runs.

    Zero, and not complete, for code that refuses arrays of another class than NumPy's own.
    """
    try:
        samples = [_sample(cell, inputs, cotangents, coarsest, k) for k in range(runs)]
    except Exception:
        still = {a.name: np.zeros(np.shape(inputs[a.name])) for a in cell.arguments}
        outputs = tuple(np.zeros(d.shape) for d in cotangents)
        return Rounding(outputs, still, coarsest, complete=False)
    of_gradients = {name: [one.gradients[name] for one in samples] for name in samples[0].gradients}
    spreads = {name: monte_carlo.spread(column) for name, column in of_gradients.items()}
    settled = coarsest is DOUBLE or all(
        _within(spreads[name], column) for name, column in of_gradients.items()
    )
    outputs = tuple(map(monte_carlo.spread, zip(*(one.outputs for one in samples), strict=True)))
    complete = all(one.unseen == samples[0].unseen for one in samples)
    return Rounding(outputs, spreads, coarsest, settled, complete)


@dataclass(frozen=True)
class _Sample:
    """What one disturbed run gives; ``unseen`` are the hashes of what came in undisturbed."""

    outputs: tuple[Array, ...]
    gradients: Mapping[str, Array]
    unseen: list[int]


def _sample(
    cell: Cell, inputs: Mapping[str, Any], cotangents: Sequence[Array], of: Precision, seed: int
) -> _Sample:
    source = Disturbance(np.random.default_rng(seed), of.eps)
    moved = {k: monte_carlo.disturb(v, source) for k, v in inputs.items()}
    given = [monte_carlo.disturb(cotangent, source) for cotangent in cotangents]
    with monte_carlo.kept(source):
        outputs, backward = cell.run(moved)
        returned = backward(given)
    several = returned if isinstance(returned, tuple | list) else [returned]
    source.meet([gradient for gradient in several if isinstance(gradient, np.ndarray)])
    found = gradients(cell, returned, [inputs[argument.name] for argument in cell.arguments])
    usable = {name: _or_edge(found[name], np.shape(inputs[name])) for name in found}
    return _Sample(outputs, usable, source.met)


def _within(spread: Array, samples: Sequence[Array]) -> bool:
    """Whether a tensor is known to some digits at all."""
    scale = float(np.max(np.abs(monte_carlo.plain(samples[0])), initial=0.0))
    return bool(np.max(spread, initial=0.0) <= _SETTLED * scale)


def _or_edge(gradient: Gradient, shape: tuple[int, ...]) -> Array:
    """A disturbed gradient; infinite where rounding alone took it over the edge of a domain."""
    if not isinstance(gradient, Unusable):
        return gradient
    return np.full(shape, np.inf if gradient.overflows else 0.0)
