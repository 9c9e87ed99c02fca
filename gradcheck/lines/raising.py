"""Which line of a backward raises: its value says nothing, and runs alone can judge its edits."""

import ast
from collections.abc import Iterator
from types import TracebackType

from gradcheck.lines.instrument import Line
from gradcheck.lines.trial import Bench


def raising(bench: Bench) -> list[Line]:
    """The line that raises on a draw of the bench, as it is written; none if all of it runs."""
    for drawn in bench.draws:
        bench.run(drawn, {})
        if bench.raised is not None:
            module = bench.script.hooks.module
            for number in reversed(list(_numbers(bench.raised.__traceback__, module))):
                lines = [line for line in bench.script.lines if number in _span(line)]
                if lines:
                    return lines
    return []


def _numbers(traceback: TracebackType | None, module: object) -> Iterator[int]:
    """The line numbers of the author's code that an exception came through."""
    while traceback is not None:
        if traceback.tb_frame.f_globals is module:
            yield traceback.tb_lineno
        traceback = traceback.tb_next


def _span(line: Line) -> range:
    last = line.statement.end_lineno or line.number
    if isinstance(line.statement, ast.For):
        last = line.expression.end_lineno or line.number
    return range(0) if line.absent else range(line.number, last + 1)
