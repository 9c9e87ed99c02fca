"""Put a check to the test on many examples, and shrink the first that fails."""

from collections.abc import Callable
from dataclasses import dataclass, field

import hypothesis
from hypothesis.errors import Unsatisfiable

from gradcheck.checking.check import Check, Outcome, Tally
from gradcheck.drawing.draw import Example
from gradcheck.drawing.strategies import count, examples
from gradcheck.errors import CaseError


@dataclass
class Record:
    """What a search has found so far; ``failure`` is the last example that failed."""

    tally: Tally = field(default_factory=Tally)
    failure: tuple[Example, Outcome] | None = None


class Found(Exception):
    """An example fails the check; Hypothesis shrinks it."""


def search(check: Check, profile: str = "default", *, shrink: bool = True) -> Record:
    """Run the check on all examples of a profile, derandomised."""
    record = Record()
    run_search(hypothesis_test(check, record, profile, seed=None, shrink=shrink))
    return record


def run_search(test: Callable[[], None]) -> bool:
    """Run a test made by ``hypothesis_test``; whether it found a failure.

    Raises CaseError if there are no examples to be had.
    """
    try:
        test()
    except Found:
        return True
    except Unsatisfiable:
        raise CaseError("No sizes from 1 to 5 fit the shapes of this cell.") from None
    return False


def hypothesis_test(
    check: Check, record: Record, profile: str, seed: int | None, *, shrink: bool = True
) -> Callable[[], None]:
    """The check as a Hypothesis test that notes in ``record`` what it finds.

    The seed is the same for all checks, so that the checks of one cell meet the same examples
    and share what is known about them. None is the derandomised run.
    """
    generate, minimise = hypothesis.Phase.generate, hypothesis.Phase.shrink

    @hypothesis.seed(0 if seed is None else seed)
    @hypothesis.settings(
        max_examples=count(profile, law=check.subject == "law"),
        database=None,
        deadline=None,
        derandomize=False,  # the seed above decides
        phases=[generate, minimise] if shrink else [generate],
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=hypothesis.Verbosity.quiet,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(example=examples(check.examiner.cell, check.time))
    def test(example: Example) -> None:
        outcome = check.judge(check.examiner.evidence(example))
        record.tally.add(outcome)
        hypothesis.assume(not outcome.at_kink)
        if outcome.fault is not None:
            record.failure = example, outcome
            raise Found(str(example))

    return test
