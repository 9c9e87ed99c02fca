"""The one record that the whole engine works on: a cell, whatever it was made from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from gradcheck.cells.shapes import Shape

# One tensor of a cell: float64 as a rule, complex128 under the complex step, integers for labels.
Array = NDArray[Any]

# backward(cotangents in the order of the outputs) -> whatever the author returned
Backward = Callable[[Sequence[Array]], object]

# run(inputs by name) -> (outputs in order, backward)
Runner = Callable[[Mapping[str, object]], tuple[tuple[Array, ...], Backward]]


@dataclass(frozen=True)
class Argument:
    """An argument and its shape; ``value`` is set for a plain constant such as ``keep=0.9``."""

    name: str
    shape: Shape
    value: float | None = None


@dataclass(frozen=True)
class Source:
    """Where a cell is written: the file, and the first line of its ``def``.

    ``content`` is the file's as it was executed; None for what no file says, such as a mutant.
    """

    path: Path
    line: int
    content: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Contract:
    """Something declared of a variable, or of the cotangent of an output: where the derivation is
    not the plain gradient. ``text`` is as the author wrote it; contracts.py has the kinds.
    """

    kind: str
    name: str
    text: str
    line: int

    @property
    def on_cotangent(self) -> bool:
        return self.kind in ("zero", "orthogonal")

    def __str__(self) -> str:
        return f"{'d' if self.on_cotangent else ''}{self.name}: {self.text}"


@dataclass(frozen=True)
class Point:
    """A forward around one input, its declared constants held at the values they have there.

    ``margin`` is the distance to the nearest declared kink, relative to what is compared.
    """

    forward: Callable[[Mapping[str, Any]], tuple[Array, ...]]
    margin: float = float("inf")
    clipped: bool = False  # a slope is clipped on purpose


@dataclass(frozen=True)
class Cell:
    """A forward with its hand-derived backward.

    ``arguments`` are differentiated, ``constants`` are not. ``states`` pairs each argument
    such as ``h_prev`` with the output ``h`` that becomes its next value. ``at`` gives the
    forward around an input, for oracles that move it.
    """

    name: str
    arguments: tuple[Argument, ...]
    constants: tuple[Argument, ...]
    outputs: tuple[str, ...]
    run: Runner
    source: Source | None = None
    contracts: tuple[Contract, ...] = ()
    around: Callable[[Mapping[str, Any]], Point] | None = None  # needed only where there are some
    dtype: str = "float64"  # of its outputs on inputs of float64: what it computes in
    finer: "Cell | None" = None  # the same in float64, if its code names a coarser type
    derived: bool = True  # it has a backward; one that has none yet returns nothing

    def at(self, inputs: Mapping[str, Any]) -> Point:
        """The forward around ``inputs``."""
        return self.around(inputs) if self.around else Point(lambda given: self.run(given)[0])

    @cached_property
    def states(self) -> tuple[tuple[str, str], ...]:
        suffix = "_prev"
        return tuple(
            (argument.name, argument.name.removesuffix(suffix))
            for argument in self.arguments
            if argument.name.endswith(suffix) and argument.name.removesuffix(suffix) in self.outputs
        )

    @cached_property
    def gradients(self) -> tuple[str, ...]:
        """The names of what ``backward`` returns: "d" and the argument's name."""
        return tuple(f"d{argument.name}" for argument in self.arguments)

    @cached_property
    def size_names(self) -> tuple[str, ...]:
        """Every size that the shapes mention, in order of appearance."""
        shapes = [argument.shape for argument in self.arguments + self.constants]
        return tuple(dict.fromkeys(name for shape in shapes for name in shape.names))
