"""Statements as text and by their parts: what a line assigns, and how a mended one is written."""

import ast
from collections.abc import Iterator

from gradcheck.lines.edits.edit import Edit
from gradcheck.lines.instrument import Line
from gradcheck.source.trees import replaced

_HOLE = "hole_of_a_tuple"


def statement(line: Line, edit: Edit) -> str:
    """The whole statement as it should read, or the one that is missing."""
    node = line.statement
    if edit.instead is not None:
        return edit.text
    if edit.sign is not None:
        assert isinstance(node, ast.Assign | ast.AugAssign)  # only they have one
        assigned = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
        name = ast.unparse(assigned)
        if isinstance(assigned, ast.Name) and isinstance(node, ast.Assign):
            return f"{name} = {name} {edit.sign[0]} {edit.text}"  # not in place: whose is it?
        return f"{name} {edit.sign} {edit.text}"
    match node:
        case ast.AugAssign(target=target, op=op):
            mended: ast.stmt = ast.AugAssign(target, op, edit.expression)
        case ast.Assign(targets=targets, value=ast.Lambda(args=arguments)):
            mended = ast.Assign(targets, ast.Lambda(arguments, edit.expression))
        case ast.Assign(targets=targets):
            mended = ast.Assign(targets, edit.expression)
        case ast.Return():
            mended = ast.Return(edit.expression)
        case ast.For(target=target):
            named = ast.unparse(target)
            named = named[1:-1] if isinstance(target, ast.Tuple) else named
            return f"for {named} in {edit.text}:"
        case _:
            mended = ast.Expr(edit.expression)
    value = edit.expression
    if isinstance(value, ast.Tuple) and len(value.elts) > 1:
        # Without the brackets, as people write it: where they would be stands a name instead.
        bare = ast.unparse(ast.fix_missing_locations(replaced(mended, value, ast.Name(_HOLE))))
        return bare.replace(_HOLE, ", ".join(map(ast.unparse, value.elts)))
    return ast.unparse(ast.fix_missing_locations(mended))


def canonical(expression: ast.expr) -> str:
    """The text with the terms of sums and the factors of products in one order."""
    match expression:
        case ast.BinOp(op=ast.Add() | ast.Mult() as op):
            parts = [canonical(part) for part in _operands(expression, type(op))]
            return "(" + (" + " if isinstance(op, ast.Add) else " * ").join(sorted(parts)) + ")"
        case ast.BinOp(left=left, op=op, right=right):
            return f"({canonical(left)} {type(op).__name__} {canonical(right)})"
        case ast.Tuple(elts=elements):
            return ", ".join(map(canonical, elements))
    return ast.unparse(expression)


def _operands(expression: ast.expr, kind: type[ast.operator]) -> Iterator[ast.expr]:
    if isinstance(expression, ast.BinOp) and isinstance(expression.op, kind):
        yield from _operands(expression.left, kind)
        yield from _operands(expression.right, kind)
    else:
        yield expression


def signs(line: Line) -> tuple[str, ...]:
    """The signs that a statement could have had instead of its own."""
    match line.statement:
        case ast.AugAssign(op=ast.Add()):
            return ("=", "-=")
        case ast.AugAssign(op=ast.Sub()):
            return ("=", "+=")
        case ast.Assign(targets=[ast.Name() | ast.Subscript()]) if not line.absent:
            return ("+=", "-=")
    return ()


def target_parts(line: Line) -> list[tuple[str | None, ast.expr | None]]:
    """Each target of a line: its name, and the index where it is filled in part."""
    statement_ = line.statement
    if isinstance(statement_, ast.AugAssign):
        targets: list[ast.expr] = [statement_.target]
    elif isinstance(statement_, ast.Assign) and len(statement_.targets) == 1:
        target = statement_.targets[0]
        targets = list(target.elts) if isinstance(target, ast.Tuple) else [target]
    else:
        return []
    parts: list[tuple[str | None, ast.expr | None]] = []
    for target in targets:
        match target:
            case ast.Name(id=name):
                parts.append((name, None))
            case ast.Subscript(value=ast.Name(id=name), slice=index) if isinstance(
                statement_, ast.Assign
            ):
                parts.append((name, index))
            case _:
                parts.append((None, None))
    return parts


def summands(expression: ast.expr) -> Iterator[ast.expr]:
    yield expression
    if isinstance(expression, ast.BinOp) and isinstance(expression.op, ast.Add):
        yield from summands(expression.left)
        yield expression.right
    if isinstance(expression, ast.Tuple):
        for part in expression.elts:
            yield from summands(part)
