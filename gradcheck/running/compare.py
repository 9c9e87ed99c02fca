"""Say whether two arrays agree, entry by entry, and how far apart they were allowed to be."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.running.precision import DOUBLE, Precision

# Rounding of a handful of operations, in units of the tensor's largest entry. A right backward and
# autograd differ by 1 to 5 eps; what exceeds this is measured (monte_carlo.py) before it is judged.
OPERATIONS = 32
# So many terms of a sum add up their roundings unseen. In longer ones they grow as the square root
# of the number of terms: N. J. Higham and T. Mary, "A new approach to probabilistic rounding error
# analysis", SIAM Journal on Scientific Computing 41(5), 2019.
_TERMS = 64
# How many times that noise (precision.py) an entry may be off that is compared with its own size,
# because nothing else is allowed for it.
_SURE = 4


@dataclass(frozen=True)
class Comparison:
    """``got`` beside ``want``, with the difference that is ``allowed``, for each entry or for all.

    ``precision`` is that of the coarsest number on the way to either.
    """

    got: Array
    want: Array
    allowed: Array
    precision: Precision = DOUBLE

    @property
    def error(self) -> Array:
        return np.asarray(np.abs(self.got - self.want))

    @property
    def wrong(self) -> Array:
        """Entries that disagree; ``not <=`` because a NaN agrees with nothing."""
        return np.asarray(~(self.error <= self.allowed))

    @property
    def agrees(self) -> bool:
        return not self.wrong.any()

    @property
    def scale(self) -> float:
        """The largest entry of ``want``: errors are shown relative to it."""
        return float(np.max(np.abs(self.want), initial=0.0))

    @property
    def judged(self) -> bool:
        """Whether the bound is tight enough for agreement to mean something."""
        return _tight(float(np.max(self.allowed, initial=0.0)), self.scale, self.precision)

    @property
    def worst(self) -> tuple[float, float]:
        """The largest error and what was allowed for it, relative to the scale."""
        if self.got.size == 0 or self.scale <= self.precision.subnormal / self.precision.eps:
            return 0.0, 0.0  # of gradients so small no one asks for relative precision
        worst = np.unravel_index(np.argmax(self.error), self.error.shape)
        allowed = np.broadcast_to(self.allowed, self.error.shape)[worst]
        return float(self.error[worst] / self.scale), float(allowed / self.scale)


def _tight(allowed: float, scale: float, limits: Precision) -> bool:
    relative = limits.widest * scale
    if not scale:
        return allowed <= limits.underflow
    # Of gradients so small, no one asks for relative precision.
    return allowed <= (max(relative, 2 * limits.subnormal) if limits is DOUBLE else relative)


def operations(terms: int) -> float:
    """How many roundings are allowed, before any is measured, to a sum of so many terms."""
    return OPERATIONS * max(1.0, math.sqrt(terms / _TERMS))


Noise = tuple[Array, Precision]

_BLOCK = 2**15  # entries that stay in a processor's cache


def alike(
    got: Mapping[str, Array],
    want: Mapping[str, Array],
    precision: Precision,
    terms: Callable[[str], int] = lambda name: 1,
) -> dict[str, Comparison]:
    """Those of many tensors that agree, and are judged, in the first stage of ``compare``, all at
    one go. ``terms`` says how many add up to an entry of each.
    """
    found = {}
    for names in _grouped({name: one.size for name, one in got.items()}):
        ours, true = ([one[name] for name in names] for one in (got, want))
        shares = [operations(terms(name)) * precision.eps for name in names]
        if len(names) == 1:
            agree, scales = _near(ours[0], true[0], shares[0], precision)
        else:
            agree, scales = _near_many(ours, true, shares, precision)
        for name, agrees, scale, share in zip(names, agree, scales, shares, strict=True):
            allowed = share * scale + precision.subnormal
            if agrees and _tight(allowed, scale, precision):
                found[name] = Comparison(got[name], want[name], np.asarray(allowed), precision)
    return found


def _grouped(sizes: Mapping[str, int]) -> Iterator[list[str]]:
    """Small tensors together, large ones alone."""
    small = [name for name, size in sizes.items() if 0 < size <= _BLOCK // 16]
    if small:
        yield small
    yield from ([name] for name in sizes if name not in small)


def _near(
    got: Array, want: Array, share: float, precision: Precision
) -> tuple[Sequence[bool], Sequence[float]]:
    """Whether one tensor agrees, some rows at a time, and its scale."""
    got, want = np.atleast_1d(got), np.atleast_1d(want)
    rows = max(1, _BLOCK * len(want) // max(want.size, 1))
    blocks = [slice(k, k + rows) for k in range(0, len(want), rows)] if want.size else []
    scale = max((float(np.max(np.abs(want[block]))) for block in blocks), default=0.0)
    allowed = share * scale
    # Of a transposed tensor each block is laid out anew, which is cheap while it is in the cache.
    pairs = ((np.ascontiguousarray(got[b]), np.ascontiguousarray(want[b])) for b in blocks)
    return [all(_within(one, other, allowed, precision) for one, other in pairs)], [scale]


def _near_many(
    got: Sequence[Array], want: Sequence[Array], shares: Sequence[float], precision: Precision
) -> tuple[Sequence[bool], Sequence[float]]:
    """The same of several, in one array."""
    one, other = (np.concatenate([part.ravel() for part in parts]) for parts in (got, want))
    sizes = [part.size for part in want]
    starts = np.cumsum([0, *sizes[:-1]])
    scales = np.maximum.reduceat(np.abs(other), starts)
    allowed = np.repeat(np.asarray(shares) * scales, sizes)
    agree = np.logical_and.reduceat(_each_within(one, other, allowed, precision), starts)
    return agree.tolist(), scales.tolist()


def _within(got: Array, want: Array, allowed: float, precision: Precision) -> bool:
    return bool(_each_within(got, want, allowed, precision).all())


def _each_within(got: Array, want: Array, allowed: Array | float, precision: Precision) -> Array:
    """Near enough beside the largest entry, and beside their own."""
    own = precision.widest * np.abs(want)
    return np.asarray(np.abs(got - want) <= np.minimum(allowed, own) + precision.subnormal)


def compare(
    got: Array,
    want: Array,
    own_error: Array | float = 0.0,
    noises: Iterable[Noise] = (),
    precision: Precision = DOUBLE,
    terms: int = 1,
) -> Comparison:
    """Compare a result with a reference whose own error is at most ``own_error``, in two stages.

    With E = ``own_error`` and U the precision's ``subnormal``, each |got - want| may be at most

        A = 32 eps max|want| + E + U                            first, and
        B = min(A + n S, widest |want| + E + U + 4 n S)         once the noise S is known

    (more than 32 where an entry is the sum of many ``terms``), where each of ``noises`` measures
    S, the standard deviation of rounding in one of the two computations or in both, and the
    coarsest precision in them, whose eps and n = ``deviations`` then count. That is costly: it is
    done only if A is exceeded, or if some small entry is off by more than ``widest`` of itself,
    and the next only where the one before is not enough. B is A + n S alone where that is too wide
    to judge by: where the tensor is rounding, so is the spread of its small entries.
    """
    few = operations(terms)
    first = Comparison(got, want, _allowed(want, own_error, few, precision), precision)
    share = precision.widest * np.abs(want)  # of what each entry is itself
    small = first.error > share + own_error + precision.subnormal
    if first.agrees and not small.any():
        return first
    found = first
    for noise in noises:
        found = _beyond(got, want, own_error, few, noise, share)
        if found.agrees:
            break
    return found


def _beyond(
    got: Array, want: Array, own_error: Array | float, few: float, noise: Noise, share: Array
) -> Comparison:
    """The second stage."""
    spread, coarsest = noise
    allowed = _allowed(want, own_error, few, coarsest) + coarsest.deviations * spread
    whole = Comparison(got, want, allowed, coarsest)
    if not whole.judged:
        return whole  # where the tensor is rounding, so is the spread of its small entries
    # An entry a million times smaller than the largest is not to be wrong by all of itself.
    own = share + own_error + coarsest.subnormal + _SURE * coarsest.deviations * spread
    return Comparison(got, want, np.minimum(allowed, own), coarsest)


def _allowed(want: Array, own_error: Array | float, few: float, precision: Precision) -> Array:
    scale = float(np.max(np.abs(want), initial=0.0))
    allowed = few * precision.eps * scale + own_error + precision.subnormal
    return np.asarray(np.broadcast_to(allowed, want.shape))
