"""What a forward calls its outputs, where there is no backward yet to name them."""

import ast
import linecache
from collections.abc import Iterator
from types import FunctionType
from typing import Any

from gradcheck.errors import CaseError

_NAME_THEM = (
    "Give each a name, as in `h = ...`, and end the forward with `return h` or `return h, c`."
)


def names(function: Any, count: int) -> tuple[str, ...]:
    """The names in the last return statement of a function, which returns so many outputs.

    Raises CaseError if an output has no name there, or two have the same.
    """
    returned = list(_returned(function))
    parts = _parts(returned[-1]) if returned else []
    found = tuple(part.id for part in parts if isinstance(part, ast.Name))
    if len(found) == count == len(parts) and len(set(found)) == count:
        return found
    said = f"`return {ast.unparse(returned[-1])}`" if returned else "Its return statement"
    raise CaseError(f"{said} does not name {_outputs(count)}.\n{_NAME_THEM}")


def _outputs(count: int) -> str:
    return "its output" if count == 1 else f"{count} outputs"


def _parts(value: ast.expr) -> list[ast.expr]:
    """The outputs in ``h``, in ``h, c``, in ``h, None`` and in ``(h, c), None``."""
    match value:
        case ast.Tuple(elts=[first, ast.Constant(value=None)]):
            return _parts(first)
        case ast.Tuple(elts=elements):
            return elements
    return [value]


def _returned(function: Any) -> Iterator[ast.expr]:
    if not isinstance(function, FunctionType):
        return
    code = function.__code__
    try:
        tree = ast.parse("".join(linecache.getlines(code.co_filename, function.__globals__)))
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if first == code.co_firstlineno:
                yield from (value for value in _own(node.body))


def _own(body: list[ast.stmt]) -> Iterator[ast.expr]:
    """What the return statements of a body return, without those of functions inside."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            continue
        if isinstance(statement, ast.Return) and statement.value is not None:
            yield statement.value
        inner = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody")]
        for part in inner:
            yield from _own(part)
