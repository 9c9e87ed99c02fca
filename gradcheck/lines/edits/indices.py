"""Slices and indices that could have been meant: one small function for each kind of slip."""

import ast
from collections.abc import Iterator

from gradcheck.lines.edits.edit import Material
from gradcheck.source.trees import parsed, replaced


def another_slice(node: ast.expr, material: Material) -> Iterator[ast.expr]:
    if isinstance(node, ast.Subscript):
        yield from (ast.Subscript(node.value, part, ast.Load()) for part in material.slices)


def one_off(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    return _off(node, 1)


def two_off(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    return _off(node, 2)


def _off(node: ast.expr, step: int) -> Iterator[ast.expr]:
    match node:
        case ast.Subscript(value=value, slice=ast.Name() as index):
            for op in (ast.Sub(), ast.Add()):
                moved = ast.BinOp(index, op, ast.Constant(step))
                yield ast.Subscript(value, moved, ast.Load())


def other_part(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    match node:
        case ast.Slice(lower=lower, upper=upper, step=None):
            yield ast.Slice(upper, lower)


def bound_off(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    match node:
        case ast.Slice(lower=lower, upper=upper, step=None):
            for bound in filter(None, (lower, upper)):
                text = ast.unparse(bound)
                yield from (replaced(node, bound, parsed(f"{text} {sign} 1")) for sign in "+-")


def behind_a_bias(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    match node:
        case ast.Slice(lower=None, upper=ast.expr() as upper, step=None):
            one = ast.Constant(1)
            yield ast.Slice(one, ast.BinOp(one, ast.Add(), upper))


def so_many(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    match node:
        case ast.Slice(lower=ast.expr() as lower, upper=ast.expr() as upper, step=None):
            yield ast.Slice(lower, ast.BinOp(lower, ast.Add(), upper))
