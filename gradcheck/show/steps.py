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
from gradcheck.finding import Right, Unjudged, Wrong
from gradcheck.show.numbers import apart, folded
from gradcheck.show.sentences import sentence
from gradcheck.steps.rows import Row, Step, Traced

WIDTH = 80
_WIDE, _BESIDE, _HIGH = 5, 2, 4  # numbers in a line, also beside the true ones; lines
_ALL = 10**9
_DIGITS = 4
_ACROSS, _DOWN = "…", "⋮"


def plain(one: Traced, *, full: bool = False) -> str:
    """The text without colours."""
    file = io.StringIO()
    console = Console(file=file, width=WIDTH if not full else _ALL, color_system=None)
    console.print(text(one, full=full))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()).rstrip("\n")


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
        out.append(": ").append("every gradient is right", "green")
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
    if not rows:
        return
    beside = any(row.true is not None for row in rows)
    table = Table(box=None, pad_edge=False, padding=(0, 1), show_header=beside, title_justify="left")
    for name in ("", "", "", *(("by hand", true) if beside else ("",)), ""):
        table.add_column(name, no_wrap=True, overflow="fold", header_style="dim")
    most = (_ALL, _ALL) if full else (_BESIDE if beside else _WIDE, _HIGH)
    for row in rows:
        table.add_row(*_cells(row, beside, most))
    yield Text(heading, "bold")
    yield table
    yield Text("")


def _cells(row: Row, beside: bool, most: tuple[int, int]) -> Iterator[Text]:
    yield Text("✗" if row.wrong else "", "bold red")
    yield Text(row.name, "bold red" if row.wrong else "")
    yield Text("" if row.value is None else _shape(np.shape(row.value)), "dim")
    yield Text("not derived" if row.value is None else _array(row.value, row.true, most))
    if beside:
        yield Text("" if row.true is None else _array(row.true, row.value, most), "green")
    yield Text(row.note, "cyan" if row.carried else "dim")


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _array(value: Any, other: Any, most: tuple[int, int]) -> str:
    """The numbers of an array, with as many digits as it takes to see where another differs."""
    array = np.asarray(value)
    if np.shape(other) != array.shape or array.dtype.kind != "f":
        other = array
    wide, high = most
    if not array.size:
        return "empty"
    lines = np.reshape(array, (-1, array.shape[-1] if array.ndim else 1))[:high]
    others = np.reshape(other, (-1, array.shape[-1] if array.ndim else 1))[:high]
    shown = [
        [_number(a, b) for a, b in zip(line[:wide], beside[:wide], strict=True)]
        for line, beside in zip(lines, others, strict=True)
    ]
    widest = max(len(number) for line in shown for number in line)
    cut = f" {_ACROSS}" if array.ndim and array.shape[-1] > wide else ""
    text = [" ".join(number.rjust(widest) for number in line) + cut for line in shown]
    return "\n".join([*text, *([_DOWN] if array.size > lines.size else [])])


def _number(value: Any, other: Any) -> str:
    if isinstance(value, np.floating):
        error = abs(float(value) - float(other))
        if error > 1e-7 * abs(float(other)):
            return apart(float(value), (float(value), float(other)), error)
        return f"{float(value):.{_DIGITS}g}"
    return str(value)


def _closing(one: Traced) -> Iterator[Text]:
    """What is wrong in words, where no table shows it; the wrong lines, and what to write."""
    said = [folded(sentence(f)) for f in one.findings.values()
            if isinstance(f, Wrong) and f.kind != "disagrees"]  # fmt: skip
    reasons = {f.reason.value for f in one.findings.values() if isinstance(f, Unjudged)}
    said += [f"Not judged: {reason}." for reason in sorted(reasons)]
    for line in dict.fromkeys(said):
        yield Text(line)
    for line in one.lines:
        where = f"{shown_path(one.file)}:{line.number}: "
        missing = "a line is missing at the head of the backward"
        yield Text(f"{where}{missing if line.absent else line.source}", "bold red")
        for mend in line.mends[:1]:
            yield Text(f"{'write ':>{len(where)}}{mend}", "green")
