"""Put a check to the test on many examples, and shrink the first that fails."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

import hypothesis
from hypothesis.errors import Unsatisfiable

from gradcheck.cells.cell import Cell
from gradcheck.checking.check import Check
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
    are drawn of each instead of as many as the profile says.
    """

    profile: str = "default"
    seed: int | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    most: int | None = None
    shrink: bool = True

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
        self, cell: Cell, body: Callable[[Example], None], *phases: hypothesis.Phase
    ) -> Callable[[], None]:
        """``body`` on each of the examples, as Hypothesis runs it."""

        @hypothesis.seed(self.seed)
        @hypothesis.settings(
            max_examples=self.most,
            database=None,
            deadline=None,
            derandomize=False,  # the seed above decides
            phases=phases,
            report_multiple_bugs=False,
            print_blob=False,
            verbosity=hypothesis.Verbosity.quiet,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
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
    for turn in range(_TURNS):
        draws = Draws.of(check, plan, turn)
        drawn = check.examiner.fact(draws)
        for example in drawn[:: max(1, len(drawn) // wanted)]:
            finding = check.judge(check.examiner.evidence(example))
            record.tally.add(finding)
            if isinstance(finding, Wrong):
                found = example, finding
                record.failure = _shrunk(check, draws, found) if plan.shrink else found
                return record
            if record.tally.examples == wanted:
                return record
        if len(drawn) < draws.most:  # the shapes give no more
            break
    if not record.tally.examples:
        raise CaseError(f"Every example of {check.label} meets a kink that is declared.")
    return record


def _shrunk(check: Check, draws: Draws, found: tuple[Example, Wrong]) -> tuple[Example, Wrong]:
    """The smallest example that fails, from the first that did."""
    smallest = found

    def body(drawn: Example) -> None:
        nonlocal smallest
        example = replace(drawn, closely=found[0].closely)
        finding = check.judge(check.examiner.evidence(example))
        if isinstance(finding, Wrong):
            smallest = example, finding
            raise Found(str(example))

    phases = hypothesis.Phase.generate, hypothesis.Phase.shrink
    with suppress(Found):
        draws.hypothesis_test(check.cell, body, *phases)()
    return smallest
