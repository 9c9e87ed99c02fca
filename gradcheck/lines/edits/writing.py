"""The same value, written into other entries of the target than the statement writes it into."""

import ast
from collections.abc import Iterator
from functools import partial

import numpy as np

from gradcheck.lines.edits.anew import as_it_is
from gradcheck.lines.edits.edit import Edit, Material
from gradcheck.lines.edits.in_place import in_place
from gradcheck.source.trees import expressions, parsed, replaced

_NOT_IN_PLACE, _ANOTHER_INDEX, _ADDED_AT_EACH = 1.0, 1.1, 1.2


def elsewhere(statement: ast.stmt, material: Material) -> Iterator[Edit]:
    """Statements that write to other entries; none where the statement writes a whole name."""
    if not isinstance(statement, ast.Assign | ast.AugAssign):
        return
    target = statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]
    if isinstance(statement, ast.AugAssign) and isinstance(target, ast.Name):
        value = ast.BinOp(ast.Name(target.id, ast.Load()), statement.op, statement.value)
        own = ast.Assign([target], value)  # a value of its own: another name has the array too
        yield Edit(_NOT_IN_PLACE, partial(as_it_is, value), instead=lambda: own)
    if not isinstance(target, ast.Subscript):
        return
    for node in expressions(target.slice):
        for cost, new in in_place(node, material):
            yield _moved(statement, target, replaced(target.slice, node, new), cost)
        if isinstance(node, ast.Constant):
            for name in _indices(target.slice, material):
                index = replaced(target.slice, node, parsed(name))
                yield _moved(statement, target, index, _ANOTHER_INDEX)
    op = ast.Add() if isinstance(statement, ast.Assign) else statement.op
    if isinstance(op, ast.Add | ast.Sub):
        ufunc = "np.add.at" if isinstance(op, ast.Add) else "np.subtract.at"
        given = [parsed(ast.unparse(target.value)), target.slice, statement.value]
        each = ast.Expr(ast.Call(parsed(ufunc), given, []))  # entries that repeat add up
        yield Edit(_ADDED_AT_EACH, partial(as_it_is, statement.value), instead=lambda: each)


def _indices(index: ast.expr, material: Material) -> Iterator[str]:
    """Whole numbers that could stand in an index: by name, or out of an array such as labels."""
    beside = [n.id for n in ast.walk(index) if isinstance(n, ast.Name) and n.id in material.whole]
    for name in material.whole:
        yield name
        if np.ndim(material.space[name]) == 1:
            yield from (f"{name}[{place}]" for place in beside if place != name)


def _moved(
    statement: ast.Assign | ast.AugAssign, target: ast.Subscript, index: ast.expr, cost: float
) -> Edit:
    def make() -> ast.stmt:
        other = ast.Subscript(target.value, index, ast.Store())
        if isinstance(statement, ast.AugAssign):
            return ast.AugAssign(other, statement.op, statement.value)
        return ast.Assign([other], statement.value)

    return Edit(cost, partial(as_it_is, statement.value), instead=make)
