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
_MOST = 2**20  # examples of one seed


class Found(Exception):
    """An example fails the check; Hypothesis shrinks it."""


@dataclass(frozen=True)
class Draws:
    """The examples that the checks of a cell meet, drawn once for all of them.

    Each by a Hypothesis run of its own, which judges nothing: within one run most examples are
    mutations of those before, and of a hundred seeds thirty were different. ``seed`` and the
    shapes decide what is drawn.
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
        """The examples, the simplest first. Raises CaseError if there are none to be had."""
        drawn: list[Example] = []
        try:
            for k in range(self.most):
                found: list[Example] = []
                self.run(examiner.cell, k, found.append, hypothesis.Phase.generate)
                drawn.append(found[-1 if k else 0])
        except Unsatisfiable:
            raise CaseError(f"No sizes from 1 to {LARGEST} fit the shapes of this cell.") from None
        return tuple(replace(e, closely=k % _CLOSELY == 0) for k, e in enumerate(drawn, 1))

    def run(
        self, cell: Cell, k: int, body: Callable[[Example], None], *phases: hypothesis.Phase
    ) -> None:
        """``body`` on the simplest example and on another, as Hypothesis runs it."""

        @hypothesis.seed(self.seed * _MOST + k)
        @hypothesis.settings(
            max_examples=2,
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

        test()


def search(check: Check, plan: Plan = DEFAULT) -> Record:
    """Run the check on all examples of a plan, and shrink the first that fails.

    What meets a declared kink is not counted, and made up for by examples of another turn.
    Raises CaseError if there are no examples to be had.
    """
    record, wanted = Record(check), plan.examples(check)
    for turn in range(_TURNS):
        draws = Draws.of(check, plan, turn)
        drawn = check.examiner.fact(draws)
        for k in range(0, len(drawn), max(1, len(drawn) // wanted)):
            example = drawn[k]
            finding = check.judge(check.examiner.evidence(example))
            record.tally.add(finding)
            if isinstance(finding, Wrong):
                found = example, finding
                record.failure = _shrunk(check, draws, k, found) if plan.shrink else found
                return record
            if record.tally.examples == wanted:
                return record
    if not record.tally.examples:
        raise CaseError(f"Every example of {check.label} meets a kink that is declared.")
    return record


def _shrunk(
    check: Check, draws: Draws, k: int, found: tuple[Example, Wrong]
) -> tuple[Example, Wrong]:
    """The smallest example that fails, from the ``k``-th, the first that did."""
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
        draws.run(check.cell, k, body, *phases)
    return smallest
