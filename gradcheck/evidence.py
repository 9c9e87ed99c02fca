"""Everything that is known about one cell on one example; each fact is found out once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck import contracts, draw, load, noise, precision, rounding
from gradcheck.agree import OPERATIONS, Comparison, Noise, compare
from gradcheck.cell import Array, Cell, Point
from gradcheck.draw import Example
from gradcheck.errors import CaseError
from gradcheck.noise import Disturbance
from gradcheck.oracles import complex_step, fd, sides
from gradcheck.oracles.reference import Reference
from gradcheck.oracles.sides import Kink
from gradcheck.precision import DOUBLE, SINGLE
from gradcheck.rounding import Rounding
from gradcheck.structure import Gradient, Unusable, gradients

if TYPE_CHECKING:  # PyTorch takes seconds to import, and only the twin needs it
    from gradcheck.oracles.autograd import Twin

AUTOGRAD = "autograd"
NOT_A_FUNCTION = (
    "It draws random numbers, or keeps state between calls. A mask is given as a constant:\n"
    '    *, mask: "B H in {0, 1}"'
)


_MOST_ENTRIES = 1000  # of an argument that numeric oracles go through one by one


class Crash(Exception):
    """The author's code raised; the text says what, and in which line."""


class Evidence:
    """The cell's own run on an example, and what each oracle says about it.

    Facts are computed when first asked for, so that one node pays for one oracle, and shared by
    all nodes that ask again.
    """

    def __init__(self, cell: Cell, twin: "Twin | None", example: Example) -> None:
        self.cell, self.twin, self.example = cell, twin, example
        self.inputs = draw.inputs(cell, example)
        # What the cell is in by its own choice counts as declared; coarser numbers are found.
        self.precision = precision.coarser(precision.of(example.dtype), precision.of(cell.dtype))
        self._numeric: dict[str, Reference] = {}
        self._confirmed: set[str] = set()
        self._kinks: dict[str, tuple[Kink, ...]] = {}

    @cached_property
    def writes(self) -> bool:
        """Whether the cell writes into what it is given: it is then given private copies."""
        try:
            outputs, backward = self.cell.run(self.inputs)
            backward(self._drawn(outputs))
        except ValueError as error:
            return "read-only" in str(error)
        except Exception:
            return False  # any other failure is told by the facts below
        return False

    @cached_property
    def _run(self) -> tuple[tuple[Array, ...], tuple[Array, ...], dict[str, Gradient] | Exception]:
        """Outputs, cotangents and gradients, the backward right after its forward.

        Nothing runs in between, so that a cell that shares state between its calls is judged
        alike whichever node asks first; unrolling and law[again] are there to tell on it.
        """
        try:
            outputs, backward = self.cell.run(self.forward_inputs())
        except Exception as error:
            raise self._crash("The forward", error) from None
        cotangents = self._drawn(outputs)
        kept = tuple(output.copy() for output in outputs)
        given = [d.copy() for d in cotangents] if self.writes else cotangents
        try:
            returned = backward(given)
        except Exception as error:
            return kept, cotangents, self._crash("backward", error)
        arguments = [self.inputs[argument.name] for argument in self.cell.arguments]
        # Copies: a later call of the author's backward must not change what this one returned.
        found = {
            name: gradient if isinstance(gradient, Unusable) else gradient.copy()
            for name, gradient in gradients(self.cell, returned, arguments).items()
        }
        return kept, cotangents, found

    def _drawn(self, outputs: tuple[Array, ...]) -> tuple[Array, ...]:
        """A cotangent for each output, within what the backward is declared to hold for."""
        drawn = draw.cotangents(outputs, self.example)
        held = contracts.cotangents(self.cell.contracts, self.cell.outputs, outputs, drawn)
        typed = (d.astype(o.dtype, copy=False) for d, o in zip(held, outputs, strict=True))
        return tuple(map(draw.read_only, typed))

    @cached_property
    def wide(self) -> Mapping[str, Any]:
        """The inputs in float64, which the oracles work in: differences of float32 say little."""
        if self.example.dtype == DOUBLE.name:
            return self.inputs
        return {name: draw.widened(value) for name, value in self.inputs.items()}

    @cached_property
    def point(self) -> Point:
        """The forward around the inputs, for oracles that move them."""
        return self.wide_cell.at(draw.writable(self.wide) if self.writes else self.wide)

    @property
    def wide_cell(self) -> Cell:
        """The cell with its casts to float32 written as float64, where it has some."""
        return self.cell.finer or self.cell

    @property
    def at_kink(self) -> bool:
        """Whether a declared kink is so near that the gradient is not one value."""
        return self.point.margin <= max(contracts.NEAR, 64 * self.precision.eps)

    @cached_property
    def too_coarse(self) -> bool:
        """Whether float32 is too coarse, or too short, for this example.

        dh is orthogonal to h to 1e-7 only, and what was dropped is as large; or a square
        overflows within, and the outputs are not those of the formula.
        """
        if self.precision is DOUBLE:
            return False
        kinds = {contract.kind for contract in self.cell.contracts}
        pairs = zip(self.outputs, self._wide_outputs, strict=True)
        return contracts.ORTHOGONAL in kinds or not all(
            compare(ours, true, SINGLE.widest * np.max(np.abs(true), initial=0.0)).agrees
            for ours, true in pairs
        )

    def forward_inputs(self) -> dict[str, Any]:
        """What to hand to the cell: the read-only inputs, or copies for a cell that writes."""
        return draw.writable(self.inputs) if self.writes else self.inputs

    def backward_cotangents(self) -> Sequence[Array]:
        """The same for its backward."""
        return [d.copy() for d in self.cotangents] if self.writes else self.cotangents

    @cached_property
    def outputs(self) -> tuple[Array, ...]:
        return self._run[0]

    @cached_property
    def finite(self) -> bool:
        """Whether the forward has a value here at all: if not, it has no gradient either."""
        return all(bool(np.isfinite(output).all()) for output in self.outputs)

    @property
    def cotangents(self) -> tuple[Array, ...]:
        return self._run[1]

    @property
    def hand(self) -> dict[str, Gradient]:
        """The gradients by the author's backward, by argument name."""
        found = self._run[2]
        if isinstance(found, Exception):
            raise found
        return found

    @cached_property
    def _autograd(self) -> tuple[tuple[Array, ...], dict[str, Array]]:
        from gradcheck.oracles import autograd

        assert self.twin is not None  # nodes that need a twin exist only where there is one
        try:
            return autograd.run(self.twin, self.cell, self.inputs, self._cotangents_for)
        except CaseError:
            raise
        except Exception as error:
            said = load.sentence(error, self.twin.path)
            raise Crash(f"The twin fails with {said}") from None

    def _cotangents_for(self, outputs: tuple[Array, ...]) -> tuple[Array, ...]:
        for name, ours, theirs in zip(self.cell.outputs, self.outputs, outputs, strict=True):
            if ours.shape != theirs.shape:
                raise CaseError(
                    f"{name} has shape {ours.shape} in the case and {theirs.shape} in its twin.\n"
                    "Give both one shape."
                )
        return self.cotangents

    @property
    def twin_outputs(self) -> tuple[Array, ...]:
        return self._autograd[0]

    def autograd(self, name: str) -> Reference:
        """What autograd of the twin says about one argument."""
        value = self._autograd[1][name]
        return Reference(AUTOGRAD, value, np.zeros(value.shape))

    def numeric(self, name: str) -> Reference:
        """The complex step where it is valid, otherwise finite differences."""
        if name not in self._numeric:
            exact = None
            if self.example.regime == "ordinary" or _analytic(self.cell, name):
                exact = self._complex_step(self.forward, name)
            self._numeric[name] = exact or self.differences(name)
        return self._numeric[name]

    @cached_property
    def _wide_outputs(self) -> tuple[Array, ...]:
        """The forward once more, in float64."""
        outputs = self.forward(self.wide)
        as_run = self.wide is self.inputs and self.cell.finer is None
        first = self.outputs if as_run else self.forward(self.wide)
        for name, one, other in zip(self.cell.outputs, first, outputs, strict=True):
            if not complex_step.same(one, other):
                raise Crash(f"Two calls of the forward differ in {name}.\n{NOT_A_FUNCTION}")
        return outputs

    def kinks(self, name: str) -> tuple[Kink, ...]:
        """Where the forward has two slopes in an argument, at these very inputs."""
        if name not in self._kinks:
            plain = self.example.regime not in ("tiny", "huge", "saturated")
            at = sides.kinks if plain and not self._is_large(name) else lambda *_: ()
            self._kinks[name] = at(self.forward, self.wide, self.cotangents, name)
        return self._kinks[name]

    def confirmed(self, name: str) -> Reference:
        """The same for an accusation, which no numeric oracle makes at its first word.

        Differences try every step, so that a bend finer than the first is not passed over. Where
        they refute the complex step, they replace it; and its own rounding is measured, because
        1 - p of a saturated p has lost its digits in the forward already.
        """
        first = self.numeric(name)
        if name in self._confirmed:
            return first
        self._confirmed.add(name)
        differences = self.differences(name, every=True)
        if (
            first.oracle != complex_step.NAME
            or not compare(first.value, differences.value, differences.error + first.error).agrees
        ):
            self._numeric[name] = differences
        else:
            own = DOUBLE.deviations * self._complex_noise(name)
            self._numeric[name] = replace(first, error=first.error + own)
        return self._numeric[name]

    def _complex_noise(self, name: str) -> Array:
        """The rounding noise of the complex step: its spread over disturbed forwards."""
        values = []
        for seed in range(noise.SAMPLES):
            source = Disturbance(np.random.default_rng(seed))

            def forward(
                inputs: Mapping[str, Any], source: Disturbance = source
            ) -> tuple[Array, ...]:
                moved = {k: noise.disturb(v, source) for k, v in inputs.items()}
                with noise.kept(source):
                    outputs = self.point.forward(moved)
                return tuple(np.asarray(noise.plain(out)) for out in outputs)

            found = self._complex_step(forward, name)
            if found is None:
                return np.full_like(self._numeric[name].value, np.inf)
            values.append(found.value)
        return noise.spread(values)

    def _complex_step(self, forward: fd.Forward, name: str) -> Reference | None:
        ask = complex_step.probed if self._is_large(name) else complex_step.gradient
        return ask(forward, self.wide, self._wide_outputs, self.cotangents, name)

    def _is_large(self, name: str) -> bool:
        """Whether asking for every entry would take too long."""
        return int(np.size(self.inputs[name])) > _MOST_ENTRIES

    def differences(self, name: str, *, every: bool = False) -> Reference:
        """Finite differences, whether or not the complex step is valid; by ``every`` step or until
        one is good.
        """
        of_forward = self._wide_rounding
        blurs = [np.abs(d) * s for d, s in zip(self.cotangents, of_forward.outputs, strict=True)]
        eps = of_forward.precision.eps
        if self._is_large(name):
            # The cotangents are random, so that the errors of many outputs do not add up.
            noise = of_forward.precision.deviations * float(
                np.sqrt(sum(np.sum(blur**2) for blur in blurs))
            )
            return fd.probed(self.forward, self.wide, self.cotangents, name, noise, eps)
        noise = of_forward.precision.deviations * sum(float(np.sum(blur)) for blur in blurs)
        return fd.gradient(self.forward, self.wide, self.cotangents, name, noise, eps, every=every)

    def forward(self, inputs: Mapping[str, Any]) -> tuple[Array, ...]:
        """The author's forward alone, on other inputs."""
        return self.point.forward(draw.writable(inputs) if self.writes else inputs)

    @cached_property
    def _wide_hand(self) -> dict[str, Gradient]:
        """The gradients by the author's backward in float64, for an example in float32."""
        _, backward = self.wide_cell.run(draw.writable(self.wide) if self.writes else self.wide)
        returned = backward([draw.widened(cotangent).copy() for cotangent in self.cotangents])
        arguments = [self.wide[argument.name] for argument in self.cell.arguments]
        return gradients(self.wide_cell, returned, arguments)

    def out_of_reach(self, name: str) -> bool:
        """Whether the same code gives another gradient in float64.

        Then float32 is too short or too coarse for this example, whatever the derivation is; a
        wrong derivation is wrong in both.
        """
        if self.precision is DOUBLE:
            return False
        ours, true = self.hand[name], self._wide_hand[name]
        if isinstance(ours, Unusable) or isinstance(true, Unusable):
            return isinstance(ours, Unusable) and ours.overflows and not isinstance(true, Unusable)
        return not compare(ours, true, SINGLE.widest * np.max(np.abs(true), initial=0.0)).agrees

    @cached_property
    def rounding(self) -> Rounding:
        """The rounding noise of the author's own code."""
        return rounding.of(self.cell, self.inputs, self.cotangents, self.precision)

    @cached_property
    def _wide_rounding(self) -> Rounding:
        """The same in float64, where the oracles are."""
        if self.wide is self.inputs and self.cell.finer is None:
            return self.rounding
        cotangents = [draw.widened(cotangent) for cotangent in self.cotangents]
        return rounding.of(self.wide_cell, self.wide, cotangents, DOUBLE)

    @cached_property
    def _twin_noise(self) -> tuple[list[Array], dict[str, Array]]:
        """The same of the twin and of autograd."""
        from gradcheck.oracles import autograd

        assert self.twin is not None
        runs = [
            autograd.disturbed(self.twin, self.cell, self.inputs, self.cotangents, seed)
            for seed in range(noise.SAMPLES)
        ]
        return (
            [noise.spread(column) for column in zip(*(values for values, _ in runs), strict=True)],
            {name: noise.spread([found[name] for _, found in runs]) for name in runs[0][1]},
        )

    def compared(self, name: str, reference: Reference) -> Comparison:
        """The derivation beside an oracle, with what rounding allows."""
        hand = self.hand[name]
        assert not isinstance(hand, Unusable)
        with_twin = reference.oracle == AUTOGRAD

        def noise() -> Noise:
            spread = reference.blurred(self.noise(name, with_twin))
            if not self.rounding.settled:
                spread = np.full_like(spread, np.inf)
            return spread, self.rounding.precision

        # Rounding of the many entries that make up one slope; nothing where entries are compared.
        summed = reference.blurred(OPERATIONS * self.precision.eps * np.abs(hand))
        own = reference.error + summed if reference.directions else reference.error
        return compare(reference.seen(hand), reference.value, own, noise, self.precision)

    def noise(self, name: str, with_twin: bool) -> Array:
        """The rounding noise of a gradient by hand, with that of autograd on top if asked."""
        spread = self.rounding.gradients[name]
        return spread + self._twin_noise[1][name] if with_twin else spread

    def outputs_compared(self) -> dict[str, Comparison]:
        """Each output of the forward beside the twin's."""
        found = {}
        for k, name in enumerate(self.cell.outputs):

            def noise(k: int = k) -> Noise:
                spread = self._twin_noise[0][k] + self.rounding.outputs[k]
                return spread, self.rounding.precision

            ours, theirs = self.outputs[k], self.twin_outputs[k]
            # Where both overflow there is nothing to compare, inf or nan; where one does, all.
            alike = ~np.isfinite(ours) & ~np.isfinite(theirs)
            ours, theirs = np.where(alike, 0.0, ours), np.where(alike, 0.0, theirs)
            found[name] = compare(ours, theirs, noise=noise, precision=self.precision)
        return found

    def _crash(self, what: str, error: Exception) -> Exception:
        if isinstance(error, CaseError):
            return error
        path = self.cell.source.path if self.cell.source else None
        return Crash(f"{what} fails with {load.sentence(error, path)}")


@lru_cache(maxsize=1024)
def _analytic(cell: Cell, name: str) -> bool:
    """Whether the complex step proves itself on ordinary numbers and different sizes.

    There differences are sharp, and a lost term (np.var conjugates, abs drops) is large.
    """
    for seed in range(2):
        sizes = tuple((size, 3 + k) for k, size in enumerate(cell.size_names))
        evidence = Evidence(cell, None, Example(sizes, seed))
        try:
            if not evidence.finite or evidence.numeric(name).oracle != complex_step.NAME:
                return False
        except (Crash, CaseError):
            return False
    return True


class Examiner:
    """A cell and its twin, with the evidence of every example so far."""

    def __init__(self, cell: Cell, twin: "Twin | None") -> None:
        self.cell, self.twin = cell, twin
        self._known: dict[Example, Evidence] = {}

    def evidence(self, example: Example) -> Evidence:
        if example not in self._known:
            self._known[example] = Evidence(self.cell, self.twin, example)
        return self._known[example]
