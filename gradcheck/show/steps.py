"""A cell worked through, as text for a terminal of 80 columns: a table for each step.

A vector is one line, a matrix as many as it has rows. What is too long is shortened where it says
so, with … at the end of a line and ⋮ below the last.
"""

import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from gradcheck.errors import shown_path
from gradcheck.finding import Unjudged, Wrong
from gradcheck.show.numbers import folded
from gradcheck.show.sentences import sentence
from gradcheck.steps.rows import Row, Step, Traced

WIDTH = 80
_WIDE, _BESIDE, _HIGH = 5, 2, 4  # numbers in a line, also beside the true ones; lines
_ALL = 10**5
_DIGITS = 4
_ACROSS, _DOWN = "…", "⋮"


def plain(one: Traced, *, full: bool = False) -> str:
    """The text without colours."""
    file = io.StringIO()
    console = Console(file=file, width=WIDTH if not full else _ALL, color_system=None)
    console.print(text(one, full=full), crop=False)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()).rstrip("\n")


def printed(one: Traced, *, full: bool = False) -> None:
    """Print it, in colours on a terminal."""
    width = _ALL if full else max(WIDTH, Console().width)
    Console(highlight=False, width=width).print(text(one, full=full), crop=False)


def text(one: Traced, *, full: bool = False) -> Group:
    """All steps forwards, then back, then the gradients of the whole; ``full`` leaves out none."""
    parts = list(_parts(one, full))
    if any(mark in plain_ for plain_ in map(_said, parts) for mark in (_ACROSS, _DOWN)):
        parts.append(Text(f"{_ACROSS} and {_DOWN} stand for what is left out; --full shows it."))
    return Group(*parts)


def _said(part: RenderableType) -> str:
    if not isinstance(part, Table):
        return ""
    return "".join(str(cell) for column in part.columns for cell in column.cells)


def _parts(one: Traced, full: bool) -> Iterator[RenderableType]:
    yield _headline(one)
    if one.unfollowed:
        yield Text(f"{one.unfollowed} So only what goes in and comes out is shown.\n")
    yield from _section("Given" + (", the same at every step" if one.steps else ""),
                        one.walked.given, full)  # fmt: skip
    for step in one.walked.forward:
        yield from _section(_heading(step, "forwards"), step.rows, full, "the twin")
    for step in one.walked.backward:
        yield from _section(_heading(step, "backwards"), step.rows, full)
    if one.walked.failed:
        yield Text(f"{one.walked.failed}\n", "red")
    if one.steps is not None:
        yield from _section("Over all steps", one.totals, full)
    yield from _closing(one)


def _headline(one: Traced) -> Text:
    out = Text(f"{shown_path(one.file)}::{one.cell}")
    if one.steps is not None:
        out.append(f", {one.steps} step{'s' * (one.steps != 1)}")
    wrong = _names(one, Wrong)
    if wrong:
        out.append(": ").append(f"wrong in {', '.join(wrong)}", "bold red")
    elif one.ok:
        out.append(": ").append("every gradient is right here", "green")
    else:
        out.append(": ").append(f"not judged: {', '.join(_names(one, Unjudged))}", "magenta")
    return out.append("\n")


def _names(one: Traced, kind: type) -> list[str]:
    """The gradients with a finding of a kind."""
    found = (label.split("[")[0] for label, f in one.findings.items() if isinstance(f, kind))
    return list(dict.fromkeys(found))


def _heading(step: Step, way: str) -> str:
    return way.capitalize() if step.number is None else f"Step {step.number}, {way}"


def _section(
    heading: str, rows: Sequence[Row], full: bool, true: str = "true"
) -> Iterator[RenderableType]:
    if rows:
        yield Text(heading, "bold")
        table = _table(rows, full, true)
        if Console(width=_ALL).measure(table).maximum > WIDTH and not full:
            table = _table(rows, full, true, stacked=True)
        yield table
        yield Text("")


def _table(rows: Sequence[Row], full: bool, true: str, stacked: bool = False) -> Table:
    """The rows, each with what it is by hand and truly side by side, or one below the other."""
    beside = any(row.true is not None for row in rows) and not stacked
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=beside)
    for name in ("", "", "", *(("by hand", true) if beside else ("",)), ""):
        table.add_column(name, overflow="fold", header_style="dim")
    most = (_ALL, _ALL) if full else (_BESIDE if beside else _WIDE, _HIGH)
    for row, before in zip(rows, (None, *rows), strict=False):
        if before and before.line and row.line and row.line < before.line:
            table.add_row("")  # the next turn of a loop
        table.add_row(*_cells(row, beside, most))
        if row.true is not None and not beside:
            table.add_row("", Text(true, "green"), "", Text(_array(row.true, row, most), "green"))
    return table


def _cells(row: Row, beside: bool, most: tuple[int, int]) -> Iterator[Text]:
    yield Text("✗" if row.wrong else "", "bold red")
    yield Text(row.name, "bold red" if row.wrong else "")
    yield Text("" if row.value is None else _shape(np.shape(row.value)), "dim")
    yield Text("not derived" if row.value is None else _array(row.value, row, most))
    if beside:
        yield Text("" if row.true is None else _array(row.true, row, most), "green")
    yield Text(row.note, "cyan" if row.carried else "dim")


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _array(value: Any, row: Row, most: tuple[int, int]) -> str:
    """The numbers of one of a row's arrays."""
    array = np.asarray(value)
    wide, high = most
    if not array.size:
        return "empty"
    digits = _digits(row)
    lines = np.reshape(array, (-1, array.shape[-1] if array.ndim else 1))[:high]
    shown = [[_number(one, digits) for one in line[:wide]] for line in lines]
    widest = max(len(number) for line in shown for number in line)
    cut = f" {_ACROSS}" if array.ndim and array.shape[-1] > wide else ""
    text = [" ".join(number.rjust(widest) for number in line) + cut for line in shown]
    return "\n".join([*text, *([_DOWN] if array.size > lines.size else [])])


def _digits(row: Row) -> int:
    """As many digits as it takes to see that a wrong value is another than the true one."""
    if not row.wrong or row.true is None or np.shape(row.value) != row.true.shape:
        return _DIGITS
    pairs = list(zip(np.ravel(row.value), np.ravel(row.true), strict=True))
    for digits in range(_DIGITS, 17):
        if any(_number(one, digits) != _number(other, digits) for one, other in pairs):
            return digits
    return 17


def _number(value: Any, digits: int) -> str:
    return f"{float(value):.{digits}g}" if isinstance(value, float | np.floating) else str(value)


def _closing(one: Traced) -> Iterator[Text]:
    """What is wrong in words, where no table shows it; the wrong lines, and what to write."""
    said = [folded(sentence(f)) for f in one.findings.values()
            if isinstance(f, Wrong) and f.kind != "disagrees"]  # fmt: skip
    reasons = {f.reason.value for f in one.findings.values() if isinstance(f, Unjudged)}
    said += [f"Not judged: {reason}." for reason in sorted(reasons)]
    yield from map(Text, dict.fromkeys(said))
    for line in one.lines:
        where = f"{shown_path(one.file)}:{line.number}: "
        missing = "a line is missing at the head of the backward"
        yield _code(f"{where}{missing if line.absent else line.source}", "bold red")
        for mend in line.mends[:1]:
            yield _code(f"{'write ':>{len(where)}}{mend}", "green")


def _code(text: str, style: str) -> Text:
    """A line that stays one, however long."""
    return Text(text, style, no_wrap=True, overflow="ignore")
