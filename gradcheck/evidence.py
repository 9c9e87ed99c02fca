"""Everything that is known about one cell on one example; each fact is found out once."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from gradcheck.arrays import close
from gradcheck.cells import contracts
from gradcheck.cells.cell import Array, Cell
from gradcheck.cells.returned import Gradient, Unusable
from gradcheck.drawing import draw, sizes
from gradcheck.drawing.draw import Example
from gradcheck.errors import CaseError
from gradcheck.oracles import twin_run
from gradcheck.oracles.numeric import Numeric
from gradcheck.oracles.reference import Reference
from gradcheck.oracles.twin_run import TwinRun
from gradcheck.running import precision
from gradcheck.running.compare import Comparison, Noise, compare, operations
from gradcheck.running.precision import DOUBLE, SINGLE
from gradcheck.running.rounding import Rounding
from gradcheck.running.run import Caller, Crash, Run

if TYPE_CHECKING:  # PyTorch takes seconds to import, and only the twin needs it
    from gradcheck.oracles.autograd import Twin

Fact = TypeVar("Fact")


class Evidence:
    """The cell's own run on an example, and what each oracle says about it.

    Facts are computed when first asked for, so that one node pays for one oracle, and shared by
    all nodes that ask again. ``inputs`` and ``cotangents`` may be given in the place of those
    that the example draws.
    """

    def __init__(
        self,
        examiner: "Examiner",
        example: Example,
        inputs: Mapping[str, Any] | None = None,
        cotangents: Callable[[tuple[Array, ...]], tuple[Array, ...]] | None = None,
    ) -> None:
        self.examiner, self.example = examiner, example
        self.cell, self.twin = examiner.cell, examiner.twin
        self.inputs = dict(inputs) if inputs is not None else draw.inputs(self.cell, example)
        self._facts: dict[Callable[[Evidence], Any], Any] = {}
        self._given = cotangents or partial(draw.cotangents, example=example)
        # What the cell is in by its own choice counts as declared; coarser numbers are found.
        own = precision.of(self.cell.dtype)
        self.precision = precision.coarser(precision.of(example.dtype), own)

    def _drawn(self, outputs: tuple[Array, ...]) -> tuple[Array, ...]:
        """A cotangent for each output, within what the backward is declared to hold for."""
        drawn = self._given(outputs)
        held = contracts.cotangents(self.cell.contracts, self.cell.outputs, outputs, drawn)
        typed = (d.astype(o.dtype, copy=False) for d, o in zip(held, outputs, strict=True))
        return tuple(map(draw.read_only, typed))

    @cached_property
    def run(self) -> Run:
        """The author's own run on the example."""
        run, copies = self._handed(writes=False), self._handed(writes=True)
        if not run.crashes:
            return run
        # Code that gets through on copies only writes into what it is given; for code that fails
        # on copies too, what it fails with there is its own.
        return copies if copies.crashes or self._handed(writes=False).crashes else run

    def _handed(self, *, writes: bool) -> Run:
        return Run(Caller(self.cell, writes), self.inputs, self._drawn, self.precision)

    @property
    def caller(self) -> Caller:
        """The cell, given private copies if it writes into what it is given."""
        return self.run.caller

    @cached_property
    def wide(self) -> Run:
        """The same in float64, in which the oracles are: as float64 what it names float32."""
        if self.example.dtype == DOUBLE.name and self.cell.finer is None:
            return self.run
        inputs = {name: draw.widened(value) for name, value in self.inputs.items()}
        caller = Caller(self.cell.finer or self.cell, self.caller.writes)
        return Run(caller, inputs, lambda _: tuple(map(draw.widened, self.cotangents)), DOUBLE)

    def fact(self, find: "Callable[[Evidence], Fact]") -> "Fact":
        """What ``find`` says of the cell on this example, found once."""
        if find not in self._facts:
            self._facts[find] = find(self)
        return cast("Fact", self._facts[find])

    @property
    def outputs(self) -> tuple[Array, ...]:
        return self.run.outputs

    @property
    def cotangents(self) -> tuple[Array, ...]:
        return self.run.cotangents

    @property
    def hand(self) -> dict[str, Gradient]:
        """The gradients by the author's backward, by argument name."""
        return self.run.gradients

    @property
    def at_kink(self) -> bool:
        """Whether a declared kink is so near that the gradient is not one value."""
        return self.wide.point.margin <= max(contracts.NEAR, 64 * self.precision.eps)

    @cached_property
    def too_coarse(self) -> bool:
        """Whether float32 is too coarse, or too short, for this example.

        dh is orthogonal to h to 1e-7 only, and what was dropped is as large; or a square
        overflows within, and the outputs are not those of the formula.
        """
        if self.precision is DOUBLE:
            return False
        kinds = {contract.kind for contract in self.cell.contracts}
        return contracts.ORTHOGONAL in kinds or not all(
            map(_close, self.outputs, self.wide.outputs)
        )

    def out_of_reach(self, name: str) -> bool:
        """Whether the same code gives another gradient in float64.

        Then float32 is too short or too coarse for this example, whatever the derivation is; a
        wrong derivation is wrong in both.
        """
        if self.precision is DOUBLE:
            return False
        ours, true = self.hand[name], self.wide.gradients[name]
        if isinstance(ours, Unusable) or isinstance(true, Unusable):
            return isinstance(ours, Unusable) and ours.overflows and not isinstance(true, Unusable)
        return not _close(ours, true)

    @cached_property
    def numeric(self) -> Numeric:
        """The oracles that need the forward only."""
        return Numeric(self.wide, self.example.regime, self.examiner.analytic)

    @cached_property
    def beside(self) -> TwinRun:
        """What the twin says of the same numbers."""
        assert self.twin is not None  # nodes that need a twin exist only where there is one
        return TwinRun(self.twin, self.run)

    def autograd(self, name: str) -> Reference:
        """What autograd of the twin says about one argument."""
        return self.beside.reference(name)

    def compared(self, name: str, reference: Reference) -> Comparison:
        """The derivation beside an oracle, with what rounding allows: the case's own, and where
        that is not enough and the oracle is autograd, the twin's on top.
        """
        hand = self.hand[name]
        assert not isinstance(hand, Unusable)

        def spread(rounding: Rounding) -> Array:
            return reference.blurred(rounding.gradients[name])

        # Rounding of the many entries that make up one slope; nothing where entries are compared.
        few = operations(self.terms(name))
        summed = reference.blurred(few * self.precision.eps * np.abs(hand))
        own = reference.error + summed if reference.directions else reference.error
        twins = (lambda: self.beside.noise[name]) if reference.oracle == twin_run.NAME else None
        noises = self.noises(spread, reference.value, twins)
        terms = self.terms(name)
        return compare(reference.seen(hand), reference.value, own, noises, self.precision, terms)

    def terms(self, name: str) -> int:
        """How many terms at most add up to an entry of a gradient: one for each index of the axes
        that the argument does not have.
        """
        shape = next(one.shape for one in self.cell.arguments if one.name == name)
        absent = [size for axis, size in self.example.sizes if axis not in shape.names]
        return math.prod(absent)

    def noises(
        self,
        spread: Callable[[Rounding], Array],
        want: Array,
        twins: Callable[[], Array] | None = None,
    ) -> Iterator[Noise]:
        """What rounding may have done: by few runs, by many, and with the twin's on top."""
        yield self.known(self.run.rough, spread(self.run.rough), want)
        yield self.known(self.run.rounding, spread(self.run.rounding), want)
        if twins:
            yield self.known(self.run.rounding, spread(self.run.rounding) + twins(), want)

    def known(self, rounding: Rounding, spread: Array, want: Array) -> Noise:
        """The noise that was measured, as far as it is known, and the precision it was found in.

        Unbounded where rounding throws a switch; with what may be missing from it where not all
        was seen: as much as can be allowed at all, and no bound where what is left may be nothing
        else.
        """
        limits, unbounded = rounding.precision, np.full_like(spread, np.inf)
        if not rounding.settled:
            return unbounded, limits
        if rounding.complete and self.examiner.fact(_seen_through):
            return spread, limits
        if self.example.regime in draw.EXTREME:
            return unbounded, limits
        largest = float(np.max(np.abs(want), initial=0.0))
        return spread + limits.widest / 2 * largest / limits.deviations, limits

    def noise(self, name: str, with_twin: bool = False) -> Array:
        """The rounding noise of a gradient by hand, with that of autograd on top if asked."""
        spread = self.run.rounding.gradients[name]
        return spread + self.beside.noise[name] if with_twin else spread

    def outputs_compared(self) -> dict[str, Comparison]:
        """Each output of the forward beside the twin's."""
        found = {}
        for k, name in enumerate(self.cell.outputs):
            ours, theirs = self.outputs[k], self.beside.outputs[k]
            # Where both overflow there is nothing to compare, inf or nan; where one does, all.
            alike = ~np.isfinite(ours) & ~np.isfinite(theirs)
            ours, theirs = np.where(alike, 0.0, ours), np.where(alike, 0.0, theirs)

            noises = self.noises(partial(_of_output, k), theirs, partial(self._twins_noise, k))
            found[name] = compare(ours, theirs, noises=noises, precision=self.precision)
        return found

    def _twins_noise(self, k: int) -> Array:
        return self.beside.output_noise[k]


def _of_output(k: int, rounding: Rounding) -> Array:
    return rounding.outputs[k]


_close = partial(close, tolerance=SINGLE.widest)  # of a result in float32: to a few digits


def _seen_through(examiner: "Examiner") -> bool:
    """Whether disturbance goes through all of its code, on ordinary numbers.

    A saturated gate is the same number in every run, whether or not it was disturbed. Code that
    fails at these sizes says nothing.
    """
    for evidence in examiner.ordinary:
        with suppress(Crash, CaseError):
            if evidence.hand and not evidence.run.rounding.complete:
                return False
    return True


class Examiner:
    """A cell and its twin, with all that is known of them: once for the cell, once an example."""

    def __init__(self, cell: Cell, twin: "Twin | None" = None) -> None:
        self.cell, self.twin = cell, twin
        self._known: dict[Example, Evidence] = {}
        self._facts: dict[Callable[[Examiner], Any], Any] = {}
        self._analytic: dict[str, bool] = {}

    def evidence(self, example: Example) -> Evidence:
        if example not in self._known:
            self._known[example] = Evidence(self, example)
        return self._known[example]

    def fact(self, find: "Callable[[Examiner], Fact]") -> "Fact":
        """What ``find`` says of the cell, found once."""
        if find not in self._facts:
            self._facts[find] = find(self)
        return cast("Fact", self._facts[find])

    def analytic(self, name: str) -> bool:
        """Whether the complex step proves itself on ordinary numbers and different sizes.

        There differences are sharp, and a lost term (np.var conjugates, abs drops) is large.
        """
        if name not in self._analytic:
            self._analytic[name] = all(_proves_itself(one, name) for one in self.ordinary)
        return self._analytic[name]

    @cached_property
    def ordinary(self) -> tuple[Evidence, ...]:
        """Ordinary numbers and different sizes, without the twin."""
        alone = self if self.twin is None else Examiner(self.cell)
        drawn = tuple(sizes.rising(self.cell.size_names, 3).items())
        return tuple(alone.evidence(Example(drawn, seed)) for seed in range(2))


def _proves_itself(evidence: Evidence, name: str) -> bool:
    try:
        return evidence.run.finite and evidence.numeric.analytic_here(name)
    except (Crash, CaseError):
        return False
