"""Fresh draws of a wrong gradient, with sizes from 2 up that are all different.

The shrunk example is too small to tell B from 1/B: what is said of a gradient holds on these.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gradcheck.arrays import close
from gradcheck.cells.cell import Array, Cell
from gradcheck.cells.returned import Unusable
from gradcheck.checking.judge import Refer
from gradcheck.drawing.draw import Example, fits
from gradcheck.drawing.sizes import turned
from gradcheck.errors import CaseError
from gradcheck.evidence import Evidence, Examiner
from gradcheck.running import precision
from gradcheck.running.precision import DOUBLE
from gradcheck.running.run import Crash

CLOSE = 1e-9  # relative; far above rounding on ordinary draws, far below any real difference


@dataclass(frozen=True)
class Draw:
    """The sizes of a draw, and the gradient by hand beside the true one."""

    sizes: Mapping[str, int]
    evidence: Evidence
    hand: Array
    want: Array

    @property
    def right(self) -> bool:
        return equal(self.hand, self.want)


@dataclass(frozen=True)
class Inquiry:
    """A gradient that is asked about: of which argument, and which oracle knows better.

    ``time`` is the size that counts the steps, of a cell over time.
    """

    examiner: Examiner
    argument: str
    refer: Refer
    time: str | None = None

    @property
    def cell(self) -> Cell:
        return self.examiner.cell

    @property
    def gradient(self) -> str:
        return f"d{self.argument}"

    def draws(self, condition: "Condition", count: int = 3) -> Iterator[Draw]:
        """Draws under a condition; those that fail are left out."""
        for seed in range(count):
            sizes = turned(self.cell.size_names, seed)
            if self.time is not None:
                sizes[self.time] = 3
            sizes |= condition.sizes
            example = Example(tuple(sizes.items()), seed + 1, condition.regime)
            if not fits(self.cell, example):
                continue
            evidence = self.examiner.evidence(example)
            try:
                hand = evidence.hand[self.argument]
                if not isinstance(hand, Unusable) and evidence.run.finite:
                    want = self.refer(evidence, self.argument).value
                    yield Draw(sizes, evidence, hand, want)
            except (Crash, CaseError):
                continue


@dataclass(frozen=True)
class Condition:
    """Under which draws are made: some sizes held, and a regime."""

    sizes: Mapping[str, int] = field(default_factory=dict)
    regime: str = "ordinary"

    @property
    def tie(self) -> bool:
        """Whether two sizes are held at one value: that they are equal is the condition."""
        return len(self.sizes) == 2

    def met(self, example: Example) -> bool:
        """Whether an example is such a draw."""
        sizes = dict(example.sizes)
        if self.tie:
            held = len({sizes[name] for name in self.sizes}) == 1
        else:
            held = all(sizes[name] == size for name, size in self.sizes.items())
        return held and self.regime in ("ordinary", example.regime)


def equal(got: Array, want: Array) -> bool:
    """Whether two gradients are one, but for the rounding of the coarser."""
    finest = precision.of(got.dtype)
    return close(got, want, CLOSE if finest is DOUBLE else finest.widest)
