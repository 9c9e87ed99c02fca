"""One-sided slopes: whether the forward has a kink at the very point, and how it looks there.

At a smooth point the slopes of the two sides come together as the step shrinks; at a jump they
grow apart; at a kink they stay what they are.
"""

from dataclasses import dataclass

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.oracles.loss import EPS, Loss
from gradcheck.oracles.reference import directions

_STEPS = (2.0**-20, 2.0**-26)  # of the argument's size, 1 at least
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


def kinks(loss: Loss, name: str) -> tuple[Kink, ...]:
    """The first few kinks of the loss in the entries of inputs[name].

    Where a random direction sees none, no entry is looked at.
    """
    shape = np.shape(loss.inputs[name])
    witness = directions(shape)[0]
    if _two_slopes(loss, name, witness) is None:
        return ()
    found = []
    for index in np.ndindex(shape):
        direction = np.zeros(shape)
        direction[index] = 1.0
        slopes = _two_slopes(loss, name, direction)
        if slopes is not None:
            found.append(Kink(index, *slopes))
            if len(found) == _SHOWN:
                break
    return tuple(found)


def _two_slopes(loss: Loss, name: str, direction: Array) -> tuple[float, float] | None:
    """The slopes to the left and to the right, if they differ at each step by as much."""
    scale = max(1.0, float(np.max(np.abs(loss.inputs[name]), initial=0.0)))
    size = sum(
        float(np.sum(np.abs(d * u))) for d, u in zip(loss.cotangents, loss.plain, strict=True)
    )
    before: float | None = None
    left = right = 0.0
    for relative in _STEPS:
        step = relative * scale
        try:
            below, above = (loss.moved(name, k * step * direction) for k in (-1, 1))
        except Exception:  # the forward may refuse what lies outside its domain
            return None
        left = loss.change(m - u for u, m in zip(below, loss.plain, strict=True)) / step
        right = loss.change(v - m for m, v in zip(loss.plain, above, strict=True)) / step
        noise = 64 * EPS * (size + 1e-300) / step
        apart, largest = right - left, max(abs(left), abs(right))
        if not np.isfinite(apart) or abs(apart) <= max(noise, _SAME * largest):
            return None
        if largest * scale > _STEEP * (size + loss.cotangent_size):
            return None  # a smooth bend may be sharper than any step
        if before is not None and abs(apart - before) > noise + _SAME * max(abs(apart), largest):
            return None
        before = apart
    return left, right
