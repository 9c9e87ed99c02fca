"""Something else altogether, of the right shape: for a line that was never derived."""

import ast
import itertools
from collections.abc import Iterator
from functools import partial

import numpy as np

from gradcheck.lines.edits.edit import Make, Material, broadcasts
from gradcheck.lines.edits.renaming import renamed
from gradcheck.source.trees import complement, parsed, reducing, times, transposed

_NAME, _REDUCED, _PRODUCT, _MATRIX_PRODUCT, _WITH_COMPLEMENT = 2.0, 2.2, 2.3, 2.4, 2.5
_ANOTHER_LINE = 2.5
_UNLIKE = 1.5  # more, in place of a line that gives a value, and so was derived
_NOTHING = -1.0  # less, in place of nothing but zeros


def anew(part: ast.expr, material: Material) -> Iterator[tuple[float, Make]]:
    """A name, a product of two, or what another line gives, in place of the whole."""
    value = material.value(part)
    if not isinstance(value, np.ndarray | np.generic | float):
        return
    dearer = _UNLIKE if np.any(value) else _NOTHING
    for cost, product in products(np.shape(value), material):
        yield cost + dearer, partial(as_it_is, product)
    for sibling in material.siblings:
        yield _ANOTHER_LINE, partial(as_it_is, sibling)
        yield from ((_ANOTHER_LINE, make) for make in renamed(sibling, material))


def as_it_is(expression: ast.expr) -> ast.expr:
    return expression


def products(shape: tuple[int, ...], material: Material) -> Iterator[tuple[float, ast.expr]]:
    """Names, and products of two names, that have the shape."""
    for name, own in material.shapes.items():
        if own == shape:
            yield _NAME, parsed(name)
        elif own[1:] == shape and own:
            yield _REDUCED, reducing(parsed(name), "sum", 0)
    for (a, first), (b, second) in itertools.combinations(material.shapes.items(), 2):
        if broadcasts(first, second) and np.broadcast_shapes(first, second) == shape:
            left, right = parsed(a), parsed(b)
            yield _PRODUCT, times(left, right)
            yield _WITH_COMPLEMENT, times(left, complement(right))
            yield _WITH_COMPLEMENT, times(right, complement(left))
    for (a, first), (b, second) in itertools.permutations(material.shapes.items(), 2):
        for flip, other in _orders(first, second, shape):
            left = transposed(parsed(a)) if flip else parsed(a)
            right = transposed(parsed(b)) if other else parsed(b)
            yield _MATRIX_PRODUCT, ast.BinOp(left, ast.MatMult(), right)


def _orders(
    first: tuple[int, ...], second: tuple[int, ...], shape: tuple[int, ...]
) -> Iterator[tuple[bool, bool]]:
    """Which of two arrays to transpose for their matrix product to have a shape."""
    if not (len(second) == 2 and len(first) == len(shape) in (2, 3)):
        return
    for flip, other in ((False, False), (False, True), (True, False)):
        if flip and len(first) == 3:
            continue
        left, right = first[::-1] if flip else first, second[::-1] if other else second
        if (*left[:-1], right[1]) == shape and left[-1] == right[0]:
            yield flip, other
