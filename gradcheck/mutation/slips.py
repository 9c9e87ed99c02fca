"""Slips of the pen in one expression: what a node of a backward could have been by mistake.

One small function for each, and the table of them all at the end. None asks whether what it makes
is wrong: mutate.py finds out.
"""

import ast
from collections.abc import Iterator

import numpy as np

from gradcheck.arrays import is_whole
from gradcheck.mutation.places import Make, Place, Slip
from gradcheck.source.trees import letter, parsed, replaced, rewritten, transposed

_ALIKE = 3  # names that a name is mistaken for: the likeliest ones


def filled(template: str, node: ast.expr) -> ast.expr:
    """The template with the node for its underscore."""

    def fill(part: ast.AST) -> ast.AST:
        return node if isinstance(part, ast.Name) and part.id == "_" else part

    filled: ast.expr = rewritten(parsed(template), fill)
    return filled


# Terms, factors, signs and numbers.


def _term_dropped(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp(left, ast.Add(), right):
            yield from (left, right)
        case ast.BinOp(left, ast.Sub(), right):
            yield from (left, ast.UnaryOp(ast.USub(), right))


def _factor_dropped(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp(left, ast.Mult(), right):
            yield from (left, right)
        case ast.BinOp(left, ast.Div(), _):
            yield left


def _sign_flipped(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp(left, ast.Add(), right):
            yield ast.BinOp(left, ast.Sub(), right)
        case ast.BinOp(left, ast.Sub(), right):
            yield ast.BinOp(left, ast.Add(), right)
        case ast.UnaryOp(ast.USub(), operand):
            yield operand
    if place.computes(node):
        yield ast.UnaryOp(ast.USub(), node)


def _exponent_lost(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp(base, ast.Pow(), ast.Constant()):
            yield base
        case ast.Call(func=ast.Attribute(attr="square"), args=[base]):
            yield base


def _constant_changed(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    """Numbers of sums, products and powers, and those behind a first argument."""
    parts: list[ast.expr] = []
    match node:
        case ast.BinOp(left, _, right):
            parts = [left, right]
        case ast.Call(args=[_, *rest]):
            parts = rest
    for part in parts:
        match part:
            case ast.Constant(value=float() as number) if number:
                yield replaced(node, part, ast.Constant(2 * number))
            case ast.Constant(value=int() | float() as number):
                yield replaced(node, part, ast.Constant(number + 1))


def _size_factor(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if place.computes(node):
        yield from (ast.BinOp(node, ast.Div(), parsed(size)) for size in place.sizes[:1])
        yield from (ast.BinOp(node, ast.Mult(), parsed(size)) for size in place.sizes[1:2])


# Names, and what is taken of them.


def _another_name(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if isinstance(node, ast.Name) and place.shape(node) is not None:
        others = [n for n in place.space if place.shape(parsed(n)) == place.shape(node)]
        others = sorted(others, key=lambda other: _unlike(node.id, other))
        yield from (ast.Name(n, ast.Load()) for n in others[: _ALIKE + 1] if n != node.id)


def _unlike(one: str, other: str) -> tuple[bool, bool, bool]:
    """Low for h and h_prev, for names that differ in one letter, and for two gradients."""
    pair = letter(one, other)
    return (
        one != other and _base(one) != _base(other),
        one != other and pair is None,
        one.startswith("d") != other.startswith("d"),
    )


def _base(name: str) -> str:
    for suffix in ("_prev", "_next", "_new", "_last", "_t"):
        name = name.removesuffix(suffix)
    return name


def _activated_again(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    """The slope of an activation at a value that has been through it already."""
    match node:
        case ast.BinOp(ast.Constant(1), ast.Sub(), ast.BinOp(inner, ast.Pow(), _)):
            yield replaced(node, inner, filled("np.tanh(_)", inner))
        case ast.BinOp(ast.Constant(1), ast.Sub(), inner) if "sigmoid" in place.module:
            yield replaced(node, inner, filled("sigmoid(_)", inner))


def _function_dropped(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    """tanh(c) is c, and a buffer is the array that it was to be like."""
    match node:
        case ast.Call(func=func, args=[inner]) if isinstance(func, ast.Name | ast.Attribute):
            if _same(place, inner, node):
                yield inner
        case ast.Call(func=ast.Attribute(value=inner, attr="copy"), args=[]):
            yield inner


def _complement(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp(ast.Constant(1), ast.Sub(), inner):
            yield inner
        case ast.BinOp(left, ast.Mult(), right):
            for factor in (left, right):
                own = isinstance(factor, ast.Name) and factor.id in place.kept
                if own and place.shape(factor) is not None:
                    yield replaced(node, factor, filled("1 - _", factor))
        case ast.Name() | ast.Compare():
            value = place.value(node)
            if isinstance(value, np.ndarray | np.bool_) and value.dtype == bool:
                yield ast.UnaryOp(ast.Invert(), node)


# Sums, products and axes.


def _mean_for_sum(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.Call(func=ast.Attribute(attr="sum" | "mean" as name) as func):
            other = {"sum": "mean", "mean": "sum"}[name]
            yield replaced(node, func, ast.Attribute(func.value, other, ast.Load()))


def _first_for_sum(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    """The first sample in place of their sum."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr="sum"), args=given, keywords=named):
            axes = [ast.unparse(part) for part in [*given, *(k.value for k in named)]]
            if axes == ["0"]:
                yield filled("_[0]", value)
            elif axes and axes[0].startswith("(0, "):
                yield ast.Call(filled("_[:1].sum", value), given, named)


def _wrong_axis(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if not isinstance(node, ast.Call):
        return
    axes = [k.value for k in node.keywords if k.arg == "axis"]
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("sum", "mean"):
        axes += node.args[-1:] if isinstance(node.func.value, ast.expr) else []
    for axis in axes:
        if isinstance(axis, ast.Constant):
            others = [other for other in (0, 1, -1) if other != axis.value]
            yield from (replaced(node, axis, ast.Constant(other)) for other in others)


def _transpose(node: ast.expr, place: Place) -> Iterator[ast.expr]:
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


def _exchanged(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp(left, ast.MatMult() as op, right):
            yield ast.BinOp(right, op, left)


def _product(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.BinOp(left, ast.Mult() | ast.MatMult() as op, right):
            other = ast.MatMult() if isinstance(op, ast.Mult) else ast.Mult()
            made = ast.BinOp(left, other, right)
            if place.shape(made) is not None and place.shape(made) == place.shape(node):
                yield made


# Masks, branches, indices and sizes.


def _branches(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.Call(func=ast.Attribute(attr="where") as func, args=[test, one, other]):
            yield ast.Call(func, [test, other, one], [])
        case ast.IfExp(test, one, other):
            yield ast.IfExp(test, other, one)


def _mask_dropped(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.Call(func=ast.Attribute(attr="where"), args=[_, one, other]):
            yield from (one, other)


_BOUNDARY = {ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt}


def _comparison(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(left, [op], rest) if type(op) in _BOUNDARY:
            yield ast.Compare(left, [_BOUNDARY[type(op)]()], rest)


def _index(node: ast.expr, place: Place) -> Iterator[ast.expr]:
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


def _slice(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    match node:
        case ast.Slice(lower, upper, None) if lower is not None or upper is not None:
            yield ast.Slice(upper, lower)


def _another_size(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    value = place.value(node)
    if isinstance(node, ast.Name) and is_whole(value) and np.ndim(value) == 0:
        names = [n for n, v in place.space.items() if is_whole(v) and np.ndim(v) == 0]
        for size in [*names, *place.sizes][: _ALIKE + 1]:
            if place.value(parsed(size)) != value:
                yield parsed(size)


# What is returned.


def _swapped(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if not isinstance(node, ast.Tuple | ast.List):
        return
    for i, one in enumerate(node.elts):
        alike = [k for k in range(i + 1, len(node.elts)) if _same(place, one, node.elts[k])]
        for k in alike[:1]:
            elements = list(node.elts)
            elements[i], elements[k] = elements[k], one
            yield type(node)(elements, ast.Load())


def _same(place: Place, one: ast.expr, other: ast.expr) -> bool:
    return place.shape(one) is not None and place.shape(one) == place.shape(other)


def _made(template: str) -> Make:
    """What stands in for a gradient that is returned."""

    def slip(node: ast.expr, place: Place) -> Iterator[ast.expr]:
        if place.returns(node) and place.shape(node) is not None:
            yield filled(template, node)

    return slip


_ENTRY = "_ * (1 + 0.01 * (np.arange(np.size(_)) == np.size(_) // 2).reshape(np.shape(_)))"


def _clipped(node: ast.expr, place: Place) -> Iterator[ast.expr]:
    if place.computes(node):
        yield filled("np.clip(_, -1, 1)", node)


EXPRESSIONS = (
    Slip("a term dropped", "M1 M18 M19", _term_dropped),
    Slip("a factor dropped", "M9 M10", _factor_dropped),
    Slip("a sign flipped", "", _sign_flipped),
    Slip("an exponent lost", "M5", _exponent_lost),
    Slip("a constant changed", "M9", _constant_changed),
    Slip("times or over a size", "M7 M9", _size_factor),
    Slip("another name", "M3 M6 M16", _another_name),
    Slip("activated again", "M4", _activated_again),
    Slip("a function dropped", "M4 M8", _function_dropped),
    Slip("a complement", "M10", _complement),
    Slip("a mean for a sum", "M7 M9", _mean_for_sum),
    Slip("the first for a sum", "M7", _first_for_sum),
    Slip("a wrong axis", "M7 M19", _wrong_axis),
    Slip("a transpose", "", _transpose),
    Slip("operands exchanged", "", _exchanged),
    Slip("another product", "", _product),
    Slip("branches exchanged", "M10", _branches),
    Slip("a mask dropped", "M10 M21", _mask_dropped),
    Slip("a boundary", "", _comparison),
    Slip("a moved index", "M3 M10", _index),
    Slip("the other slice", "M6", _slice),
    Slip("another size", "M9 M19", _another_size),
    Slip("two values exchanged", "M6", _swapped),
    Slip("a gradient zeroed", "M13 M17", _made("0 * _")),
    Slip("a gradient doubled", "", _made("2 * _")),
    Slip("a gradient off by 1 %", "", _made("1.01 * _")),
    Slip("a gradient off by 0.01 %", "", _made("1.0001 * _")),
    Slip("one entry off by 1 %", "", _made(_ENTRY)),
    Slip("clipped", "M15", _clipped),
)
