"""Put a check to the test on many examples, and shrink the first that fails."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import hypothesis
from hypothesis.errors import Unsatisfiable

from gradcheck.checking.check import Check
from gradcheck.checking.tally import Record
from gradcheck.drawing.draw import Example
from gradcheck.drawing.strategies import LARGEST, count, examples
from gradcheck.errors import CaseError
from gradcheck.finding import Reason, Unjudged, Wrong


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


class Found(Exception):
    """An example fails the check; Hypothesis shrinks it."""


def search(check: Check, plan: Plan = DEFAULT) -> Record:
    """Run the check on all examples of a plan. Raises CaseError if there are none to be had."""
    record = Record(check)
    run(hypothesis_test(record, plan))
    return record


def run(test: Callable[[], None]) -> None:
    """Run a test made by ``hypothesis_test``; its record then knows what was found.

    Raises CaseError if there are no examples to be had.
    """
    try:
        test()
    except Found:
        pass
    except Unsatisfiable:
        raise CaseError(f"No sizes from 1 to {LARGEST} fit the shapes of this cell.") from None


def hypothesis_test(record: Record, plan: Plan) -> Callable[[], None]:
    """The record's check as a Hypothesis test that notes in the record what it finds."""
    check = record.check
    generate, minimise = hypothesis.Phase.generate, hypothesis.Phase.shrink

    @hypothesis.seed(plan.seed or 0)
    @hypothesis.settings(
        max_examples=plan.examples(check),
        database=None,
        deadline=None,
        derandomize=False,  # the seed above decides
        phases=[generate, minimise] if plan.shrink else [generate],
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=hypothesis.Verbosity.quiet,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(example=examples(check.cell, check.time, plan.sizes))
    def test(example: Example) -> None:
        finding = check.judge(check.examiner.evidence(example))
        record.tally.add(finding)
        hypothesis.assume(finding != Unjudged(Reason.KINK))
        if isinstance(finding, Wrong):
            record.failure = example, finding
            raise Found(str(example))

    return test
