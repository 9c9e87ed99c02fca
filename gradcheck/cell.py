"""The one record that the whole engine works on: a cell, whatever it was made from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from gradcheck.shapes import Shape

# One tensor of a cell: float64 as a rule, complex128 under the complex step, integers for labels.
Array = NDArray[Any]

# backward(cotangents in the order of the outputs) -> whatever the author returned
Backward = Callable[[Sequence[Array]], object]

# run(inputs by name) -> (outputs in order, backward)
Run = Callable[[Mapping[str, object]], tuple[tuple[Array, ...], Backward]]


@dataclass(frozen=True)
class Argument:
    """An argument and its shape; ``value`` is set for a plain constant such as ``keep=0.9``."""

    name: str
    shape: Shape
    value: float | None = None


@dataclass(frozen=True)
class Source:
    """Where a cell is written: the file, and the first line of its ``def``."""

    path: Path
    line: int


@dataclass(frozen=True)
class Cell:
    """A forward with its hand-derived backward.

    ``arguments`` are differentiated, ``constants`` are not. ``states`` pairs each argument
    such as ``h_prev`` with the output ``h`` that becomes its next value.
    """

    name: str
    arguments: tuple[Argument, ...]
    constants: tuple[Argument, ...]
    outputs: tuple[str, ...]
    run: Run
    source: Source | None = None

    @property
    def states(self) -> tuple[tuple[str, str], ...]:
        suffix = "_prev"
        return tuple(
            (argument.name, argument.name.removesuffix(suffix))
            for argument in self.arguments
            if argument.name.endswith(suffix) and argument.name.removesuffix(suffix) in self.outputs
        )

    @property
    def gradients(self) -> tuple[str, ...]:
        """The names of what ``backward`` returns: "d" and the argument's name."""
        return tuple(f"d{argument.name}" for argument in self.arguments)

    @property
    def size_names(self) -> tuple[str, ...]:
        """Every size that the shapes mention, in order of appearance."""
        shapes = [argument.shape for argument in self.arguments + self.constants]
        return tuple(dict.fromkeys(name for shape in shapes for name in shape.names))
