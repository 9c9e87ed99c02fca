"""What a numeric oracle differentiates: the outputs, weighed by the cotangents, at some inputs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.running.run import Run

EPS = float(np.finfo(float).eps)

Forward = Callable[[Mapping[str, Any]], tuple[Array, ...]]


@dataclass(frozen=True)
class Loss:
    """<cotangents, outputs> around some inputs; ``plain`` are the outputs on them as they are.

    ``eps`` is that of the coarsest number in the forward. Each output may be off by more than
    that: where a pre-activation of 1e3 is rounded, its sigmoid is. ``blurs`` say by how much,
    weighed by the cotangents; none where it is not known.
    """

    forward: Forward
    inputs: Mapping[str, Any]
    cotangents: Sequence[Array]
    plain: tuple[Array, ...]
    eps: float = EPS
    blurs: tuple[Array, ...] = ()

    @classmethod
    def at(cls, forward: Forward, inputs: Mapping[str, Any], cotangents: Sequence[Array]) -> "Loss":
        """The loss at these inputs, on which the forward is run once."""
        # Copies: a forward may give out a buffer that its next run fills again.
        plain = tuple(np.array(output) for output in forward(inputs))
        return cls(forward, inputs, cotangents, plain)

    @classmethod
    def of(cls, run: Run) -> "Loss":
        """The loss around a run, with the outputs that it gave."""
        return cls(run.forward, run.inputs, run.cotangents, run.outputs)

    def moved(self, name: str, shift: Array) -> tuple[Array, ...]:
        """The outputs with one input moved; raises what the forward raises there."""
        return self.forward({**self.inputs, name: self.inputs[name] + shift})

    def change(self, changes: Iterable[Array]) -> float:
        """How much the loss changes where its outputs change so."""
        return sum(float(np.sum(d * c)) for d, c in zip(self.cotangents, changes, strict=True))

    @property
    def cotangent_size(self) -> float:
        """How much the loss can change at most where no output changes by more than 1."""
        return sum(float(np.sum(np.abs(d))) for d in self.cotangents)
