"""Print a verdict as text: what disagrees, who is wrong, the numbers, how to repeat it."""

import math
import re
import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcheck.verdicts.verdict import Row, Verdict

WIDTH = 100
_LINES = 30


def text(verdict: Verdict, command: str, path: str = "") -> str:
    """The whole message, at most about 30 lines, each paragraph apart; ``path`` is the case's."""
    said = "\n".join([verdict.judgement, *verdict.patterns, verdict.hint]).strip("\n")
    paragraphs = [folded(verdict.headline), folded(said), _faults(verdict, path), _table(verdict)]
    shown = "\n\n".join(filter(None, paragraphs))
    room = _LINES - shown.count("\n") - 5
    example = f"The smallest cell that shows it: {verdict.example}"
    numbers = _packed({**verdict.inputs, **verdict.cotangents}, room)
    return f"{shown}\n\n{example}\n{numbers}\n\nTo repeat it: {command}"


def _faults(verdict: Verdict, path: str) -> str:
    """The wrong lines as path:line, which editors follow, and what each should have been."""
    lines = []
    for fault in verdict.faults:
        where = f"{path}:{fault.line.number}: "
        if fault.line.absent:
            lines.append(f"{where}a line is missing at the head of the backward")
        else:
            lines.append(f"{where}{fault.line.source}")
        if fault.mends:
            lines.append(f"{'write ':>{len(where)}}{fault.mends[0]}")
        else:
            lines.append(f"{'':>{len(where)}}is wrong: its true value makes more come out right")
    return "\n".join(lines)


def folded(said: str) -> str:
    """The text with long lines broken between words; indented lines are code, and left alone."""
    return "\n".join(
        line if line.startswith(" ") or not line else textwrap.fill(line, WIDTH)
        for line in said.splitlines()
    )


def _table(verdict: Verdict) -> str:
    if not verdict.rows:
        return ""
    head = ["", *verdict.columns, "error", "allowed"]
    body = [
        [row.name, *(_number(v, row) for v in row.values), f"{row.error:.1e}", f"{row.allowed:.1e}"]
        for row in verdict.rows
    ]
    widths = [max(len(line[k]) for line in [head, *body]) for k in range(len(head))]
    lines = [
        "  " + "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in [head, *body]
    ]
    if verdict.hidden:
        lines.append(f"  and {verdict.hidden} more")
    return "\n".join(lines)


def _number(value: float, row: Row) -> str:
    """With as many digits as it takes to see the error, 6 at least."""
    size = max(map(abs, row.values))
    digits = 6
    if math.isfinite(size) and 0 < row.error < size:
        digits = min(17, max(6, 3 + math.ceil(math.log10(size / row.error))))
    return f"{value:.{digits}g}"


def _packed(values: Mapping[str, Any], room: int) -> str:
    """Every value as ``name = array``, several to a line; large arrays are cut if they must be."""
    lines: list[str] = []
    for threshold in (10**6, 40, 12):
        lines = [""]
        for name, value in values.items():
            item = f"{name} = {array(value, threshold)}"
            if lines[-1] and len(lines[-1]) + len(item) + 3 <= WIDTH:
                lines[-1] += f"   {item}"
            else:
                lines += textwrap.wrap(
                    item,
                    WIDTH,
                    initial_indent="  ",
                    subsequent_indent="      ",
                    break_long_words=False,
                )
        if len(lines) <= room:
            break
    return "\n".join(filter(None, lines))


def array(value: Any, threshold: int = 10**6) -> str:
    """A value on one line, large arrays cut in the middle."""
    if not isinstance(value, np.ndarray):
        return repr(value)
    with np.printoptions(threshold=threshold, edgeitems=2, linewidth=10**6, floatmode="unique"):
        text = " ".join(np.array2string(value, separator=", ").split())
    return re.sub(r"(?<=\[) | (?=[,\]])", "", text)
