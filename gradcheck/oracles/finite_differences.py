"""Finite differences: central, extrapolated twice (Romberg), with an error bound for each entry.

Differences at h, h/2 and h/4 cancel the errors of order h**2 and h**4. What the second
extrapolation still changed bounds the truncation; the rounding of the values that were
subtracted, over the step, bounds the rest. Where the sum of both is not small against the
derivative, smaller steps are tried and the one with the smallest such share is kept. At a kink
the slopes of the two sides stay apart however small the step: the bound then takes them both in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.oracles.loss import EPS, Loss
from gradcheck.oracles.reference import Reference, directions

NAME = "finite differences"

# The steps, relative to the entry (at least to 1, the scale on which gates bend).
_STEPS = (2.0**-7, 2.0**-12, 2.0**-17)
_FINER_STEPS = (2.0**-8, 2.0**-10, 2.0**-12, 2.0**-14)  # where all entries move, the sum of them
_COARSE_STEPS = (2.0**-3, 2.0**-1, 2.0**-5)  # of a forward that is rounded to float32 inside
_GOOD = 1e-9  # relative bound at which no further step is tried
_DIM = 1e-4  # relative bound beyond which the bound is itself uncertain
_DOUBT = 16
_DIGITS = 5e-11  # relative: however smooth it looks, no difference is believed to more digits


def gradient(loss: Loss, name: str, *, every: bool = False) -> Reference:
    """dL/d(inputs[name]), entry by entry; 6 forwards an entry as a rule.

    ``every`` step is tried, also after a good one.
    """
    x = loss.inputs[name]
    value, error = np.zeros(x.shape), np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        direction = np.zeros(x.shape)
        direction[index] = 1.0
        value[index], error[index] = along(loss, name, direction, every=every)
    unknown = ~(np.isfinite(value) & np.isfinite(error))  # the forward overflows within each step
    value, error = np.where(unknown, 0.0, value), np.where(unknown, np.inf, error)
    return Reference(NAME, value, error)


def probed(loss: Loss, name: str) -> Reference:
    """The same along random directions only, for arguments with many entries."""
    chosen = directions(loss.inputs[name].shape)
    value, error = np.array([along(loss, name, direction, many=True) for direction in chosen]).T
    return Reference(NAME, value, error, chosen)


def along(
    loss: Loss, name: str, direction: Array, *, many: bool = False, every: bool = False
) -> tuple[float, float]:
    """The derivative of the loss along ``direction``, and a bound on its error.

    ``many`` entries move together: smaller steps, and the roundings of the outputs, which random
    cotangents sign, add up as random numbers do.
    """
    eps, noise = loss.eps, (_in_quadrature if many else _in_full)(loss.blurs)

    def difference(step: float) -> _Difference:
        """Slope, its rounding, and the bends: how far the slopes of the two sides are apart."""
        try:
            up, down = loss.moved(name, step * direction), loss.moved(name, -step * direction)
        except Exception:  # the author's forward may refuse what lies outside its domain
            return float("nan"), float("inf"), np.array([np.nan])
        runs = list(zip(loss.cotangents, up, loss.plain, down, strict=True))
        slope = loss.change(u - v for _, u, _, v in runs) / (2 * step)
        sizes = [np.abs(d) * (np.abs(u) + np.abs(v)) for d, u, _, v in runs]
        # Entry by entry: a kink of one sample may hide behind a smooth bend of another.
        bends = [np.abs(d * ((u - m) - (m - v))) for d, u, m, v in runs]
        told = [b * (b > 4 * eps * s) / step for b, s in zip(bends, sizes, strict=True)]
        size = 8 * _in_quadrature(sizes) if many else _in_full(sizes)
        bend = np.concatenate([one.ravel() for one in told])
        return slope, (eps * size + 2 * noise) / (2 * step), bend

    moved = np.abs(loss.inputs[name][direction != 0])
    steps = _COARSE_STEPS if eps > EPS else _FINER_STEPS if many else _STEPS
    tried: list[_Estimate] = []
    for step in _steps(moved, steps):
        one = _extrapolated(*(difference(step / 2**k) for k in range(3)))
        tried.append(one)
        if one.share <= _GOOD and one.settled and not every:
            break
    return _believed(tried, coarse=eps > EPS)


def _in_full(parts: Sequence[Array]) -> float:
    return sum(float(np.sum(part)) for part in parts)


def _in_quadrature(parts: Sequence[Array]) -> float:
    return float(np.sqrt(sum(np.sum(part**2) for part in parts)))


@dataclass(frozen=True)
class _Estimate:
    """What three differences say together; ``settled`` if their steps were short enough."""

    value: float
    bound: float
    settled: bool

    @property
    def share(self) -> float:
        """The bound against the value; infinite where one is no number, or all was rounded off."""
        if not self.value:
            return float("inf") if self.bound else 0.0
        share = self.bound / abs(self.value)
        return share if share == share else float("inf")


# A slope, its rounding, and how far the slopes of the two sides are apart in each output entry.
_Difference = tuple[float, float, Array]


def _extrapolated(coarse: _Difference, middle: _Difference, fine: _Difference) -> _Estimate:
    """Differences at h, h/2 and h/4, extrapolated twice."""
    first = (4 * middle[0] - coarse[0]) / 3
    second = (4 * fine[0] - middle[0]) / 3
    # Weights of the three differences in the value: 64/45, 20/45 and 1/45.
    rounding = (64 * fine[1] + 20 * middle[1] + coarse[1]) / 45
    bound = abs(second - first) + 2 * rounding
    # As long as steps are short, a change is a quarter of the one before; else they are long.
    changes = middle[0] - coarse[0], fine[0] - middle[0]
    one_way = (changes[0] > 0) == (changes[1] > 0)
    quarter = one_way and 2 * abs(changes[1]) < abs(changes[0]) < 8 * abs(changes[1])
    settled = abs(changes[1]) <= rounding or quarter
    if not settled:
        bound += abs(changes[0]) + abs(changes[1])
    # The two sides of a smooth point come together as the step shrinks; at a kink they do not,
    # and then no value between them is known.
    bound += float(np.sum(np.where(fine[2] > coarse[2] / 2, fine[2], 0.0)))
    return _Estimate((16 * second - first) / 15, bound, settled)


def _believed(tried: Sequence[_Estimate], *, coarse: bool) -> tuple[float, float]:
    """The best of several estimates, and a bound on its error that the others agree with."""
    # By its share of the value: a step across a pole has a small derivative and a bound of the
    # same size, while the true derivative is a million times as large.
    best = min(tried, key=lambda one: one.share)
    bound = best.bound
    if best.share > _DIM:
        if not best.settled:
            return best.value, float("inf")  # the forward bends within the shortest step
        bound *= _DOUBT
    # A step too large for where the forward bends may look settled: what another step excludes
    # is not known. No step that is not settled is believed alone, and none of a coarse forward,
    # all of whose steps are large.
    alone = best.settled and not coarse
    gaps = [(abs(best.value - one.value), one.bound) for one in tried]
    apart = [gap + min(gap, other) for gap, other in gaps if gap > bound + other or not alone]
    return best.value, max([bound, _DIGITS * abs(best.value), *apart])


def _steps(moved: Array, relative: Sequence[float]) -> list[float]:
    """Steps for entries of these magnitudes, powers of two so that x + h is mostly exact."""
    largest = float(moved.max(initial=0.0))
    scale = 2.0 ** np.ceil(np.log2(largest)) if largest > 1 else 1.0
    steps = [step * scale for step in relative]
    nonzero = moved[moved > 0]
    if nonzero.size and nonzero.min() < 1e-2:  # log and 1/x bend on the scale of x itself
        steps.append(_STEPS[0] * float(nonzero.min()))
    return steps
