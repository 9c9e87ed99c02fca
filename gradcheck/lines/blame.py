"""The wrong lines of one cell, searched once for all its nodes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from gradcheck.cells.cell import Cell
from gradcheck.drawing.draw import Example
from gradcheck.errors import CaseError
from gradcheck.lines import mend, suggest
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
    """The wrong lines, and a contract under which the derivation would be right instead."""

    lines: tuple[WrongLine, ...] = ()
    hint: str = ""


class Blamer:
    """Finds the wrong lines of a cell; ``read`` follows its source."""

    def __init__(self, cell: Cell, read: Callable[[], Script]) -> None:
        self._cell, self._read = cell, read
        self._found = Blame()

    def blame(self, example: Example) -> Blame:
        """What explains the failure on an example; kept, unless nothing was found."""
        if self._found == Blame():
            self._found = self._searched(example)
        return self._found

    def _searched(self, example: Example) -> Blame:
        try:
            script = self._read()
        except CaseError:  # the message does without the line
            return Blame()
        fits = set(dict(example.sizes)) == set(self._cell.size_names)
        findings = mend.find(script, [replace(example, dtype="float64")] if fits else [])
        hint = ""
        if findings.wrong and not findings.clear:
            hint = suggest.contract(script, sorted(findings.wrong))
        lines = (
            WrongLine(f.line.number, f.line.source, f.mends, f.error, f.line.absent)
            for f in findings.faults
        )
        return Blame(tuple(lines), hint)
