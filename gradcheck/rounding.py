"""How far rounding moves the outputs and gradients of a cell: its code, run on disturbed arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck import narrow, noise
from gradcheck.cell import Array, Cell
from gradcheck.noise import Disturbance
from gradcheck.precision import DOUBLE, Precision
from gradcheck.structure import Gradient, Unusable, gradients

_SETTLED = 0.01


@dataclass(frozen=True)
class Rounding:
    """The standard deviation of each output and gradient under disturbance.

    ``precision`` is that of the coarsest number in the run. Where rounding throws a switch, such
    as a saturated gate in float32, eight runs do not show how far it reaches: not ``settled``.
    """

    outputs: tuple[Array, ...]
    gradients: Mapping[str, Array]
    precision: Precision
    settled: bool = True


def of(
    cell: Cell, inputs: Mapping[str, Any], cotangents: Sequence[Array], precision: Precision
) -> Rounding:
    """The rounding noise at one point, for inputs of ``precision`` or a coarser one within.

    Zero for code that refuses such arrays: no noise is known, and none is allowed.
    """
    coarse = [n.precision for n in narrow.found(cell, inputs, cotangents, precision)]
    coarsest = max([precision, *coarse], key=lambda one: one.eps)
    values: list[tuple[Array, ...]] = []
    found: list[dict[str, Array]] = []
    arguments = [inputs[argument.name] for argument in cell.arguments]
    for seed in range(noise.SAMPLES):
        source = Disturbance(np.random.default_rng(seed), coarsest.eps)
        moved = {k: noise.disturb(v, source) for k, v in inputs.items()}
        given = [noise.disturb(cotangent, source) for cotangent in cotangents]
        try:
            with noise.kept(source):
                outputs, backward = cell.run(moved)
                returned = backward(given)
        except Exception:
            still = {a.name: np.zeros(np.shape(inputs[a.name])) for a in cell.arguments}
            return Rounding(tuple(np.zeros(d.shape) for d in cotangents), still, coarsest)
        values.append(outputs)
        usable = gradients(cell, returned, arguments)
        found.append({name: _or_edge(usable[name], np.shape(inputs[name])) for name in usable})
    of_gradients = {name: [sample[name] for sample in found] for name in found[0]}
    spreads = {name: noise.spread(column) for name, column in of_gradients.items()}
    settled = coarsest is DOUBLE or all(
        _within(spreads[name], column) for name, column in of_gradients.items()
    )
    outputs_spread = tuple(noise.spread(column) for column in zip(*values, strict=True))
    return Rounding(outputs_spread, spreads, coarsest, settled)


def _within(spread: Array, samples: Sequence[Array]) -> bool:
    """Whether a tensor is known to some digits at all."""
    scale = float(np.max(np.abs(noise.plain(samples[0])), initial=0.0))
    return bool(np.max(spread, initial=0.0) <= _SETTLED * scale)


def _or_edge(gradient: Gradient, shape: tuple[int, ...]) -> Array:
    """A disturbed gradient; infinite where rounding alone took it over the edge of a domain."""
    if not isinstance(gradient, Unusable):
        return gradient
    return np.full(shape, np.inf if gradient.overflows else 0.0)
