"""How finely a type of numbers is rounded, and what follows for every comparison."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike


@dataclass(frozen=True)
class Precision:
    """A floating-point type.

    ``widest`` is the share of a tensor's largest entry beyond which a bound hides mistakes that
    matter. ``subnormal`` is what a result below the normal range may lose, since it has no
    relative precision; ``underflow`` what an oracle may have lost where the gradient is zero.
    """

    name: str
    eps: float
    widest: float
    subnormal: float
    underflow: float


DOUBLE = Precision("float64", 2.0**-52, 1e-6, 1e-300, 1e-250)
# In float32 eight disturbed runs spread by 1e-7 to 1e-5; a lost term shows at 1e-2.
SINGLE = Precision("float32", 2.0**-23, 1e-3, 1e-30, 1e-25)
HALF = Precision("float16", 2.0**-10, 1e-1, 1e-4, 1e-3)


def of(dtype: DTypeLike) -> Precision:
    """The precision of a type; what is finer than float64 counts as float64."""
    kind = np.dtype(dtype)
    if kind.kind not in "fc":
        return DOUBLE
    eps = float(np.finfo(kind).eps)
    return next(known for known in (DOUBLE, SINGLE, HALF) if eps <= known.eps)


def coarser(one: Precision, other: Precision) -> Precision:
    return max(one, other, key=lambda precision: precision.eps)
