"""Fill a cell's arguments and cotangents with numbers: a function of sizes, seed and regime.

Hypothesis chooses the three; everything else follows, so a failure shrinks to a one-unit cell
with two-decimal numbers and three facts reproduce it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array, Cell
from gradcheck.cells.shapes import Choice, Integers, Interval, Shape

# In the order in which a failure shrinks: the plainest regime that still shows it is kept.
REGIMES = ("ordinary", "fortran", "strided", "zeros", "saturated", "huge", "tiny")
EXTREME = ("saturated", "huge", "tiny")  # what cancels, 1 - f or exp(x) - 1, may be all rounding

# What the numbers are made in; a failure shrinks to the first.
DTYPES = ("float64", "float32")

_WIDE = 16  # sizes above it are those of use

# Every state exactly zero, all else ordinary: asked for by name, to tell patterns apart.
AT_REST = "at rest"


@dataclass(frozen=True)
class Example:
    """What Hypothesis draws: a size for each name, a seed, a regime and a type.

    ``closely``: oracles go through every entry, also where one direction finds nothing.
    """

    sizes: tuple[tuple[str, int], ...]
    seed: int
    regime: str = "ordinary"
    dtype: str = "float64"
    closely: bool = False

    def __str__(self) -> str:
        sizes = ", ".join(f"{name}={size}" for name, size in self.sizes)
        parts = [sizes, f"seed={self.seed}", f"regime={self.regime}"]
        return ", ".join(filter(None, [*parts, self.dtype if self.dtype != "float64" else ""]))


def fits(cell: Cell, example: Example) -> bool:
    """Whether every axis has a size from 0 up ("T-1" may ask for less)."""
    sizes = dict(example.sizes)
    shapes = [argument.shape for argument in cell.arguments + cell.constants]
    return all(size >= 0 for shape in shapes for size in shape.sizes(sizes))


def entries(cell: Cell, sizes: Mapping[str, int]) -> int:
    """How many numbers the arguments of a cell have."""
    return sum(math.prod(argument.shape.sizes(sizes)) for argument in cell.arguments)


def inputs(cell: Cell, example: Example) -> dict[str, Any]:
    """Every argument and constant by name, read-only; a plain constant stays a number."""
    generator = np.random.default_rng(example.seed)
    states = {name for name, _ in cell.states}
    sizes = dict(example.sizes)
    drawn: dict[str, Any] = {}
    for argument in cell.arguments + cell.constants:
        if argument.value is not None:
            drawn[argument.name] = argument.value
            continue
        array = _fill(generator, argument.shape, sizes, example.regime)
        array = _by_fan_in(array) if argument.shape.domain is None else array
        if example.regime == "zeros" and argument.name in states:
            array = _zeroed(generator, array)
        if example.regime == AT_REST and argument.name in states:
            array = np.zeros(array.shape)
        drawn[argument.name] = _laid_out(_typed(array, example.dtype), example.regime)
    return drawn


def cotangents(outputs: tuple[Array, ...], example: Example) -> tuple[Array, ...]:
    """A dense random cotangent for each output, read-only."""
    generator = np.random.default_rng([example.seed, 1])  # not the stream of the inputs
    # A right backward is linear in them: large ones are there for those that clip.
    regime = "ordinary" if example.regime == "saturated" else example.regime
    drawn = []
    for output in outputs:
        array = _numbers(generator, np.shape(output), regime)
        if example.regime == "zeros":
            array = _zeroed(generator, array)
        drawn.append(_laid_out(_typed(array, example.dtype), example.regime))
    return tuple(drawn)


def widened(value: Any) -> Any:
    """The same numbers in float64, read-only as they were."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.dtype != np.float64:
        return read_only(value.astype(np.float64, order="K"))
    return value


def read_only(array: Array) -> Array:
    """A view that cannot be made writable again, because what owns the memory is not."""
    owner = array if array.base is None else array.base
    owner.setflags(write=False)
    array.setflags(write=False)
    return array.view()


def writable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Private copies, for code that writes into what it is given."""
    return {k: v.copy(order="K") if isinstance(v, np.ndarray) else v for k, v in values.items()}


def _fill(
    generator: np.random.Generator, shape: Shape, sizes: Mapping[str, int], regime: str
) -> Array:
    dimensions = shape.sizes(sizes)
    match shape.domain:
        case Integers(low=low, high=high, inclusive=inclusive):
            top = high.size(sizes) + inclusive
            return np.asarray(generator.integers(min(low, top - 1), top, dimensions))
        case Choice(values=values):
            return np.asarray(generator.choice(values, dimensions))
        case Interval(low=low, high=high) if np.isfinite(high):
            parts = generator.integers(5, 96, dimensions) / 100
            return np.asarray(low + (high - low) * parts)
        case Interval():
            return np.abs(_numbers(generator, dimensions, regime))
        case None:
            return _numbers(generator, dimensions, regime)


def _numbers(generator: np.random.Generator, shape: tuple[int, ...], regime: str) -> Array:
    """Two-decimal numbers of either sign, 0.05 to 1.20: root mean square 0.7, never 0.

    Other regimes scale a whole tensor; always one rounded division of two whole numbers, so
    that every entry prints short.
    """
    hundredths = generator.integers(5, 121, shape) * generator.choice([-1, 1], shape)
    match regime:
        case "saturated":  # a product of two is 9 times as large: slopes from 1 to 1e-9
            return np.asarray(3 * hundredths / 100)
        case "huge":  # some tensors up to 1e3 times as large, others ordinary
            return np.asarray(10 ** max(0, int(generator.integers(-3, 4))) * hundredths / 100)
        case "tiny":
            return np.asarray(hundredths / 10 ** int(generator.integers(5, 12)))
        case _:
            return np.asarray(hundredths / 100)


def _by_fan_in(array: Array) -> Array:
    """Matrices that are large both ways are weights at the size of use: numbers of order one would
    saturate whatever they feed, and all would be rounding.
    """
    *_, fan = [0, 0, *sorted(array.shape)][:-1]
    return array * np.sqrt(_WIDE / 2 / fan) if fan > _WIDE else array


def _typed(array: Array, dtype: str) -> Array:
    return array.astype(dtype, copy=False) if array.dtype.kind == "f" else array


def _zeroed(generator: np.random.Generator, array: Array) -> Array:
    """All of it, some entries of it, or none of it set to exactly zero."""
    keep = generator.choice([0.0, 0.5, 1.0])
    return np.where(generator.random(array.shape) < keep, array, 0.0)


def _laid_out(array: Array, regime: str) -> Array:
    if regime == "fortran":
        array = np.array(array, order="F")
    if regime == "strided" and array.ndim:
        wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
        wide[..., ::-2] = array  # a negative stride of two entries, not contiguous either way
        array = wide[..., ::-2]
    return read_only(array)
