"""Carry out a request: give its units to a crew, note each outcome, and merge them all."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis.database import ExampleDatabase

from gradcheck.cells.cell import Cell
from gradcheck.checking.check import Check, checks
from gradcheck.checking.remembered import Remembered
from gradcheck.checking.result import Result
from gradcheck.checking.tally import Tally
from gradcheck.errors import shown_path
from gradcheck.exploring.crew import Crew, stream
from gradcheck.exploring.journal import Journal
from gradcheck.exploring.request import Cells
from gradcheck.exploring.unit import Count, Failure, Outcome, Unit, merged
from gradcheck.finding import Reason
from gradcheck.mutation.mutate import quiet
from gradcheck.oracles import twins
from gradcheck.show.sentences import sentence
from gradcheck.source import cases
from gradcheck.source.cases import Malformed


@dataclass(frozen=True)
class Fault:
    """A check that fails: on the smallest example of all units, and in how many of them.

    ``unit`` drew that example; ``units`` are all that put the check to the test.
    """

    unit: Unit
    label: str
    failure: Failure
    failing: int
    units: int


@dataclass(frozen=True)
class Exploration:
    """What a run found: a result for each node, the faults, and what could not be judged."""

    results: tuple[Result, ...]
    faults: tuple[Fault, ...]
    errors: tuple[Outcome, ...]
    malformed: tuple[Malformed, ...]
    units: int
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether there were checks, all were made, and all passed."""
        return bool(self.results) and not (self.faults or self.errors or self.malformed)


Tell = Callable[[Outcome], None]


def explore(
    journal: Journal,
    meant: Cells,
    crew: Crew,
    tell: Tell = lambda outcome: None,
    database: ExampleDatabase | None = None,
) -> Exploration:
    """Do what a journal has not yet of what it asks for, and say what all of it found.

    ``tell`` is told each outcome, those of the journal first; what fails is added to Hypothesis'
    ``database``, where pytest looks first. Raises CaseError if the crew is no more; the journal
    then has all that was done, as it has after an interrupt.
    """
    request = journal.request
    known = known_outcomes(journal, meant)
    done = {one.unit.id: one for one in known}
    for one in known:
        tell(one)
    begun = time.monotonic() - journal.seconds

    def closing() -> bool:
        return request.hours is not None and time.monotonic() - begun > request.hours * 3600

    left = (unit for unit in meant.blocks(request.examples) if unit.id not in done)
    errors = []
    with journal.open() as pen:
        for outcome in stream(crew, left, closing):
            if outcome.error:  # tried again, should the run go on another day
                errors.append(outcome)
            else:
                pen.note(outcome, time.monotonic() - begun)
                if database is not None:
                    remember(outcome, database)
                done[outcome.unit.id] = outcome
            tell(outcome)
    results, faults = _merged(done.values())
    seconds = time.monotonic() - begun
    return Exploration(
        results, faults, tuple(errors), meant.malformed, len(done) + len(errors), seconds
    )


def known_outcomes(journal: Journal, meant: Cells) -> tuple[Outcome, ...]:
    """What a journal has of the cells as they are now, each unit once."""
    current = {(unit.file, unit.cell, unit.digest) for unit in meant.units}
    by_id = {
        one.unit.id: one
        for one in journal.outcomes
        if (one.unit.file, one.unit.cell, one.unit.digest) in current
    }
    return tuple(by_id.values())


def remember(outcome: Outcome, database: ExampleDatabase) -> None:
    """Add the examples that fail, each under the name of its node."""
    for count in outcome.counts:
        if count.failure:
            node = outcome.unit.node(count.result.label)
            remembered = Remembered(database, node, dict(outcome.unit.sizes))
            for choices in count.failure.choices:
                remembered.add(choices)


def _merged(outcomes: Iterable[Outcome]) -> tuple[tuple[Result, ...], tuple[Fault, ...]]:
    """A result for each node, and the faults, in the order of the files."""
    by_node: dict[tuple[str, str, str], list[tuple[Unit, Count]]] = {}
    for outcome in sorted(outcomes, key=lambda one: (one.unit.file, one.unit.cell, one.unit.seed)):
        for count in outcome.counts:
            key = outcome.unit.file, outcome.unit.cell, count.result.label
            by_node.setdefault(key, []).append((outcome.unit, count))
    results, faults = [], []
    for (file, _, _), found in by_node.items():
        count = merged(one for _, one in found)
        fault = _fault(found) or _complaint(found[0][0], count, len(found))
        results.append(replace(count.result, file=shown_path(Path(file)), passed=fault is None))
        faults += [fault] if fault else []
    return tuple(results), tuple(faults)


def _fault(found: list[tuple[Unit, Count]]) -> Fault | None:
    """The smallest example of a node that fails."""
    failing = [(unit, count.result.label, count.failure) for unit, count in found if count.failure]
    if not failing:
        return None
    unit, label, failure = min(failing, key=lambda one: (one[2].extent, one[0].seed))
    return Fault(unit, label, failure, len(failing), len(found))


def _complaint(unit: Unit, count: Count, units: int) -> Fault | None:
    """Why a node must not pass although no example failed: its tally's word, on all of them."""
    if not count.complains:
        return None
    made = count.result
    unjudged = Counter({Reason(name): number for name, number in made.unjudged.items()})
    tally = Tally(made.examples, unjudged, count.nonzero)
    with quiet():
        wrong = tally.complaint(_check(unit, made.label))
    return Fault(unit, made.label, Failure(sentence(wrong)), units, units) if wrong else None


def _check(unit: Unit, label: str) -> Check:
    path = Path(unit.file)
    (cell,) = cases.chosen(path, unit.cell)
    assert isinstance(cell, Cell)  # or no unit of it would have found anything
    twin = twins.find(cell, unit.twin)
    return next(one for one in checks(cell, twin) if one.label == label)
