"""The inputs that every checker is given: those of the papers, and gradcheck's regimes."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from benchmarks.faults import RIGHT, Fault, cell, step
from gradcheck.cells.cell import Array
from gradcheck.drawing import draw
from gradcheck.drawing.draw import Example

USUAL = "usual"
# Fortran order and strides are not among them: every peer copies what it is given.
VALUES = ("ordinary", "zeros", "saturated", "huge", "tiny")

_SHOWS = 1e-9  # of a gradient's largest entry; the least that a planted fault changes is 1e-9


@dataclass(frozen=True)
class Draw:
    """Sizes (B, D, H), a seed and a regime."""

    sizes: tuple[int, int, int]
    seed: int
    regime: str = USUAL
    dtype: str = "float64"

    @property
    def example(self) -> Example:
        """What gradcheck calls it; cotangents are drawn from this in the usual regime too."""
        regime = "ordinary" if self.regime == USUAL else self.regime
        sizes = tuple(zip("BDH", self.sizes, strict=True))
        return Example(sizes, self.seed, regime, self.dtype)


def inputs(drawn: Draw) -> tuple[Array, ...]:
    """The eleven arguments of the step, in order, the caller's own."""
    return tuple(np.array(array) for array in _inputs(drawn))


@lru_cache(maxsize=2)
def _inputs(drawn: Draw) -> tuple[Array, ...]:
    if drawn.regime == USUAL:
        arrays = _usual(*drawn.sizes, np.random.default_rng(drawn.seed))
        return tuple(array.astype(drawn.dtype) for array in arrays)
    return tuple(draw.inputs(cell(RIGHT), drawn.example).values())


def _usual(b: int, d: int, h: int, generator: np.random.Generator) -> tuple[Array, ...]:
    """Standard normal; the weights over the root of their fan-in, so that no gate saturates."""
    shapes = [(b, d), (b, h), (b, h), *[(h + d, h)] * 4, *[(h,)] * 4]
    scales = [1.0] * 3 + [(h + d) ** -0.5] * 4 + [1.0] * 4
    return tuple(
        scale * generator.standard_normal(shape)
        for shape, scale in zip(shapes, scales, strict=True)
    )


def cotangents(drawn: Draw) -> tuple[Array, Array]:
    """gradcheck's, and those of recipes that ask the caller for them."""
    b, _, h = drawn.sizes
    dh, dc = draw.cotangents((np.zeros((b, h)),) * 2, drawn.example)
    return np.array(dh, dtype=drawn.dtype), np.array(dc, dtype=drawn.dtype)


@dataclass(frozen=True)
class Trace:
    """What a fault changes on a draw: gradients, by more than rounding may; or something else,
    a second call or what is left of the caller's arrays.
    """

    gradients: frozenset[str]
    otherwise: bool

    @property
    def shows(self) -> bool:
        return bool(self.gradients) or self.otherwise


def trace(fault: Fault, drawn: Draw) -> Trace:
    """What the fault changes on this draw."""
    (right, calm), (wrong, still_calm) = _behaviour(RIGHT, drawn), _behaviour(fault, drawn)
    changed = set()
    for argument, ours, theirs in zip(cell(RIGHT).arguments, right, wrong, strict=True):
        scale = float(np.max(np.abs(ours), initial=0.0))
        if not np.all(np.abs(ours - theirs) <= _SHOWS * scale):
            changed.add(argument.name)
    return Trace(frozenset(changed), calm and not still_calm)


def _behaviour(fault: Fault, drawn: Draw) -> tuple[list[Array], bool]:
    """The gradients, and whether a call leaves all as it was: the next one, and the cotangents."""
    given, own = cotangents(drawn), cotangents(drawn)
    with np.errstate(all="ignore"):
        _, backward = step(fault)(*inputs(drawn))
        first = [np.array(gradient) for gradient in backward(*own)]
        second = [np.array(gradient) for gradient in backward(*own)]
    pairs = zip([*first, *given], [*second, *own], strict=True)
    return first, all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)
