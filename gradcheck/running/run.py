"""The author's code as it runs: what is handed to it, what it returns, and how it fails."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array, Backward, Cell, Point
from gradcheck.cells.returned import Gradient, Unusable, gradients
from gradcheck.drawing import draw
from gradcheck.errors import CaseError, what_raised
from gradcheck.running import rounding
from gradcheck.running.precision import Precision
from gradcheck.running.rounding import Rounding

NOT_A_FUNCTION = (
    "It draws random numbers, or keeps state between calls. A mask is given as a constant:\n"
    '    *, mask: "B H in {0, 1}"'
)

Cotangents = Sequence[Array] | Callable[[tuple[Array, ...]], Sequence[Array]]


class Crash(Exception):
    """The author's code raised; the text says what, and in which line.

    ``overflow``: where NumPy goes on with inf, Python's own numbers raise.
    """

    def __init__(self, text: str, *, overflow: bool = False) -> None:
        super().__init__(text)
        self.overflow = overflow


@dataclass(frozen=True)
class Caller:
    """A cell as it is called: one that ``writes`` into what it is given gets private copies."""

    cell: Cell
    writes: bool = False

    def handed(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """What to hand to a forward: read-only arrays, or copies."""
        if self.writes:
            return draw.writable(inputs)
        for value in inputs.values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
        return inputs

    def forward(self, inputs: Mapping[str, Any]) -> tuple[tuple[Array, ...], Backward]:
        """The outputs, and the backward; raises Crash."""
        with self.crashing("The forward"):
            return self.cell.run(self.handed(inputs))

    def backward(
        self, backward: Backward, cotangents: Sequence[Array], what: str = "backward"
    ) -> object:
        """What a backward returns; raises Crash, told of ``what``."""
        with self.crashing(what):
            return backward([d.copy() for d in cotangents] if self.writes else cotangents)

    def gradients(self, returned: object, inputs: Mapping[str, Any]) -> dict[str, Gradient]:
        """The gradients in what a backward returned, by argument.

        Copies: a later call of the author's backward must not change what this one returned.
        """
        arguments = [inputs[argument.name] for argument in self.cell.arguments]
        found = gradients(self.cell, returned, arguments)
        return {n: g if isinstance(g, Unusable) else g.copy() for n, g in found.items()}

    @contextmanager
    def crashing(self, what: str) -> Iterator[None]:
        """What the author's code raises in here is a finding, told in one sentence."""
        try:
            yield
        except (CaseError, Crash):
            raise
        except Exception as error:
            source = self.cell.source
            said = what_raised(error, source.path if source else None)
            overflow = isinstance(error, ArithmeticError)
            raise Crash(f"{what} fails with {said}", overflow=overflow) from None


class Run:
    """A forward and its backward on some inputs: what went in and what came out.

    Found when first asked for. ``cotangents`` may be made from the outputs.
    """

    def __init__(
        self,
        caller: Caller,
        inputs: Mapping[str, Any],
        cotangents: Cotangents,
        precision: Precision,
    ) -> None:
        self.caller, self.inputs, self.precision = caller, inputs, precision
        self._given = cotangents

    @property
    def cell(self) -> Cell:
        return self.caller.cell

    @cached_property
    def _ran(
        self,
    ) -> tuple[tuple[Array, ...], tuple[Array, ...], dict[str, Gradient] | Exception]:
        """Outputs, cotangents and gradients, the backward right after its forward.

        Nothing runs in between, so that a cell that shares state between its calls is judged
        alike whichever node asks first; unrolling and law[again] are there to tell on it.
        """
        outputs, backward = self.caller.forward(self.inputs)
        cotangents = tuple(self._given(outputs) if callable(self._given) else self._given)
        kept = tuple(output.copy() for output in outputs)
        try:
            returned = self.caller.backward(backward, cotangents)
        except (CaseError, Crash) as error:
            return kept, cotangents, error
        return kept, cotangents, self.caller.gradients(returned, self.inputs)

    @property
    def outputs(self) -> tuple[Array, ...]:
        return self._ran[0]

    @property
    def cotangents(self) -> tuple[Array, ...]:
        return self._ran[1]

    @property
    def gradients(self) -> dict[str, Gradient]:
        """By argument; raises what the backward raised."""
        found = self._ran[2]
        if isinstance(found, Exception):
            raise found
        return found

    @property
    def crashes(self) -> bool:
        """Whether the forward or the backward raises."""
        try:
            return isinstance(self._ran[2], Exception)
        except (CaseError, Crash):
            return True

    @cached_property
    def comparable(self) -> Mapping[str, Array]:
        """The gradients that can be compared, by argument."""
        return {n: g for n, g in self.gradients.items() if not isinstance(g, Unusable)}

    @cached_property
    def usable(self) -> Mapping[str, Array]:
        """The same, "d" before their names."""
        return {f"d{name}": gradient for name, gradient in self.comparable.items()}

    @property
    def values(self) -> Mapping[str, Array]:
        """The outputs, and the gradients that can be compared."""
        return {**dict(zip(self.cell.outputs, self.outputs, strict=True)), **self.usable}

    @cached_property
    def finite(self) -> bool:
        """Whether the forward has a value here at all: if not, it has no gradient either."""
        return all(bool(np.isfinite(output).all()) for output in self.outputs)

    @cached_property
    def point(self) -> Point:
        """The forward around the inputs, for oracles that move them."""
        return self.cell.at(self.caller.handed(self.inputs))

    def forward(self, inputs: Mapping[str, Any]) -> tuple[Array, ...]:
        """The forward alone, on inputs around its own."""
        return self.point.forward(draw.writable(inputs) if self.caller.writes else inputs)

    @cached_property
    def coarsest(self) -> Precision:
        """The precision of the coarsest number within."""
        return rounding.coarsest(self.cell, self.inputs, self.cotangents, self.precision)

    @cached_property
    def rounding(self) -> Rounding:
        """How far rounding moves what came out."""
        return rounding.of(self.cell, self.inputs, self.cotangents, self.coarsest)

    @cached_property
    def rough(self) -> Rounding:
        """The same by few runs: good to agree by, where it is enough."""
        return rounding.of(self.cell, self.inputs, self.cotangents, self.coarsest, rounding.FEW)

    @property
    def measured(self) -> bool:
        """Whether its rounding is known by now."""
        return "rounding" in vars(self)

    def noise(self, name: str) -> Array:
        """The standard deviation of one of the values."""
        names = self.cell.outputs
        if name in names:
            return self.rounding.outputs[names.index(name)]
        return self.rounding.gradients[name.removeprefix("d")]
