"""One-sided slopes: whether the forward has a kink at the very point, and how it looks there.

At a smooth point the slopes of the two sides come together as the step shrinks; at a jump they
grow apart; at a kink they stay what they are.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.oracles.finite_differences import Forward
from gradcheck.oracles.reference import directions

_STEPS = (2.0**-20, 2.0**-26)  # of the argument's size, 1 at least
_EPS = float(np.finfo(float).eps)
_SAME = 1e-3  # relative: a slope bends by far less than this over the first step
_CLOSE = 1e-6  # relative: what differences over the shorter step are off by
_STEEP = 1e4  # slope against size
_SHOWN = 5


@dataclass(frozen=True)
class Kink:
    """An entry of an argument at which the loss has two slopes."""

    index: tuple[int, ...]
    left: float
    right: float

    def holds(self, slope: float) -> bool:
        """Whether a slope lies between those of the two sides."""
        low, high = sorted((self.left, self.right))
        slack = _CLOSE * max(abs(low), abs(high))
        return low - slack <= slope <= high + slack


def kinks(
    forward: Forward, inputs: Mapping[str, Any], cotangents: Sequence[Array], name: str
) -> tuple[Kink, ...]:
    """The first few kinks of <cotangents, outputs> in the entries of inputs[name].

    Where a random direction sees none, no entry is looked at.
    """
    shape = np.shape(inputs[name])
    witness = directions(shape)[0]
    if _two_slopes(forward, inputs, cotangents, name, witness) is None:
        return ()
    found = []
    for index in np.ndindex(shape):
        direction = np.zeros(shape)
        direction[index] = 1.0
        slopes = _two_slopes(forward, inputs, cotangents, name, direction)
        if slopes is not None:
            found.append(Kink(index, *slopes))
            if len(found) == _SHOWN:
                break
    return tuple(found)


def _two_slopes(
    forward: Forward,
    inputs: Mapping[str, Any],
    cotangents: Sequence[Array],
    name: str,
    direction: Array,
) -> tuple[float, float] | None:
    """The slopes to the left and to the right, if they differ at each step by as much."""
    x = inputs[name]
    scale = max(1.0, float(np.max(np.abs(x), initial=0.0)))
    before: float | None = None
    left = right = 0.0
    for relative in _STEPS:
        step = relative * scale
        try:
            runs = [forward({**inputs, name: x + k * step * direction}) for k in (-1, 0, 1)]
        except Exception:  # the forward may refuse what lies outside its domain
            return None
        left, right = (
            sum(float(np.sum(d * (v - u))) for d, u, v in zip(cotangents, *pair, strict=True))
            / step
            for pair in itertools.pairwise(runs)
        )
        size = sum(float(np.sum(np.abs(d * u))) for d, u in zip(cotangents, runs[1], strict=True))
        noise = 64 * _EPS * (size + 1e-300) / step
        apart, largest = right - left, max(abs(left), abs(right))
        if not np.isfinite(apart) or abs(apart) <= max(noise, _SAME * largest):
            return None
        if largest * scale > _STEEP * (size + sum(float(np.sum(np.abs(d))) for d in cotangents)):
            return None  # a smooth bend may be sharper than any step
        if before is not None and abs(apart - before) > noise + _SAME * max(abs(apart), largest):
            return None
        before = apart
    return left, right
