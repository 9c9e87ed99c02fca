"""Which gradients hang on a line: found by moving its value."""

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcheck.arrays import is_number
from gradcheck.lines.instrument import Change, Line
from gradcheck.lines.trial import Bench, whole_value
from gradcheck.source.evaluate import compiled


def influence(bench: Bench, line: Line, active: Mapping[int, Change]) -> frozenset[str]:
    """The gradients that move if the line's value does."""
    if isinstance(line.statement, ast.Return | ast.For | ast.Expr):
        return bench.names
    code = compiled(whole_value(line, line.expression))

    def nudged(space: dict[str, Any]) -> Any:
        value = eval(code, space)
        parts = value if isinstance(value, tuple | list) else [value]
        moved = [part * 1.25 + 0.125 if is_number(part) else part for part in parts]
        return type(value)(moved) if isinstance(value, tuple | list) else moved[0]

    drawn = bench.draws[0]
    plain, moved = bench.run(drawn, active), bench.run(drawn, {**active, line.key: nudged})
    return frozenset(name for name in bench.names if not _identical(plain[name], moved[name]))


def _identical(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other, equal_nan=True)
