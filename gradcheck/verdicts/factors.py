"""Gradients that are a multiple of what they should be, and the size that the factor equals."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.verdicts.fresh import CLOSE, equal

_POWERS = (1.0, -1.0, 0.5, -0.5)


def factor(hand: Array, want: Array) -> float | None:
    """k where hand = k * want and that says something; None elsewhere."""
    square = float(np.sum(want * want))
    if want.size < 2 or square == 0:
        return None
    found = float(np.sum(hand * want)) / square
    return found if found != 0 and equal(hand, found * want) else None


def named(factors: Sequence[float], drawn: Sequence[Mapping[str, int]]) -> dict[str, Any]:
    """The power of a size, or of a product of two, that the factors equal on every draw; or the
    one number that they all are; or each.
    """
    names = list(drawn[0])
    groups = [(name,) for name in names] + list(itertools.combinations(names, 2))
    for group, power in itertools.product(groups, _POWERS):
        values = [float(np.prod([sizes[name] for name in group])) ** power for sizes in drawn]
        told_apart = len(drawn) == 1 or len(set(values)) > 1
        if told_apart and np.allclose(factors, values, rtol=CLOSE, atol=0):
            return {"sizes": group, "power": power}
    if np.allclose(factors, factors[0], rtol=CLOSE, atol=0):
        return {"factor": factors[0]}
    return {"factors": tuple(factors)}
