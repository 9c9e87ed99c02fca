"""What an oracle answers: a gradient, and by how much it may itself be wrong."""

from dataclasses import dataclass

import numpy as np

from gradcheck.cells.cell import Array

DIRECTIONS = 3


@dataclass(frozen=True)
class Reference:
    """``error`` bounds the oracle's own error for each entry, rounding of the forward aside.

    Of an argument with too many entries an oracle knows the slopes along some ``directions``
    only; ``value`` and ``error`` are then theirs.
    """

    oracle: str
    value: Array
    error: Array
    directions: tuple[Array, ...] = ()

    def seen(self, gradient: Array) -> Array:
        """What of a gradient can be compared with ``value``."""
        if not self.directions:
            return gradient
        return np.array([np.sum(gradient * direction) for direction in self.directions])

    def blurred(self, spread: Array) -> Array:
        """How far entries that are off by ``spread`` each move what is compared.

        The directions are random, so that errors do not add up along them.
        """
        if not self.directions:
            return spread
        return np.array([np.sqrt(np.sum((spread * d) ** 2)) for d in self.directions])

    @property
    def known(self) -> bool:
        """Whether the oracle has anything to say of each entry."""
        return bool(np.isfinite(self.value).all() and np.isfinite(self.error).all())


def directions(shape: tuple[int, ...]) -> tuple[Array, ...]:
    """Random directions, always the same for a shape.

    Not +-1: terms of two-decimal numbers cancel exactly often enough to hide a lost part.
    """
    generator = np.random.default_rng(shape)
    return tuple(
        generator.uniform(0.5, 1.5, shape) * generator.choice([-1.0, 1.0], shape)
        for _ in range(DIRECTIONS)
    )
