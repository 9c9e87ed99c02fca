"""The twin's run at one point: its outputs, autograd's gradients, and the rounding of both."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.errors import CaseError, what_raised
from gradcheck.oracles.reference import Reference
from gradcheck.running import monte_carlo
from gradcheck.running.run import Crash, Run

if TYPE_CHECKING:  # PyTorch takes seconds to import, and only the twin needs it
    from gradcheck.oracles.autograd import Twin

NAME = "autograd"


class TwinRun:
    """What the twin gives on the inputs and the cotangents of a run of its case."""

    def __init__(self, twin: "Twin", run: Run) -> None:
        self._twin, self._run = twin, run

    @cached_property
    def _ran(self) -> tuple[tuple[Array, ...], dict[str, Array]]:
        from gradcheck.oracles import autograd

        try:
            return autograd.run(self._twin, self._run.cell, self._run.inputs, self._cotangents_for)
        except CaseError:
            raise
        except Exception as error:
            said = what_raised(error, self._twin.path)
            raise Crash(f"The twin fails with {said}") from None

    def _cotangents_for(self, outputs: tuple[Array, ...]) -> tuple[Array, ...]:
        names = self._run.cell.outputs
        for name, ours, theirs in zip(names, self._run.outputs, outputs, strict=True):
            if ours.shape != theirs.shape:
                raise CaseError(
                    f"{name} has shape {ours.shape} in the case and {theirs.shape} in its twin.\n"
                    "Give both one shape."
                )
        return self._run.cotangents

    @property
    def outputs(self) -> tuple[Array, ...]:
        return self._ran[0]

    @property
    def gradients(self) -> Mapping[str, Array]:
        """By argument."""
        return self._ran[1]

    def reference(self, name: str) -> Reference:
        """What autograd says about one argument."""
        value = self.gradients[name]
        return Reference(NAME, value, np.zeros(value.shape))

    @property
    def output_noise(self) -> list[Array]:
        """The standard deviation of each output under rounding."""
        return self._noise[0]

    @property
    def noise(self) -> Mapping[str, Array]:
        """The standard deviation of each gradient under rounding."""
        return self._noise[1]

    @cached_property
    def _noise(self) -> tuple[list[Array], dict[str, Array]]:
        from gradcheck.oracles import autograd

        run = self._run
        runs: list[tuple[tuple[Array, ...], dict[str, Any]]] = [
            autograd.disturbed(self._twin, run.cell, run.inputs, run.cotangents, seed)
            for seed in range(monte_carlo.SAMPLES)
        ]
        columns = zip(*(values for values, _ in runs), strict=True)
        return (
            [monte_carlo.spread(column) for column in columns],
            {name: monte_carlo.spread([found[name] for _, found in runs]) for name in runs[0][1]},
        )
