"""A factor or a term that was left out of an expression."""

import ast
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np

from gradcheck.lines.edits.anew import products
from gradcheck.lines.edits.edit import Kind, Material, broadcasts, fits
from gradcheck.source.trees import (
    complement,
    expressions,
    is_module,
    over,
    parsed,
    plus,
    reducing_last,
    replaced,
    squared,
    times,
    transposed,
)

_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.MatMult)


@dataclass(frozen=True)
class Term:
    """A term of a line that something may be put to."""

    node: ast.expr
    shape: tuple[int, ...]
    line: tuple[int, ...] | None  # the shape of the whole
    material: Material


@dataclass(frozen=True)
class Slope:
    """What a term may have to be multiplied by: a name, or a derivative that it may stand for."""

    name: str
    cost: float
    factors: Callable[[ast.expr, ast.expr], tuple[ast.expr, ...]]  # of the name and of its tanh


def terms(root: ast.expr) -> Iterator[ast.expr]:
    """The expression, and the terms and factors it is made of."""
    yield root
    inner: list[ast.expr] = []
    match root:
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _OPERATORS):
            inner = [left, right]
        case ast.BinOp(left=left, op=ast.Div()):
            inner = [left]
        case ast.Attribute(value=value) if not is_module(value):
            inner = [value]
        case ast.Call(func=ast.Attribute(value=value)) if not is_module(value):
            inner = [value]
        case ast.Call(args=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts):
            inner = parts
        case ast.Dict(values=parts):
            inner = parts
    for part in inner:
        yield from terms(part)


def grown(
    node: ast.expr, material: Material, line: tuple[int, ...] | None
) -> Iterator[tuple[float, ast.expr]]:
    """A factor or a term put to a term of the line, which has the shape ``line``."""
    value = material.value(node)
    if not isinstance(value, np.ndarray | np.generic | float):
        return
    term = Term(node, np.shape(value), line, material)
    for kind in WITH_A_SIZE:
        yield from kind.edits(term)
    factors = _factors(term)
    for name in material.names:
        for kind in WITH_A_NAME:
            yield from kind.edits(term, name)
        yield from ((cost, reduce(times, put, node)) for cost, put in factors.get(name, ()))
        if name in factors:
            yield from OVER_A_SIZE.edits(term, name)
    for cost, product in products(term.shape, material):
        yield cost, plus(node, product)
        if material.deep:
            for dearer, put in itertools.chain.from_iterable(factors.values()):
                yield cost + dearer, plus(node, reduce(times, put, product))
    for kind in WITH_A_TERM:
        yield from kind.edits(term)


def _factors(term: Term) -> dict[str, list[tuple[float, tuple[ast.expr, ...]]]]:
    """By names that leave the term its shape: what to multiply it by, and what each costs."""
    functions = term.material.functions
    tanh = parsed(next((known for known in functions if known.endswith("tanh")), "np.tanh"))
    found = {}
    for name in term.material.names:
        if fits(term.material.shapes[name], term.shape):
            of_it = ast.Call(tanh, [parsed(name)], [])
            found[name] = [(slope.cost, slope.factors(parsed(name), of_it)) for slope in SLOPES]
    return found


def _scaled(term: Term) -> Iterator[ast.expr]:
    for size in map(parsed, term.material.sizes):
        yield times(term.node, size)
        yield over(term.node, size)


def _widening(term: Term, name: str) -> Iterator[ast.expr]:
    """A factor that gives the term the shape of the line."""
    own, line = term.material.shapes[name], term.line
    if line is not None and term.shape != line and fits(own, line) and broadcasts(own, term.shape):
        yield times(term.node, parsed(name))


def _centred(term: Term, name: str) -> Iterator[ast.expr]:
    """Less a mean or a sum over the last axis, as behind a normalisation; or with it."""
    if term.material.shapes[name] == term.shape and len(term.shape) > 1:
        for kind, sign in itertools.product(("mean", "sum"), (ast.Sub(), ast.Add())):
            yield ast.BinOp(term.node, sign, reducing_last(parsed(name), kind))


def _over_a_size(term: Term, name: str) -> Iterator[ast.expr]:
    for size in term.material.sizes:
        yield over(times(term.node, parsed(name)), parsed(size))


def _another_line(term: Term) -> Iterator[ast.expr]:
    for sibling in term.material.siblings:
        if term.material.shape(sibling) == term.shape:
            yield plus(term.node, sibling)


def _masked(term: Term) -> Iterator[ast.expr]:
    """Where a condition of the cell holds, or where it does not; else nothing, or a factor of 1."""
    for test in term.material.conditions:
        mask = term.material.value(test)
        if isinstance(mask, np.ndarray) and fits(mask.shape, term.shape):
            for other in (ast.Constant(0), ast.Constant(1)):
                yield ast.Call(parsed("np.where"), [test, term.node, other], [])
                yield ast.Call(parsed("np.where"), [test, other, term.node], [])


def _other_half(term: Term) -> Iterator[ast.expr]:
    """The other term of a product rule: a @ b + a.T @ b."""
    for part in expressions(term.node):
        shape = term.material.shape(part) if isinstance(part, ast.Name) else None
        if shape and len(shape) == 2 and shape[0] == shape[1]:
            yield plus(term.node, replaced(term.node, part, transposed(part)))


SLOPES = (
    Slope("a factor", 2.0, lambda name, _: (name,)),
    Slope("a complement", 2.0, lambda name, _: (complement(name),)),
    Slope("the slope of tanh, by its value", 2.1, lambda name, _: (complement(squared(name)),)),
    Slope("the slope of a sigmoid, by its value", 2.2, lambda name, _: (name, complement(name))),
    Slope("tanh", 2.3, lambda _, tanh: (tanh,)),
    Slope("the slope of tanh", 2.4, lambda _, tanh: (complement(squared(tanh)),)),
)
WITH_A_SIZE = (Kind("times or over a size", 1.6, _scaled),)
WITH_A_NAME = (
    Kind("a factor that widens", 2.0, _widening),
    Kind("a mean taken off", 2.4, _centred),
)
OVER_A_SIZE = Kind("a factor over a size", 2.6, _over_a_size)
WITH_A_TERM = (
    Kind("a mask", 2.0, _masked),
    Kind("another line's value", 2.4, _another_line),
    Kind("the other half of a product rule", 2.2, _other_half),
)
