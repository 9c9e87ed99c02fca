"""All gradients at once along one random direction: where they are right, this is all it takes.

The direction moves every argument, each by as much as makes its own gradient count alike, so that
a small one is not drowned by a large one. One forward on complex numbers gives the slope; a wrong
gradient of any argument misses it almost surely. Two forwards on real numbers, on either side,
say whether there is a kink, and whether the complex step has lost a term. What does not fit to
the last digits is not wrong by that: it is gone through argument by argument, entry by entry.

In each tensor the direction is an outer product, one random vector an axis: of those all but a
null set see a tensor that is not zero (its form is multilinear), and large tensors cost one pass.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.oracles import complex_step, finite_differences
from gradcheck.oracles.loss import EPS, Loss
from gradcheck.running.compare import Comparison
from gradcheck.running.precision import Precision

_STEP = 2.0**-66  # relative to each tensor: products of two imaginary parts vanish
_SIDE = 2.0**-20  # relative to each tensor: how far to either side is looked for a kink
_BENT = 3e-5  # relative: what bends by more over that step is looked at closely
_LOOSE = 1e-6  # agreement with differences that rules out a lost term
# Roundings of the norm of what moves: of right cells on ordinary numbers the slope was off by 1.2
# in the median, and by less than 7.2 in 98 of 100.
FEW = 8
_PLAIN = 1e-100  # norms above it can be squared; of smaller ones the largest entry must do


@dataclass(frozen=True)
class Direction:
    """Of one tensor: the outer product of a random vector for each axis."""

    factors: tuple[Array, ...]

    def along(self, gradient: Array) -> float:
        """The sum of the gradient's entries, weighed by the direction's."""
        for factor in reversed(self.factors):
            gradient = gradient @ factor
        return float(gradient)

    def blurred(self, spread: Array) -> float:
        """How far entries that are off by ``spread`` each, independently, move the sum."""
        squared = Direction(tuple(factor * factor for factor in self.factors))
        return float(np.sqrt(squared.along(spread * spread)))

    def dense(self, scale: float) -> Array:
        """All entries, times ``scale``."""
        entries = np.empty([len(factor) for factor in self.factors])
        self.fill(entries, scale)
        return entries

    def fill(self, entries: Array, scale: float) -> None:
        """Write all entries, times ``scale``, into an array of their shape."""
        *outer, last = [np.asarray(scale), *self.factors]
        product = np.asarray(1.0)
        for factor in outer:
            product = np.multiply.outer(product, factor)
        np.multiply.outer(product, last, out=entries)


def directions(
    shapes: Iterable[tuple[int, ...]], generator: np.random.Generator
) -> list[Direction]:
    """Random directions of some shapes; no entry is near zero."""
    every = list(shapes)
    drawn = generator.uniform(-1.0, 1.0, sum(map(sum, every)))
    drawn += np.copysign(0.5, drawn)  # 0.5 to 1.5, of either sign
    return list(_parted(drawn, every))


def _parted(drawn: Array, shapes: Sequence[tuple[int, ...]]) -> Iterator[Direction]:
    start = 0
    for shape in shapes:
        factors = []
        for size in shape:
            factors.append(drawn[start : start + size])
            start += size
        yield Direction(tuple(factors))


class Probe:
    """What the probe finds at one point; each of its forwards runs once, when first asked for.

    ``gradients`` are those by hand that can be compared, in numbers of ``precision``; ``noises``
    measure the standard deviation of each of their entries under rounding, the next where one is
    not enough. To either side are moved those ``sided``. A gradient that sums up many terms is
    off by so many times more, ``longer``.
    """

    def __init__(
        self,
        loss: Loss,
        gradients: Mapping[str, Array],
        precision: Precision,
        noises: Callable[[], Iterator[tuple[Mapping[str, Array], Precision]]],
        sided: Collection[str],
        generator: np.random.Generator,
        longer: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self._loss, self._gradients, self._longer = loss, gradients, longer
        self._precision, self._noises = precision, noises
        shapes = [loss.inputs[name].shape for name in gradients]
        self._directions = dict(zip(gradients, directions(shapes, generator), strict=True))
        self._sizes = {name: _largest(loss.inputs[name]) or 1.0 for name in gradients}
        self._moves = {n: max(1.0, size) for n, size in self._sizes.items() if n in sided}

    @cached_property
    def fitting(self) -> Mapping[str, Comparison]:
        """The gradients that fit the slope, and how well; each alone where not all do together.

        As in ``compare``, rounding is measured only where a few roundings do not explain what
        is left.
        """
        norms = {name: _norm(gradient) for name, gradient in self._gradients.items()}
        zero = {name: self._sizes[name] for name, norm in norms.items() if not norm}
        other = {name: 1 / norm for name, norm in norms.items() if norm}
        found = self._fitting(zero) if zero else {}
        if not other:
            return found
        together = self._fitting(other)
        if together:
            return {**found, **together}
        for name, weight in other.items():
            found |= self._fitting({name: weight})
        return found

    def complex(self, name: str) -> bool:
        """Whether complex numbers come through where one argument moves."""
        return bool(np.isfinite(self._slope({name: self._sizes[name]})[0]))

    def seen(self, name: str, loss: Loss) -> Comparison | None:
        """The same of one gradient by differences of a loss whose rounding is known, where
        complex numbers do not come through; None if it does not fit.
        """
        slope, bound = finite_differences.along(loss, name, self._directions[name].dense(1.0))
        return self._compared({name: 1.0}, slope, bound).get(name)

    def _fitting(self, weights: Mapping[str, float]) -> dict[str, Comparison]:
        return self._compared(weights, *self._slope(weights))

    def _compared(
        self, weights: Mapping[str, float], slope: float, error: float
    ) -> dict[str, Comparison]:
        """The share that each gradient by hand has in one slope, if all of them add up to it;
        ``error`` is that of the slope itself.
        """
        along = {n: self._directions[n].along(self._gradients[n]) for n in weights}
        shares = {name: weight * along[name] for name, weight in weights.items()}
        sizes = {name: weight * _norm(self._gradients[name]) for name, weight in weights.items()}
        off = slope - sum(shares.values())
        few = float(
            np.hypot.reduce(
                [FEW * self._longer.get(name, 1.0) * size for name, size in sizes.items()]
            )
        )
        if not np.isfinite(off):
            return {}
        precision = self._precision
        allowed = few * precision.eps + error
        # What is off by more than rounding may hide need not be measured: it is not found right.
        # That of all together would hide what is wrong in one.
        hidden = precision.widest * max(sizes.values()) + error
        noises = self._noises() if len(weights) == 1 and abs(off) <= hidden else iter(())
        while abs(off) > allowed and (noise := next(noises, None)):
            spreads, precision = noise
            blurs = [w * self._directions[n].blurred(spreads[n]) for n, w in weights.items()]
            allowed = few * precision.eps + error
            allowed += precision.deviations * float(np.hypot.reduce(blurs))
        if not abs(off) <= allowed:
            return {}
        return {
            name: Comparison(
                # With the norm beside it, of which the error is a share.
                np.array([share, sizes[name]]),
                np.array([share + off, sizes[name]]),
                np.asarray(allowed),
                precision,
            )
            for name, share in shares.items()
        }

    def _slope(self, weights: Mapping[str, float]) -> tuple[float, float]:
        """The slope where each tensor moves along its direction, times its weight; and what
        results below the normal range may have lost of it. Not a number where complex numbers do
        not come through.
        """
        loss = self._loss
        step = _STEP * min(self._sizes[name] / weight for name, weight in weights.items())
        nothing = float("nan"), 0.0
        if not step > _PLAIN**2:
            return nothing
        inputs = dict(loss.inputs)
        for name, weight in weights.items():
            value = np.empty(inputs[name].shape, complex)
            value.real = inputs[name]
            self._directions[name].fill(value.imag, step * weight)
            inputs[name] = value
        slope = complex_step.through(loss, inputs, step)
        return nothing if slope is None else (slope, complex_step.lost(loss, step))

    @cached_property
    def smooth(self) -> bool:
        """Whether the two sides have one slope: there is no kink here."""
        one = self._sides
        return abs(one.right - one.left) <= _BENT * one.size + one.rounded

    @cached_property
    def confirmed(self) -> bool:
        """Whether differences see the slope that the gradients by hand have, or else that of the
        complex step, to a few digits.
        """
        one, moves = self._sides, self._moves.items()
        seen, bound = (one.left + one.right) / 2, _LOOSE * one.size + one.rounded
        slope = sum(move * self._directions[n].along(self._gradients[n]) for n, move in moves)
        if abs(seen - slope) <= bound:
            return True
        return abs(seen - self._slope(self._moves)[0]) <= bound

    @cached_property
    def _sides(self) -> "_Sides":
        loss, moves = self._loss, self._moves.items()
        if not moves:
            return _Sides(0.0, 0.0, 0.0, 0.0)
        shifts = {name: self._directions[name].dense(_SIDE * move) for name, move in moves}
        below, above = dict(loss.inputs), dict(loss.inputs)
        for name, shift in shifts.items():
            below[name], above[name] = loss.inputs[name] - shift, loss.inputs[name] + shift
        try:
            down, up = loss.forward(below), loss.forward(above)
        except Exception:  # outside of its domain
            return _Sides(float("nan"), float("nan"), 0.0, 0.0)
        every = list(zip(loss.cotangents, down, loss.plain, up, strict=True))
        left = sum(float(np.sum(d * (m - u))) for d, u, m, _ in every)
        right = sum(float(np.sum(d * (v - m))) for d, _, m, v in every)
        size = sum(float(np.sum(np.abs(d * (v - u)))) for d, u, _, v in every)
        rounded = 64 * EPS * sum(float(np.sum(np.abs(d * m))) for d, _, m, _ in every)
        return _Sides(left / _SIDE, right / _SIDE, size / 2 / _SIDE, rounded / _SIDE)


@dataclass(frozen=True)
class _Sides:
    """The slopes to the left and to the right, the size of what adds up to them, and how far
    rounding moves them. Not numbers where the forward refuses what lies beside.
    """

    left: float
    right: float
    size: float
    rounded: float


def _largest(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0))


def _norm(gradient: Array) -> float:
    """The Euclidean norm, or the largest entry where squares leave the range of numbers."""
    norm = float(np.linalg.norm(gradient))
    return norm if _PLAIN < norm < 1 / _PLAIN else _largest(gradient)
