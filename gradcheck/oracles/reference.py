"""What an oracle answers: a gradient, and by how much it may itself be wrong."""

from dataclasses import dataclass

import numpy as np

from gradcheck.cell import Array


@dataclass(frozen=True)
class Reference:
    """``error`` bounds the oracle's own error for each entry, rounding of the forward aside."""

    oracle: str
    value: Array
    error: Array

    @property
    def known(self) -> bool:
        """Whether the oracle has anything to say of each entry."""
        return bool(np.isfinite(self.value).all() and np.isfinite(self.error).all())
