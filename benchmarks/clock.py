"""How long a check takes, gradcheck's and the other checkers' by turns in one process.

Seconds are of CPU: what other processes do meanwhile is no part of them. pyperf, which times the
commands, runs one thing after the other; a ratio holds on a busy machine only if both its sides
are measured by turns.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from statistics import median

from benchmarks.draws import Draw
from benchmarks.faults import RIGHT, cell, step, twin
from benchmarks.measure import OWN, Size, evidence, kind
from benchmarks.peers import PEERS, OverTime, Peer, clear, within
from gradcheck.cells.cell import Cell
from gradcheck.checking.check import Check, checks
from gradcheck.checking.explore import DEFAULT
from gradcheck.drawing import draw
from gradcheck.drawing.draw import Example
from gradcheck.evidence import Evidence
from gradcheck.oracles import autograd
from gradcheck.oracles.autograd import Twin

FLOOR = "floor"
CLOSELY, LAWS, DRAWING = "closely", "laws", "drawing"  # beside OWN

# Prepares one round, and gives what is timed.
Ready = Callable[[], Callable[[], object]]


@dataclass(frozen=True)
class Subject:
    """A right cell with its twin, and the evidence on one example of it, anew at each call."""

    cell: Cell
    twin: Twin
    checks: tuple[Check, ...]
    evidence: Callable[[], Evidence]

    @classmethod
    def lstm(cls, size: Size, *, closely: bool = False) -> "Subject":
        """The step that the peers are given as well, at usual inputs."""
        made, drawn = cell(RIGHT), Draw(size, 0)
        found = tuple(checks(made, twin()))
        return cls(made, twin(), found, partial(evidence, found[0], drawn, closely=closely))

    @classmethod
    def of(cls, made: Cell, its_twin: Twin, sizes: Mapping[str, int]) -> "Subject":
        """Any cell, on ordinary numbers; matrices W over the root of their fan-in, rows first."""
        found = tuple(checks(made, its_twin))
        example = Example(tuple((name, sizes[name]) for name in made.size_names), 0)
        given = draw.inputs(made, example)
        usual = {n: a / len(a) ** 0.5 if n.startswith("W") else a for n, a in given.items()}
        return cls(made, its_twin, found, lambda: Evidence(found[0].examiner, example, usual))

    def floor(self) -> Ready:
        """What no check can do without: the case once forward and backward, its twin once forward
        and backward, and two more forwards.
        """
        facts = self.evidence()
        given, d = facts.inputs, facts.cotangents

        def body() -> None:
            self.cell.run(given)[1](d)
            autograd.run(self.twin, self.cell, given, lambda _: d)
            self.cell.run(given)
            self.cell.run(given)

        return lambda: body

    def example(self) -> Ready:
        """A passing example: every gradient and output of one step by both oracles."""
        asked = self._of_kinds("autograd", "fd")

        def prepared() -> Callable[[], object]:
            facts = self.evidence()
            return lambda: [check.judge(facts) for check in asked]

        return prepared

    def laws(self) -> Ready:
        """The laws on an example that both oracles have judged, as it is in a run."""
        before, asked = self._of_kinds("autograd", "fd"), self._of_kinds("law")

        def prepared() -> Callable[[], object]:
            facts = self.evidence()
            for check in before:
                check.judge(facts)
            return lambda: [check.judge(facts) for check in asked]

        return prepared

    def drawing(self) -> Ready:
        """Inputs and cotangents."""
        facts = self.evidence()

        def body() -> None:
            draw.inputs(facts.cell, facts.example)
            draw.cotangents(facts.outputs, facts.example)

        return lambda: body

    def _of_kinds(self, *wanted: str) -> list[Check]:
        # law[fresh] runs once for a cell, in another process.
        return [c for c in self.checks if kind(c) in wanted and c.oracle != "fresh"]


@cache
def laws_share() -> float:
    """How many examples a law meets in the default run, of each that a gradient meets."""
    every = list(checks(cell(RIGHT), twin()))
    gradient, law = (next(c for c in every if kind(c) == wanted) for wanted in ("fd", "law"))
    return DEFAULT.examples(law) / DEFAULT.examples(gradient)


def times(
    size: Size, rounds: int, cap: float, skip: frozenset[str] = frozenset()
) -> dict[str, float]:
    """Median seconds of CPU of a check of right code by each checker, side by side, and of the
    floor; nan for what takes longer than ``cap``, or is in ``skip`` as it did at a smaller size.
    """
    subject, close = Subject.lstm(size), Subject.lstm(size, closely=True)
    right, drawn = step(RIGHT), Draw(size, 0)

    def other(one: Peer) -> Ready:
        def prepared() -> Callable[[], object]:
            clear()
            return lambda: one.judge(right, drawn)

        return prepared

    ready = {FLOOR: subject.floor(), OWN: subject.example(), CLOSELY: close.example()}
    ready |= {LAWS: subject.laws(), DRAWING: subject.drawing()}
    ready |= {one.name: other(one) for one in PEERS if one.installed and one.name not in skip}
    return medians(ready, rounds, cap) | dict.fromkeys(skip, math.nan)


def medians(ready: Mapping[str, Ready], rounds: int, cap: float = math.inf) -> dict[str, float]:
    """Median seconds of CPU of each, after a round that warms up; nan for what is over time."""
    taken: dict[str, list[float]] = {name: [] for name in ready}
    for turn in range(rounds + 1):
        for name, prepared in ready.items():
            kept = taken[name]
            if kept and (math.isnan(kept[-1]) or (kept[-1] > 2 and turn > 1)):
                continue  # over time; or so long that one round must do
            kept.append(_seconds(prepared(), cap))
    warm = {name: kept[1:] or kept for name, kept in taken.items()}
    return {n: math.nan if any(map(math.isnan, k)) else median(k) for n, k in warm.items()}


def _seconds(body: Callable[[], object], cap: float) -> float:
    begun = time.process_time()
    try:
        if math.isinf(cap):
            body()
        else:
            with within(cap):
                body()
    except OverTime:
        return math.nan
    return time.process_time() - begun
