"""The checks of a cell: one for each gradient and oracle, the forward, and the laws."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradcheck.cells.cell import Cell
from gradcheck.cells.unrolled import unroll
from gradcheck.checking import judge
from gradcheck.checking.judge import Judge, by_autograd, gradient, numeric
from gradcheck.evidence import Examiner
from gradcheck.laws import every as laws

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from gradcheck.oracles.autograd import Twin


@dataclass(frozen=True)
class Check:
    """One pytest node: ``label`` is its id inside the cell, such as dWf[fd]."""

    label: str
    oracle: str  # the bracket: fd, autograd, unrolled, or the name of a law
    subject: str  # forward, law, or the gradient's name
    examiner: Examiner
    judge: Judge
    time: str | None = None

    @property
    def cell(self) -> Cell:
        return self.examiner.cell

    @property
    def argument(self) -> str | None:
        """The argument whose gradient is checked."""
        return None if self.subject in ("forward", "law") else self.subject.removeprefix("d")


def checks(cell: Cell, twin: "Twin | None") -> Iterator[Check]:
    """Every check of a cell, in the order in which they are read."""
    examiner = Examiner(cell, twin)
    if twin is not None:
        forward = judge.guarded(judge.forward)
        yield Check("forward[autograd]", "autograd", "forward", examiner, forward)
    if not cell.derived:
        return
    over_time = unroll(cell)
    if over_time is not None:
        unrolled = Examiner(over_time.cell, twin and _twin_over_time(twin, cell))
    for argument in cell.arguments:
        name, subject = argument.name, f"d{argument.name}"
        yield Check(f"{subject}[fd]", "fd", subject, examiner, gradient(name, numeric))
        if twin is not None:
            asked = gradient(name, by_autograd)
            yield Check(f"{subject}[autograd]", "autograd", subject, examiner, asked)
        if over_time is not None:
            asked = gradient(name, by_autograd if twin else numeric)
            label = f"{subject}[unrolled]"
            yield Check(label, "unrolled", subject, unrolled, asked, over_time.time)
    for name, law in laws.of(examiner).items():
        yield Check(f"law[{name}]", name, "law", examiner, judge.law(law))


def _twin_over_time(twin: "Twin", cell: Cell) -> "Twin":
    from gradcheck.oracles import autograd

    return autograd.over_time(twin, cell)
