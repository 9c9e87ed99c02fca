"""Put a check to the test on many examples, and shrink the first that fails."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

import hypothesis
from hypothesis.errors import Unsatisfiable

from gradcheck.cells.cell import Cell
from gradcheck.checking.check import Check
from gradcheck.checking.remembered import Remembered
from gradcheck.checking.smaller import smaller
from gradcheck.checking.tally import Record
from gradcheck.drawing.draw import Example
from gradcheck.drawing.strategies import LARGEST, PROFILES, count, examples
from gradcheck.errors import CaseError
from gradcheck.evidence import Examiner
from gradcheck.finding import Wrong


@dataclass(frozen=True)
class Plan:
    """How checks are searched.

    The seed is the same for all, so that the checks of one cell meet the same examples and share
    what is known about them; None is the derandomised run. ``sizes`` are held, ``most`` examples
    are drawn of each instead of as many as the profile says. What is ``remembered`` of a check is
    tried first; in ``found`` what fails is kept.
    """

    profile: str = "default"
    seed: int | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    most: int | None = None
    shrink: bool = True
    remembered: Remembered | None = None
    found: Remembered | None = None

    def examples(self, check: Check) -> int:
        return self.most or count(self.profile, law=check.subject == "law")


DEFAULT = Plan()

# One example in so many goes through every entry: one that is 1e13 times smaller than the norm of
# its tensor may be wrong by all of itself, and no direction shows it.
_CLOSELY = 10
_TURNS = 4
_TURN = 2**32  # far from any seed that a person gives


class Found(Exception):
    """An example fails the check; Hypothesis shrinks it."""


@dataclass(frozen=True)
class Draws:
    """The examples that the checks of a cell meet, drawn once for all of them.

    One Hypothesis run, which judges nothing: ``seed`` and the shapes decide what it draws.
    """

    time: str | None
    most: int
    seed: int
    sizes: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, check: Check, plan: Plan, turn: int) -> "Draws":
        """What a plan draws for a check; each ``turn`` draws anew."""
        most = plan.most or PROFILES[plan.profile]
        return cls(check.time, most, (plan.seed or 0) + turn * _TURN, tuple(plan.sizes.items()))

    def __call__(self, examiner: Examiner) -> tuple[Example, ...]:
        """The examples. Raises CaseError if there are none to be had."""
        drawn: list[Example] = []
        try:
            self.hypothesis_test(examiner.cell, drawn.append, hypothesis.Phase.generate)()
        except Unsatisfiable:
            raise CaseError(f"No sizes from 1 to {LARGEST} fit the shapes of this cell.") from None
        return tuple(replace(e, closely=k % _CLOSELY == 0) for k, e in enumerate(drawn, 1))

    def hypothesis_test(
        self,
        cell: Cell,
        body: Callable[[Example], None],
        *phases: hypothesis.Phase,
        database: Remembered | None = None,
    ) -> Callable[[], None]:
        """``body`` on each of the examples, as Hypothesis runs it."""

        @hypothesis.settings(
            max_examples=self.most,
            database=database,
            deadline=None,
            derandomize=False,  # the seed above decides
            phases=phases,
            report_multiple_bugs=False,
            print_blob=False,
            verbosity=hypothesis.Verbosity.quiet,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.seed(self.seed)  # below the settings: it would take the database away
        @hypothesis.given(example=examples(cell, self.time, dict(self.sizes)))
        def test(example: Example) -> None:
            body(example)

        return test


def search(check: Check, plan: Plan = DEFAULT) -> Record:
    """Run the check on all examples of a plan, and shrink the first that fails.

    What meets a declared kink is not counted, and made up for by examples of another turn.
    Raises CaseError if there are no examples to be had.
    """
    record, wanted = Record(check), plan.examples(check)
    if known := _remembered(check, plan):
        record.tally.add(known[1])
        record.failure = smaller(check, known, plan.sizes)
        return record
    for turn in range(_TURNS):
        draws = Draws.of(check, plan, turn)
        drawn = check.examiner.fact(draws)
        for example in drawn[:: max(1, len(drawn) // wanted)]:
            finding = check.judge(check.examiner.evidence(example))
            record.tally.add(finding)
            if isinstance(finding, Wrong):
                found = example, finding
                if plan.shrink:
                    found = smaller(check, _shrunk(check, draws, found, plan), plan.sizes)
                record.failure = found
                return record
            if record.tally.examples == wanted:
                return record
        if len(drawn) < draws.most:  # the shapes give no more
            break
    if not record.tally.examples:
        raise CaseError(f"Every example of {check.label} meets a kink that is declared.")
    return record


def _remembered(check: Check, plan: Plan) -> tuple[Example, Wrong] | None:
    """The smallest example of those that failed before and still do; the others are forgotten."""
    if plan.remembered is None or not plan.remembered.examples:
        return None
    phases = hypothesis.Phase.reuse, hypothesis.Phase.shrink
    with suppress(Unsatisfiable):  # of the shapes of another day
        return _smallest(check, Draws.of(check, plan, 0), True, *phases, database=plan.remembered)
    return None


def _shrunk(
    check: Check, draws: Draws, found: tuple[Example, Wrong], plan: Plan
) -> tuple[Example, Wrong]:
    """The smallest example that fails, from the first that did."""
    phases = hypothesis.Phase.generate, hypothesis.Phase.shrink
    return _smallest(check, draws, found[0].closely, *phases, database=plan.found) or found


def _smallest(
    check: Check,
    draws: Draws,
    closely: bool,
    *phases: hypothesis.Phase,
    database: Remembered | None,
) -> tuple[Example, Wrong] | None:
    """The smallest example that Hypothesis finds to fail, if there is one."""
    smallest = None

    def body(drawn: Example) -> None:
        nonlocal smallest
        example = replace(drawn, closely=closely)
        finding = check.judge(check.examiner.evidence(example))
        if isinstance(finding, Wrong):
            smallest = example, finding
            raise Found(str(example))

    with suppress(Found):
        draws.hypothesis_test(check.cell, body, *phases, database=database)()
    return smallest
