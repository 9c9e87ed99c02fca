"""What a check found over all its examples; it has the last word, because a check that was never
put to the test must not pass.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from gradcheck.checking.check import Check
from gradcheck.drawing.draw import Example
from gradcheck.finding import Finding, Reason, Right, Unjudged, Wrong
from gradcheck.running.compare import Comparison
from gradcheck.running.precision import DOUBLE


@dataclass
class Tally:
    """Counts of what a check found; a draw at a declared kink is made again, and not counted."""

    examples: int = 0
    unjudged: Counter[Reason] = field(default_factory=Counter)
    nonzero: bool = False
    worst: tuple[float, float] = (0.0, 0.0)  # in the finest numbers of them all
    eps: float = float("inf")  # of these numbers

    @property
    def judged(self) -> int:
        return self.examples - sum(n for r, n in self.unjudged.items() if r is not Reason.KINK)

    def add(self, finding: Finding) -> None:
        match finding:
            case Unjudged(reason):
                self.examples += reason is not Reason.KINK
                self.unjudged[reason] += 1
            case Right(comparison) | Wrong(comparison=comparison):
                self.examples += 1
                if comparison is not None:
                    self._compared(comparison)

    @np.errstate(all="ignore")
    def _compared(self, comparison: Comparison) -> None:
        self.nonzero |= bool(comparison.got.any() or comparison.want.any())
        eps = comparison.precision.eps
        if eps < self.eps:
            self.worst, self.eps = comparison.worst, eps
        elif eps == self.eps:
            self.worst = max(self.worst, comparison.worst)

    def complaint(self, check: Check) -> Wrong | None:
        """Why the check must not pass although no example failed."""
        if check.subject == "law":
            return None
        if self.judged < self.examples / 4:
            dtype = check.cell.dtype
            hidden = dtype != DOUBLE.name and check.cell.finer is None
            facts = {"judged": self.judged, "examples": self.examples, "dtype": dtype}
            return Wrong("float32-unsaid" if hidden else "few-judged", check.subject, facts=facts)
        if check.argument is None or self.nonzero:
            return None
        shape = next(a.shape.text for a in check.cell.arguments if a.name == check.argument)
        return Wrong(
            "zero-throughout", check.subject, facts={"argument": check.argument, "shape": shape}
        )


@dataclass
class Record:
    """What a search has found so far; ``failure`` is the last example that failed."""

    check: Check
    tally: Tally = field(default_factory=Tally)
    failure: tuple[Example, Wrong] | None = None

    @property
    def wrong(self) -> Wrong | None:
        """What is wrong, on an example or over all of them; None if the check passes."""
        return self.failure[1] if self.failure else self.tally.complaint(self.check)
