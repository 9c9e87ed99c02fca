"""The oracles that need the forward only, and which of them to believe."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.drawing.draw import EXTREME
from gradcheck.oracles import complex_step, finite_differences, kinks
from gradcheck.oracles.kinks import Kink
from gradcheck.oracles.loss import Loss
from gradcheck.oracles.reference import Reference
from gradcheck.running import monte_carlo
from gradcheck.running.compare import compare
from gradcheck.running.monte_carlo import Disturbance
from gradcheck.running.precision import DOUBLE
from gradcheck.running.rounding import Rounding
from gradcheck.running.run import NOT_A_FUNCTION, Crash, Run

MOST_ENTRIES = 1000  # of an argument that is gone through entry by entry


class Numeric:
    """What they say of a run in float64: differences of float32 say little.

    ``analytic`` tells whether the complex step has proved itself for an argument.
    """

    def __init__(self, run: Run, regime: str, analytic: Callable[[str], bool]) -> None:
        self._run, self._regime, self._analytic = run, regime, analytic
        self._best: dict[str, Reference] = {}
        self._confirmed: set[str] = set()
        self._kinks: dict[str, tuple[Kink, ...]] = {}

    def best(self, name: str) -> Reference:
        """The complex step where it is valid, otherwise finite differences."""
        if name not in self._best:
            exact = None
            if self._regime == "ordinary" or self._analytic(name):
                exact = self._complex_step(self._repeated, name)
            self._best[name] = exact or self.differences(name)
        return self._best[name]

    def confirmed(self, name: str) -> Reference:
        """The same for an accusation, which no numeric oracle makes at its first word.

        Differences try every step, so that a bend finer than the first is not passed over. Where
        they refute the complex step, they replace it; and its own rounding is measured, because
        1 - p of a saturated p has lost its digits in the forward already.
        """
        first = self.best(name)
        if name in self._confirmed:
            return first
        self._confirmed.add(name)
        differences = self.differences(name, every=True)
        if (
            first.oracle != complex_step.NAME
            or not compare(first.value, differences.value, differences.error + first.error).agrees
        ):
            self._best[name] = differences
        else:
            own = DOUBLE.deviations * self._complex_noise(name)
            self._best[name] = replace(first, error=first.error + own)
        return self._best[name]

    def analytic_here(self, name: str) -> bool:
        """Whether the complex step proves itself at this point, as far as one direction tells."""
        return complex_step.valid(self._repeated, name)

    @cached_property
    def sided(self) -> frozenset[str]:
        """The arguments in which a kink is looked for on either side."""
        if self._regime in EXTREME:  # there a smooth bend may look like a kink
            return frozenset()
        names = [argument.name for argument in self._run.cell.arguments]
        return frozenset(name for name in names if not self._is_large(name))

    def differences(self, name: str, *, every: bool = False) -> Reference:
        """Finite differences, whether or not the complex step is valid; by ``every`` step or until
        one is good.
        """
        if self._is_large(name):
            return finite_differences.probed(self._blurred, name)
        return finite_differences.gradient(self._blurred, name, every=every)

    def kinks(self, name: str) -> tuple[Kink, ...]:
        """Where the forward has two slopes in an argument, at these very inputs."""
        if name not in self._kinks:
            self._kinks[name] = kinks.kinks(self._loss, name) if name in self.sided else ()
        return self._kinks[name]

    @cached_property
    def _loss(self) -> Loss:
        return Loss.at(self._run.forward, self._run.inputs, self._run.cotangents)

    @cached_property
    def _repeated(self) -> Loss:
        """The same of a forward that gives twice what it gave once."""
        run = self._run
        for name, one, other in zip(run.cell.outputs, run.outputs, self._loss.plain, strict=True):
            if not complex_step.same(one, other):
                raise Crash(f"Two calls of the forward differ in {name}.\n{NOT_A_FUNCTION}")
        return self._loss

    @cached_property
    def _blurred(self) -> Loss:
        return self.blurred(self._run.rounding)

    def blurred(self, rounding: Rounding) -> Loss:
        """The loss with how far rounding moves it, for the oracle that subtracts."""
        cotangents, limits = self._run.cotangents, rounding.precision
        spreads = zip(cotangents, rounding.outputs, strict=True)
        blurs = tuple(limits.deviations * (np.abs(d) * spread) for d, spread in spreads)
        return replace(self._loss, eps=limits.eps, blurs=blurs)

    def _complex_step(self, loss: Loss, name: str) -> Reference | None:
        ask = complex_step.probed if self._is_large(name) else complex_step.gradient
        return ask(loss, name)

    def _complex_noise(self, name: str) -> Array:
        """The rounding noise of the complex step: its spread over disturbed forwards."""
        values = []
        for seed in range(monte_carlo.SAMPLES):
            source = Disturbance(np.random.default_rng(seed))

            def forward(
                inputs: Mapping[str, Any], source: Disturbance = source
            ) -> tuple[Array, ...]:
                moved = {k: monte_carlo.disturb(v, source) for k, v in inputs.items()}
                with monte_carlo.kept(source):
                    outputs = self._run.point.forward(moved)
                return tuple(np.asarray(monte_carlo.plain(out)) for out in outputs)

            found = self._complex_step(replace(self._repeated, forward=forward), name)
            if found is None:
                return np.full_like(self._best[name].value, np.inf)
            values.append(found.value)
        return monte_carlo.spread(values)

    def _is_large(self, name: str) -> bool:
        """Whether asking for every entry would take too long."""
        return int(np.size(self._run.inputs[name])) > MOST_ENTRIES
