"""The true gradients of one call, of its arguments and of every value that its forward assigns.

By the complex step, or by differences where that does not come through.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.oracles import complex_step, finite_differences
from gradcheck.oracles.loss import Forward, Loss
from gradcheck.oracles.reference import Reference
from gradcheck.steps.calls import Ahead, Calls
from gradcheck.steps.watch import Noted

MOST_ENTRIES = 1000  # of a value whose gradient is asked for: each entry is some forwards


@dataclass(frozen=True)
class Truth:
    """The true gradients of a call, for the cotangent of each output."""

    calls: Calls
    ahead: Ahead
    cotangents: Mapping[str, Array]

    def argument(self, name: str) -> Reference | None:
        """dL/d(argument); None where it has too many entries, or no value."""
        return self._known(self._around(), self.ahead.inputs, name)

    def assigned(self, noted: Noted) -> Reference | None:
        """dL/d(a value of the forward), found by moving it where it is assigned."""
        moved, watch, around = f"move {noted.name}", self.calls.watch, self._around()

        def forward(values: Mapping[str, Any]) -> tuple[Array, ...]:
            watch.moved = {noted.place: values[moved]}
            try:
                return around({n: v for n, v in values.items() if n != moved})
            finally:
                watch.moved = {}

        still = {**self.ahead.inputs, moved: np.zeros(np.shape(noted.value))}
        return self._known(forward, still, moved)

    def _around(self) -> Forward:
        return self.calls.cell.at(self.ahead.inputs).forward

    @np.errstate(all="ignore")
    def _known(self, forward: Forward, inputs: Mapping[str, Any], name: str) -> Reference | None:
        if np.size(inputs[name]) > MOST_ENTRIES:
            return None
        try:
            loss = Loss.at(forward, inputs, tuple(self.cotangents.values()))
            found = complex_step.gradient(loss, name) or finite_differences.gradient(loss, name)
        except Exception:  # the forward cannot be moved here: what is wrong is told of the whole
            return None
        return found if found.known else None
