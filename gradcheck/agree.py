"""Say whether two arrays agree, entry by entry, and how far apart they were allowed to be."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gradcheck.cell import Array

# Rounding of a handful of operations, in units of the tensor's largest entry. A right backward
# and autograd differ by 1 to 5 eps; what exceeds this is measured (noise.py) before it is judged.
_ROUNDING = 32 * float(np.finfo(float).eps)
# How many standard deviations of its own noise a result may be off: measured 4.9 at the worst of
# 8,000 small draws and 14.6 at the largest sizes and in float32.
DEVIATIONS = 16.0
# A bound wider than this hides mistakes that matter: such an example counts as not judged.
_WIDEST = 1e-6
# Where the true gradient is exactly zero, what an oracle may have lost to underflow.
_UNDERFLOW = 1e-250
# What results below the normal range may lose: they have no relative precision.
_SUBNORMAL = 1e-300


@dataclass(frozen=True)
class Comparison:
    """``got`` beside ``want``, with the difference that is ``allowed`` for each entry."""

    got: Array
    want: Array
    allowed: Array

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
        widest = max(_WIDEST * self.scale, 2 * _SUBNORMAL) if self.scale else _UNDERFLOW
        return bool(np.all(self.allowed <= widest))

    @property
    def worst(self) -> tuple[float, float]:
        """The largest error and what was allowed for it, relative to the scale."""
        if self.got.size == 0 or self.scale == 0:
            return 0.0, 0.0
        worst = np.unravel_index(np.argmax(self.error), self.error.shape)
        return float(self.error[worst] / self.scale), float(self.allowed[worst] / self.scale)


def compare(
    got: Array,
    want: Array,
    own_error: Array | float = 0.0,
    noise: Callable[[], Array] | None = None,
) -> Comparison:
    """Compare a result with a reference whose own error is at most ``own_error``.

    ``noise`` measures the rounding noise of the two computations; it is costly, and asked only
    if the first bound is exceeded.
    """
    scale = float(np.max(np.abs(want), initial=0.0))
    allowed = np.broadcast_to(_ROUNDING * scale + own_error + _SUBNORMAL, want.shape)
    first = Comparison(got, want, np.asarray(allowed))
    if first.agrees or noise is None:
        return first
    return Comparison(got, want, np.asarray(allowed + DEVIATIONS * noise()))
