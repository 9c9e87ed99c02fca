"""Calls, lists and tuples that could have been meant: one small function for each kind of slip."""

import ast
import itertools
from collections.abc import Iterator

from gradcheck.lines.edits.edit import Material
from gradcheck.source.trees import COLUMN, parsed, reducing

_MOST_ELEMENTS = 8  # of a list or a tuple inside of an expression, to exchange two of them


def exchanged(parts: list[ast.expr]) -> Iterator[list[ast.expr]]:
    """The parts with two of them exchanged."""
    for i, j in itertools.combinations(range(len(parts)), 2):
        swapped = list(parts)
        swapped[i], swapped[j] = swapped[j], swapped[i]
        yield swapped


def _call(node: ast.expr) -> ast.Call | None:
    """The node, if it calls anything but range, of which only the order is ever another."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func) == "range":
        return None
    return node


def reversed_range(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    match node:
        case ast.Call(func=ast.Name(id="range")):
            yield ast.Call(parsed("reversed"), [node], [])


def sum_for_first(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    match node:
        case ast.Subscript(value=value, slice=ast.Constant(value=0)):
            yield reducing(value, "sum", 0)
        case ast.Subscript(value=value, slice=ast.Slice(None, ast.Constant(value=1), None)):
            yield value


def keyword_dropped(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    if call := _call(node):
        for keyword in call.keywords:
            kept = [one for one in call.keywords if one is not keyword]
            yield ast.Call(call.func, call.args, kept)


_REDUCTIONS = {"mean": "sum", "sum": "mean"}


def mean_for_sum(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr=attr), args=args, keywords=keywords):
            if attr in _REDUCTIONS:
                called = ast.Attribute(value, _REDUCTIONS[attr], ast.Load())
                yield ast.Call(called, args, keywords)


def each_its_own(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    """a[:, None] for a mean or a sum over all."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr=attr), args=[]):
            if attr in _REDUCTIONS:
                yield ast.Subscript(value, COLUMN, ast.Load())


def another_function(node: ast.expr, material: Material) -> Iterator[ast.expr]:
    if (call := _call(node)) and len(call.args) == 1:
        for name in material.functions:
            if ast.unparse(call.func) != name:
                yield ast.Call(parsed(name), call.args, call.keywords)


def arguments_exchanged(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    if call := _call(node):
        yield from (ast.Call(call.func, args, call.keywords) for args in exchanged(call.args))


def elements_exchanged(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    if isinstance(node, ast.List | ast.Tuple) and len(node.elts) <= _MOST_ELEMENTS:
        yield from (type(node)(elements, ast.Load()) for elements in exchanged(node.elts))
