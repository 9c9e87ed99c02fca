"""Slips of the pen in one expression: what a node of a backward could have been by mistake.

One small function for each, and the table of them all at the end. None asks whether what it makes
is wrong: mutate.py finds out.
"""

import ast
from collections.abc import Iterator

import numpy as np

from gradcheck.mutation import shaped
from gradcheck.mutation.places import ALIKE, Make, Place, Slip
from gradcheck.source.trees import filled, letter, parsed, replaced

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
        yield from (ast.Name(n, ast.Load()) for n in others[: ALIKE + 1] if n != node.id)


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
    Slip("a mean for a sum", "M7 M9", shaped.mean_for_sum),
    Slip("the first for a sum", "M7", shaped.first_for_sum),
    Slip("a wrong axis", "M7 M19", shaped.wrong_axis),
    Slip("a transpose", "", shaped.transpose),
    Slip("operands exchanged", "", shaped.exchanged),
    Slip("another product", "", shaped.product),
    Slip("branches exchanged", "M10", shaped.branches),
    Slip("a mask dropped", "M10 M21", shaped.mask_dropped),
    Slip("a boundary", "", shaped.comparison),
    Slip("a moved index", "M3 M10", shaped.index),
    Slip("the other slice", "M6", shaped.slice),
    Slip("another size", "M9 M19", shaped.another_size),
    Slip("two values exchanged", "M6", _swapped),
    Slip("a gradient zeroed", "M13 M17", _made("0 * _")),
    Slip("a gradient doubled", "", _made("2 * _")),
    Slip("a gradient off by 1 %", "", _made("1.01 * _")),
    Slip("a gradient off by 0.01 %", "", _made("1.0001 * _")),
    Slip("one entry off by 1 %", "", _made(_ENTRY)),
    Slip("clipped", "M15", _clipped),
)
