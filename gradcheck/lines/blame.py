"""The wrong lines of one cell, searched once for all its nodes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gradcheck.cells.cell import Cell
from gradcheck.drawing.draw import Example
from gradcheck.errors import CaseError
from gradcheck.lines import mend, suggest
from gradcheck.lines.budget import Cut
from gradcheck.lines.hint import Hint
from gradcheck.lines.instrument import Script


@dataclass(frozen=True)
class WrongLine:
    """A line that is proved wrong: ``mends`` are whole statements, the likeliest first.

    ``error`` is that of its value against the true one's largest entry, if it is known. An
    ``absent`` line is missing at the head of the backward.
    """

    number: int
    source: str
    mends: tuple[str, ...]
    error: float | None = None
    absent: bool = False


@dataclass(frozen=True)
class Blame:
    """The wrong lines, a contract under which the derivation would be right instead, and where the
    search ended if not all was tried.
    """

    lines: tuple[WrongLine, ...] = ()
    hint: Hint | None = None
    cut: Cut | None = None


class Blamer:
    """Finds the wrong lines of a cell; ``read`` follows its source."""

    def __init__(self, cell: Cell, read: Callable[[], Script]) -> None:
        self._cell, self._read = cell, read
        self._found: Blame | None = None
        self._started = False

    def blame(self, example: Example) -> Blame:
        """What explains the failure on an example: one search, also where it finds nothing.

        But one that had no example to start from, since it failed over time, is not the last.
        """
        fits = set(dict(example.sizes)) == set(self._cell.size_names)
        if self._found is None or (fits and not self._started and not self._found.lines):
            self._started = fits
            self._found = self._searched([replace(example, dtype="float64")] if fits else [])
        return self._found

    def _searched(self, telling: Sequence[Example]) -> Blame:
        try:
            script = self._read()
        except CaseError:  # the message does without the line
            return Blame()
        findings = mend.find(script, telling)
        hint = None
        if findings.wrong and not findings.clear:
            hint = suggest.contract(script, sorted(findings.wrong))
        lines = (
            WrongLine(f.line.number, f.line.source, f.mends, f.error, f.line.absent)
            for f in findings.faults
        )
        return Blame(tuple(lines), hint, findings.cut)
