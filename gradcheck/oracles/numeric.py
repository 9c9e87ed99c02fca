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
from gradcheck.oracles.reference import Reference
from gradcheck.running import monte_carlo
from gradcheck.running.compare import compare
from gradcheck.running.monte_carlo import Disturbance
from gradcheck.running.precision import DOUBLE
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
                exact = self._complex_step(self._run.forward, name)
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

    def differences(self, name: str, *, every: bool = False) -> Reference:
        """Finite differences, whether or not the complex step is valid; by ``every`` step or until
        one is good.
        """
        run = self._run
        given = run.forward, run.inputs, run.cotangents, name
        blurs = [np.abs(d) * s for d, s in zip(run.cotangents, run.rounding.outputs, strict=True)]
        precision = run.rounding.precision
        if self._is_large(name):
            # The cotangents are random, so that the errors of many outputs do not add up.
            spread = float(np.sqrt(sum(np.sum(blur**2) for blur in blurs)))
            return finite_differences.probed(*given, precision.deviations * spread, precision.eps)
        spread = sum(float(np.sum(blur)) for blur in blurs)
        return finite_differences.gradient(
            *given, precision.deviations * spread, precision.eps, every=every
        )

    def kinks(self, name: str) -> tuple[Kink, ...]:
        """Where the forward has two slopes in an argument, at these very inputs."""
        if name not in self._kinks:
            # There a smooth bend may look like a kink.
            run, looked_for = (
                self._run,
                self._regime not in EXTREME and not self._is_large(name),
            )
            at = kinks.kinks if looked_for else lambda *_: ()
            self._kinks[name] = at(run.forward, run.inputs, run.cotangents, name)
        return self._kinks[name]

    @cached_property
    def _outputs(self) -> tuple[Array, ...]:
        """The forward once more."""
        run, outputs = self._run, self._run.forward(self._run.inputs)
        for name, one, other in zip(run.cell.outputs, run.outputs, outputs, strict=True):
            if not complex_step.same(one, other):
                raise Crash(f"Two calls of the forward differ in {name}.\n{NOT_A_FUNCTION}")
        return outputs

    def _complex_step(self, forward: finite_differences.Forward, name: str) -> Reference | None:
        ask = complex_step.probed if self._is_large(name) else complex_step.gradient
        return ask(forward, self._run.inputs, self._outputs, self._run.cotangents, name)

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

            found = self._complex_step(forward, name)
            if found is None:
                return np.full_like(self._best[name].value, np.inf)
            values.append(found.value)
        return monte_carlo.spread(values)

    def _is_large(self, name: str) -> bool:
        """Whether asking for every entry would take too long."""
        return int(np.size(self._run.inputs[name])) > MOST_ENTRIES
