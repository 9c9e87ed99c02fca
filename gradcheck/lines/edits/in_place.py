"""One node of an expression, and what could have been meant in its place.

One small function for each kind, and tables of them all, with their costs, at the end.
"""

import ast
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcheck.arrays import is_whole
from gradcheck.lines.edits import calls, indices
from gradcheck.lines.edits.edit import Kind, Material
from gradcheck.source.trees import (
    COLUMN,
    calling,
    complement,
    is_module,
    is_transpose,
    letter,
    parsed,
    reducing,
    squared,
    transposed,
)


def in_place(node: ast.expr, material: Material) -> Iterator[tuple[float, ast.expr]]:
    """A part in the node's place, another name, itself inside of something: with their costs."""
    for kind in OF_A_NODE:
        yield from kind.edits(node, material)
    shape = material.shape(node)
    if shape is not None and not isinstance(node, ast.Constant):
        for kind in AROUND_A_VALUE:
            yield from kind.edits(node, material, len(shape))


# Parts and operators.


def _part(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    """What remains if the node itself is taken away."""
    match node:
        case ast.BinOp(left=left, right=right):
            yield from (left, right)
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.IfExp(body=body, orelse=orelse):
            yield from (body, orelse)
        case ast.Attribute(value=value) if not is_module(value):
            yield value
        case ast.Subscript(value=value):
            yield value
        case ast.Call(func=func, args=args):
            yield from args
            if isinstance(func, ast.Attribute) and not is_module(func.value):
                yield func.value


_SWAPPED: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.MatMult, ast.Add, ast.Div),
    ast.MatMult: (ast.Mult,),
    ast.Div: (ast.Mult,),
}


def _another_operator(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp):
        for operator in _SWAPPED.get(type(node.op), ()):
            yield ast.BinOp(node.left, operator(), node.right)


def _operands_exchanged(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp(left, ast.Sub() | ast.MatMult() | ast.Div() as op, right):
            yield ast.BinOp(right, op, left)


def _product_transposed(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    """b.T @ a for a.T @ b."""
    match node:
        case ast.BinOp(ast.Attribute(value=value) as left, ast.MatMult() as op, right):
            if is_transpose(left):
                yield ast.BinOp(transposed(right), op, value)


def _bracketed(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    """A term moved into or out of a product."""
    match node:
        case ast.BinOp(ast.BinOp(a, ast.Add() | ast.Sub() as plus, b), ast.Mult() as times, c):
            yield ast.BinOp(a, plus, ast.BinOp(b, times, c))
            yield ast.BinOp(ast.BinOp(a, times, c), plus, b)
    match node:
        case ast.BinOp(c, ast.Mult() as times, ast.BinOp(a, ast.Add() | ast.Sub() as plus, b)):
            yield ast.BinOp(ast.BinOp(c, times, a), plus, b)
    match node:
        case ast.BinOp(a, ast.Add() | ast.Sub() as plus, ast.BinOp(b, ast.Mult() as times, c)):
            yield ast.BinOp(ast.BinOp(a, plus, b), times, c)
            yield ast.BinOp(ast.BinOp(a, plus, c), times, b)


# Names, keys and numbers.


def _neighbouring_name(node: ast.expr, material: Material) -> Iterator[ast.expr]:
    return (ast.Name(n, ast.Load()) for n, alike in _other_names(node, material) if alike)


def _another_name(node: ast.expr, material: Material) -> Iterator[ast.expr]:
    return (ast.Name(n, ast.Load()) for n, alike in _other_names(node, material) if not alike)


def _other_names(node: ast.expr, material: Material) -> Iterator[tuple[str, bool]]:
    """Names of arrays of the same shape, and whether they differ in one place or by a suffix."""
    if isinstance(node, ast.Name):
        shape, name = material.shape(node), node.id
        for other in material.names:
            if other != name and material.shapes[other] == shape:
                yield other, bool(letter(name, other)) or name in other or other in name


def _given_too_late(node: ast.expr, material: Material) -> Iterator[ast.expr]:
    """What a later line gives the name."""
    if isinstance(node, ast.Name) and node.id in material.later:
        yield material.later[node.id]


def _another_index(node: ast.expr, material: Material) -> Iterator[ast.expr]:
    return (parsed(other) for other in _other_whole(node, material))


def _beside_another_index(node: ast.expr, material: Material) -> Iterator[ast.expr]:
    for other in _other_whole(node, material):
        yield from (parsed(f"{other} {step} 1") for step in "+-")


def _other_whole(node: ast.expr, material: Material) -> Iterator[str]:
    """Names of whole numbers like this one, such as t for x.shape[0]: plain, or of its shape."""
    own: Any = None
    if isinstance(node, ast.Name | ast.Subscript | ast.BinOp):
        own = material.value(node)
    if is_whole(own):
        for other in material.whole:
            if np.shape(own) == np.shape(material.space[other]) and other != ast.unparse(node):
                yield other


def _another_key(node: ast.expr, material: Material) -> Iterator[ast.expr]:
    match node:
        case ast.Constant(value=str() as key):
            yield from (ast.Constant(other) for other in material.keys if other != key)


def _another_entry(node: ast.expr, material: Material) -> Iterator[ast.expr]:
    match node:
        case ast.Subscript(value=value, slice=ast.Constant() as key):
            for other in _another_key(key, material):
                yield ast.Subscript(value, other, ast.Load())


def _another_number(node: ast.expr, _: Material) -> Iterator[ast.expr]:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            likely = {0, 1, 2, -1, -number, number + 1, number - 1}
            yield from (ast.Constant(changed) for changed in sorted(likely - {number}))


# The node itself, inside of something.


def _squared(node: ast.expr, _: Material, ndim: int) -> Iterator[ast.expr]:
    yield squared(node)


def _negated(node: ast.expr, _: Material, ndim: int) -> Iterator[ast.expr]:
    yield ast.UnaryOp(ast.USub(), node)


def _complement(node: ast.expr, _: Material, ndim: int) -> Iterator[ast.expr]:
    yield complement(node)


def _function_put_on(node: ast.expr, material: Material, ndim: int) -> Iterator[ast.expr]:
    return (ast.Call(parsed(name), [node], []) for name in material.functions)


def _column(node: ast.expr, _: Material, ndim: int) -> Iterator[ast.expr]:
    if ndim == 1:
        yield ast.Subscript(node, COLUMN, ast.Load())


def _transposed(node: ast.expr, _: Material, ndim: int) -> Iterator[ast.expr]:
    if ndim == 2:
        yield transposed(node)
    elif ndim == 3:
        yield calling(node, "swapaxes", 1, 2)


def _own_array(node: ast.expr, _: Material, ndim: int) -> Iterator[ast.expr]:
    """A buffer like the array, or a copy of it, for the array itself."""
    if isinstance(node, ast.Name) and ndim:
        yield from (calling(node, "copy"), ast.Call(parsed("np.zeros_like"), [node], []))


def _summed(node: ast.expr, _: Material, ndim: int) -> Iterator[ast.expr]:
    if ndim:
        yield from (reducing(node, "sum", axis) for axis in (0, 1, -1))


OF_A_NODE = (
    Kind("a part alone", 1.0, _part),
    Kind("another operator", 1.0, _another_operator),
    Kind("operands exchanged", 1.1, _operands_exchanged),
    Kind("a product transposed", 1.1, _product_transposed),
    Kind("other brackets", 1.1, _bracketed),
    Kind("a neighbouring name", 1.0, _neighbouring_name),
    Kind("another name", 1.2, _another_name),
    Kind("given too late", 1.2, _given_too_late),
    Kind("another index", 1.1, _another_index),
    Kind("beside another index", 1.3, _beside_another_index),
    Kind("another key", 1.0, _another_key),
    Kind("another number", 1.2, _another_number),
    Kind("another slice", 1.1, indices.another_slice),
    Kind("another entry", 1.0, _another_entry),
    Kind("an index one off", 1.1, indices.one_off),
    Kind("an index two off", 1.2, indices.two_off),
    Kind("the other part", 1.0, indices.other_part),
    Kind("a bound one off", 1.1, indices.bound_off),
    Kind("a slice behind a bias", 1.2, indices.behind_a_bias),
    Kind("so many from there on", 1.1, indices.so_many),
    Kind("the other way round", 1.0, calls.reversed_range),
    Kind("a keyword too many", 1.2, calls.keyword_dropped),
    Kind("a mean for a sum", 1.0, calls.mean_for_sum),
    Kind("a sum for the first", 1.1, calls.sum_for_first),
    Kind("each its own", 1.3, calls.each_its_own),
    Kind("another function", 1.1, calls.another_function),
    Kind("arguments exchanged", 1.1, calls.arguments_exchanged),
    Kind("elements exchanged", 1.0, calls.elements_exchanged),
)
AROUND_A_VALUE = (
    Kind("an exponent lost", 1.0, _squared),
    Kind("a sign lost", 1.3, _negated),
    Kind("a complement", 1.1, _complement),
    Kind("a function lost", 1.1, _function_put_on),
    Kind("a column", 1.2, _column),
    Kind("a transpose lost", 1.0, _transposed),
    Kind("a sum lost", 1.1, _summed),
    Kind("an array of its own", 1.1, _own_array),
)
