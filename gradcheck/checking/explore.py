"""Put a check to the test on many examples, and shrink the first that fails."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

import hypothesis
from hypothesis.errors import Unsatisfiable

from gradcheck.cells.cell import Cell
from gradcheck.checking.check import Check
from gradcheck.checking.remembered import Remembered
from gradcheck.checking.smaller import smaller
from gradcheck.checking.tally import Record
from gradcheck.drawing import draw
from gradcheck.drawing.draw import EXTREME, REGIMES, Example
from gradcheck.drawing.strategies import LARGEST, PROFILES, examples
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

    def most_of(self, cell: Cell) -> int:
        """How many examples are drawn for a cell: as many as the profile says, and fewer where
        sizes are held that make its arguments large.
        """
        every = PROFILES[self.profile]
        return self.most or max(_FEWEST, min(every, _ENTRIES // self.entries(cell)))

    def entries(self, cell: Cell) -> int:
        """How many numbers an example has at most."""
        sizes = {name: self.sizes.get(name, LARGEST) for name in cell.size_names}
        return max(1, draw.entries(cell, sizes))

    def examples(self, check: Check) -> int:
        """How many of them a check meets: a law a quarter, since it breaks nearly everywhere."""
        every = self.most_of(check.cell)
        return max(1, every // 4) if check.subject == "law" and not self.most else every


DEFAULT = Plan()

# One example in so many goes through every entry: one that is 1e13 times smaller than the norm of
# its tensor may be wrong by all of itself, and no direction shows it.
_CLOSELY = 10
_ENTRIES_CLOSELY = 2000
_TURNS = 4
_ENTRIES = 10**7  # of all arguments, over all examples of a cell
_FEWEST = 3
_LARGE = 10**5
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
    large: bool = False

    @classmethod
    def of(cls, check: Check, plan: Plan, turn: int) -> "Draws":
        """What a plan draws for a check; each ``turn`` draws anew."""
        most = plan.most_of(check.cell)
        seed, sizes = (plan.seed or 0) + turn * _TURN, tuple(plan.sizes.items())
        return cls(check.time, most, seed, sizes, plan.entries(check.cell) > _LARGE)

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
        return tuple(drawn if self.large else self._some_closely(examiner.cell, drawn))

    def _some_closely(self, cell: Cell, drawn: Sequence[Example]) -> Iterator[Example]:
        """Every tenth example is to go through every entry, as long as all that do have not too
        many entries together; three at least.
        """
        some = entries = 0
        for k, example in enumerate(drawn, 1):
            closely = k % _CLOSELY == 0 and (some < _FEWEST or entries < _ENTRIES_CLOSELY)
            if closely:
                some, entries = some + 1, entries + draw.entries(cell, dict(example.sizes))
            yield replace(example, closely=closely)

    def run(
        self,
        cell: Cell,
        k: int,
        body: Callable[[Example], None],
        *phases: hypothesis.Phase,
        database: Remembered | None = None,
    ) -> None:
        """``body`` on the simplest example and on another, as Hypothesis runs it."""
        # Of large extreme numbers little but rounding would be left, and seen slowly.
        regimes = [one for one in REGIMES if not (self.large and one in EXTREME)]
        strategy = examples(cell, self.time, dict(self.sizes), regimes)

        @hypothesis.settings(
            max_examples=2,
            database=database,
            deadline=None,
            derandomize=False,  # the seed above decides
            phases=phases,
            report_multiple_bugs=False,
            print_blob=False,
            verbosity=hypothesis.Verbosity.quiet,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.seed(self.seed * _MOST + k)  # above the settings it would drop the database
        @hypothesis.given(example=strategy)
        def test(example: Example) -> None:
            body(example)

        test()


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
        for k in range(0, len(drawn), max(1, len(drawn) // wanted)):
            example = drawn[k]
            finding = check.judge(check.examiner.evidence(example))
            record.tally.add(finding)
            if isinstance(finding, Wrong):
                found = example, finding
                if plan.shrink:
                    found = smaller(check, _shrunk(check, draws, k, found, plan), plan.sizes)
                record.failure = found
                return record
            if record.tally.examples == wanted:
                return record
    if not record.tally.examples:
        raise CaseError(f"Every example of {check.label} meets a kink that is declared.")
    return record


def _remembered(check: Check, plan: Plan) -> tuple[Example, Wrong] | None:
    """The smallest example of those that failed before and still do; the others are forgotten."""
    if plan.remembered is None or not plan.remembered.examples:
        return None
    run = partial(Draws.of(check, plan, 0).run, check.cell, 0, database=plan.remembered)
    with suppress(Unsatisfiable):  # of the shapes of another day
        return _smallest(check, True, run, hypothesis.Phase.reuse)
    return None


def _shrunk(
    check: Check, draws: Draws, k: int, found: tuple[Example, Wrong], plan: Plan
) -> tuple[Example, Wrong]:
    """The smallest example that fails, from the ``k``-th, the first that did."""
    run = partial(draws.run, check.cell, k, database=plan.found)
    return _smallest(check, found[0].closely, run, hypothesis.Phase.generate) or found


def _smallest(
    check: Check, closely: bool, run: Callable[..., None], phase: hypothesis.Phase
) -> tuple[Example, Wrong] | None:
    """The smallest example that fails of what Hypothesis has in a phase, if there is one."""
    smallest = None

    def body(drawn: Example) -> None:
        nonlocal smallest
        example = replace(drawn, closely=closely)
        finding = check.judge(check.examiner.evidence(example))
        if isinstance(finding, Wrong):
            smallest = example, finding
            raise Found(str(example))

    with suppress(Found):
        run(body, phase, hypothesis.Phase.shrink)
    return smallest
