"""Slips in what gives a value its shape: sums, products, axes, masks, indices and sizes."""

import ast
from collections.abc import Iterator

import numpy as np

from gradcheck.arrays import is_whole
from gradcheck.mutation.places import ALIKE, Place
from gradcheck.source.trees import filled, parsed, replaced, transposed

# Sums, products and axes.


def mean_for_sum(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.Call(func=ast.Attribute(attr="sum" | "mean" as name) as func):
            other = {"sum": "mean", "mean": "sum"}[name]
            yield replaced(node, func, ast.Attribute(func.value, other, ast.Load()))


def first_for_sum(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    """The first sample in place of their sum."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr="sum"), args=given, keywords=named):
            axes = [ast.unparse(part) for part in [*given, *(k.value for k in named)]]
            if axes == ["0"]:
                yield filled("_[0]", value)
            elif axes and axes[0].startswith("(0, "):
                yield ast.Call(filled("_[:1].sum", value), given, named)


def wrong_axis(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if not isinstance(node, ast.Call):
        return
    axes = [k.value for k in node.keywords if k.arg == "axis"]
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("sum", "mean"):
        axes += node.args[-1:] if isinstance(node.func.value, ast.expr) else []
    for axis in axes:
        if isinstance(axis, ast.Constant):
            others = [other for other in (0, 1, -1) if other != axis.value]
            yield from (replaced(node, axis, ast.Constant(other)) for other in others)


def transpose(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.Attribute(value=value, attr="T"):
            yield value
        case ast.Call(func=ast.Attribute(value=value, attr="transpose" | "swapaxes")):
            yield value
        case ast.BinOp(left, ast.MatMult(), right):
            for side in (left, right):
                if not (isinstance(side, ast.Attribute) and side.attr == "T"):
                    yield replaced(node, side, transposed(side))
        case ast.Call(func=ast.Attribute(attr="einsum"), args=[ast.Constant(str() as text), *_]):
            yield from (replaced(node, node.args[0], ast.Constant(t)) for t in _letters(text))


def _letters(subscripts: str) -> Iterator[str]:
    """The same einsum with two neighbouring letters of one operand exchanged."""
    given, arrow, out = subscripts.partition("->")
    parts = given.split(",")
    for k, part in enumerate(parts):
        for n in range(len(part) - 1):
            changed = part[:n] + part[n + 1] + part[n] + part[n + 2 :]
            yield ",".join([*parts[:k], changed, *parts[k + 1 :]]) + arrow + out


def exchanged(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp(left, ast.MatMult() as op, right):
            yield ast.BinOp(right, op, left)


def product(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp(left, ast.Mult() | ast.MatMult() as op, right):
            other = ast.MatMult() if isinstance(op, ast.Mult) else ast.Mult()
            made = ast.BinOp(left, other, right)
            if place.shape(made) is not None and place.shape(made) == place.shape(node):
                yield made


# Masks, branches, indices and sizes.


def branches(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.Call(func=ast.Attribute(attr="where") as func, args=[test, one, other]):
            yield ast.Call(func, [test, other, one], [])
        case ast.IfExp(test, one, other):
            yield ast.IfExp(test, other, one)


def mask_dropped(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.Call(func=ast.Attribute(attr="where"), args=[_, one, other]):
            yield from (one, other)


_BOUNDARY = {ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt}


def comparison(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(left, [op], rest) if type(op) in _BOUNDARY:
            yield ast.Compare(left, [_BOUNDARY[type(op)]()], rest)


def index(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if not isinstance(node, ast.Subscript):
        return
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for part in parts:
        if not isinstance(part, ast.Slice) and is_whole(place.value(part)):
            yield from (replaced(node, part, _shifted(part, by)) for by in (-1, 1))


def _shifted(index: ast.expr, by: int) -> ast.expr:
    match index:
        case ast.Constant(int() as number):
            return ast.Constant(number + by)
        case ast.BinOp(left, ast.Add(), ast.Constant(int() as number)) if number + by == 0:
            return left
        case ast.BinOp(left, ast.Sub(), ast.Constant(int() as number)) if number - by == 0:
            return left
    return ast.BinOp(index, ast.Add() if by > 0 else ast.Sub(), ast.Constant(1))


def slice(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.Slice(lower, upper, None) if lower is not None or upper is not None:
            yield ast.Slice(upper, lower)


def another_size(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    value = place.value(node)
    if isinstance(node, ast.Name) and is_whole(value) and np.ndim(value) == 0:
        names = [n for n, v in place.space.items() if is_whole(v) and np.ndim(v) == 0]
        for size in [*names, *place.sizes][: ALIKE + 1]:
            if place.value(parsed(size)) != value:
                yield parsed(size)
