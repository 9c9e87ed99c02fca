"""Say whether two arrays agree, entry by entry, and how far apart they were allowed to be."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.running.precision import DOUBLE, Precision

# Rounding of a handful of operations, in units of the tensor's largest entry. A right backward and
# autograd differ by 1 to 5 eps; what exceeds this is measured (monte_carlo.py) before it is judged.
OPERATIONS = 32
# How many times that noise (precision.py) an entry may be off that is compared with its own size,
# because nothing else is allowed for it.
_SURE = 4


@dataclass(frozen=True)
class Comparison:
    """``got`` beside ``want``, with the difference that is ``allowed`` for each entry.

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
        limits = self.precision
        relative = limits.widest * self.scale
        if not self.scale:
            widest = limits.underflow
        elif limits is DOUBLE:  # of gradients so small, no one asks for relative precision
            widest = max(relative, 2 * limits.subnormal)
        else:
            widest = relative
        return bool(np.all(self.allowed <= widest))

    @property
    def worst(self) -> tuple[float, float]:
        """The largest error and what was allowed for it, relative to the scale."""
        if self.got.size == 0 or self.scale <= self.precision.subnormal / self.precision.eps:
            return 0.0, 0.0  # of gradients so small no one asks for relative precision
        worst = np.unravel_index(np.argmax(self.error), self.error.shape)
        return float(self.error[worst] / self.scale), float(self.allowed[worst] / self.scale)


Noise = tuple[Array, Precision]


def compare(
    got: Array,
    want: Array,
    own_error: Array | float = 0.0,
    noise: Callable[[], Noise] | None = None,
    precision: Precision = DOUBLE,
) -> Comparison:
    """Compare a result with a reference whose own error is at most ``own_error``, in two stages.

    With E = ``own_error`` and U the precision's ``subnormal``, each |got - want| may be at most

        A = 32 eps max|want| + E + U                            first, and
        B = min(A + n S, widest |want| + E + U + 4 n S)         once the noise S is known

    where ``noise`` measures S, the standard deviation of rounding in the two computations, and
    the coarsest precision in them, whose eps and n = ``deviations`` then count. That is costly,
    and done only if A is exceeded, or if some small entry is off by more than ``widest`` of
    itself. B is A + n S alone where that is too wide to judge by: where the tensor is rounding,
    so is the spread of its small entries.
    """
    first = Comparison(got, want, _allowed(want, own_error, precision), precision)
    share = precision.widest * np.abs(want)  # of what each entry is itself
    small = first.error > share + own_error + precision.subnormal
    if noise is None or (first.agrees and not small.any()):
        return first
    spread, coarsest = noise()
    allowed = _allowed(want, own_error, coarsest) + coarsest.deviations * spread
    whole = Comparison(got, want, allowed, coarsest)
    if not whole.judged:
        return whole  # where the tensor is rounding, so is the spread of its small entries
    # An entry a million times smaller than the largest is not to be wrong by all of itself.
    own = share + own_error + coarsest.subnormal + _SURE * coarsest.deviations * spread
    return Comparison(got, want, np.minimum(allowed, own), coarsest)


def _allowed(want: Array, own_error: Array | float, precision: Precision) -> Array:
    scale = float(np.max(np.abs(want), initial=0.0))
    allowed = OPERATIONS * precision.eps * scale + own_error + precision.subnormal
    return np.asarray(np.broadcast_to(allowed, want.shape))
