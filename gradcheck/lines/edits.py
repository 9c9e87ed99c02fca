"""Small edits of one expression: what a slip of the pen could have turned it from.

Each edit has a cost; shorter ones come first. Nothing here knows what is right: every edit is
tried on the numbers (mend.py), and most are wrong.
"""

import ast
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from gradcheck.arrays import is_whole
from gradcheck.source.evaluate import Evaluator
from gradcheck.source.trees import (
    calling,
    expressions,
    is_module,
    is_transpose,
    letter,
    parsed,
    reducing,
    reducing_last,
    rekeyed,
    replaced,
    substituted,
    transposed,
    unwrapped,
)

_SWAPPED: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Mult),
    ast.Mult: (ast.MatMult, ast.Add, ast.Div),
    ast.MatMult: (ast.Mult,),
    ast.Div: (ast.Mult,),
}


_COLUMN = ast.Tuple([ast.Slice(), ast.Constant(None)], ast.Load())  # the index of a[:, None]

Make = Callable[[], ast.expr]


@dataclass(frozen=True)
class Edit:
    """An expression that might have been meant; ``cost`` grows with what was changed."""

    cost: float
    make: Make  # most edits are never reached, so that their trees are made only when asked for
    sign: str | None = None  # =, += or -= in place of the line's own
    instead: Callable[[], ast.stmt] | None = None  # another statement: `make` tells its value

    @cached_property
    def expression(self) -> ast.expr:
        return self.make()

    @cached_property
    def text(self) -> str:
        if self.instead is not None:
            return ast.unparse(ast.fix_missing_locations(self.instead()))
        return ast.unparse(self.expression)


@dataclass(frozen=True)
class Setting:
    """What an edit may draw on: the values in sight of the line, and expressions of its like."""

    space: Mapping[str, Any]
    names: tuple[str, ...]  # of arrays and numbers in sight, those of the line's own kind
    functions: tuple[str, ...]  # one-argument functions of the cell, such as np.tanh
    siblings: tuple[ast.expr, ...]  # right-hand sides of the other lines
    slices: tuple[ast.expr, ...]  # slices that occur anywhere in the backward
    whole: tuple[str, ...]  # names of whole numbers, and of arrays of them
    keys: tuple[str, ...]  # strings that occur in the cell, as keys of a dict do
    sizes: tuple[str, ...]  # expressions of sizes, such as x.shape[0] or keep
    signs: tuple[str, ...] = ()  # other signs that the statement could have
    deep: bool = False  # whether terms of three factors are worth their number

    @cached_property
    def _evaluator(self) -> Evaluator:
        return Evaluator(self.space)

    def value(self, expression: ast.expr) -> Any:
        """The expression's value at the line, or None where it has none."""
        try:
            return self._evaluator.value(expression)
        except Exception:
            return None

    def shape(self, expression: ast.expr) -> tuple[int, ...] | None:
        value = self.value(expression)
        return np.shape(value) if isinstance(value, np.ndarray | np.generic | float | int) else None


def edits(expression: ast.expr, setting: Setting) -> Iterator[Edit]:
    """The small edits of the expression, in no particular order; some come more than once."""
    for sign in setting.signs:
        yield Edit(1.1, partial(_as_it_is, expression), sign)
    for cost, make in _edits(expression, setting):
        yield Edit(cost, make)


def elsewhere(statement: ast.stmt, setting: Setting) -> Iterator[Edit]:
    """The same value put into other entries of the target than the statement puts it into."""
    if not isinstance(statement, ast.Assign | ast.AugAssign):
        return
    target = statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]
    if not isinstance(target, ast.Subscript):
        return
    for node in expressions(target.slice):
        for cost, new in _at(node, setting):
            yield _moved(statement, target, replaced(target.slice, node, new), cost)
        if isinstance(node, ast.Constant):
            yield from (
                _moved(statement, target, replaced(target.slice, node, parsed(name)), 1.1)
                for name in _indices(target.slice, setting)
            )
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add | ast.Sub):
        ufunc = "np.add.at" if isinstance(statement.op, ast.Add) else "np.subtract.at"
        given = [_loading(target.value), target.slice, statement.value]
        each = ast.Expr(ast.Call(parsed(ufunc), given, []))  # entries that repeat add up
        yield Edit(1.2, partial(_as_it_is, statement.value), instead=lambda: each)


def _indices(index: ast.expr, setting: Setting) -> Iterator[str]:
    """Whole numbers that could stand in an index: by name, or out of an array such as labels."""
    beside = [n.id for n in ast.walk(index) if isinstance(n, ast.Name) and n.id in setting.whole]
    for name in setting.whole:
        yield name
        if np.ndim(setting.space[name]) == 1:
            yield from (f"{name}[{place}]" for place in beside if place != name)


def _moved(
    statement: ast.Assign | ast.AugAssign, target: ast.Subscript, index: ast.expr, cost: float
) -> Edit:
    def make() -> ast.stmt:
        other = ast.Subscript(target.value, index, ast.Store())
        if isinstance(statement, ast.AugAssign):
            return ast.AugAssign(other, statement.op, statement.value)
        return ast.Assign([other], statement.value)

    return Edit(cost, partial(_as_it_is, statement.value), instead=make)


def _loading(node: ast.expr) -> ast.expr:
    return parsed(ast.unparse(node))


def _as_it_is(expression: ast.expr) -> ast.expr:
    return expression


def _edits(root: ast.expr, setting: Setting) -> Iterator[tuple[float, Make]]:
    for node in expressions(root):
        for cost, new in _at(node, setting):
            yield cost, partial(replaced, root, node, new)
    yield from ((1.2, make) for make in _renamed(root, setting))
    yield from ((1.8, make) for make in _resized(root, setting))
    parts = root.elts if isinstance(root, ast.Tuple) else [root]
    for part in parts:
        for node in _terms(part):
            for cost, new in _grown(node, setting, setting.shape(part)):
                yield cost, partial(replaced, root, node, new)
        if not isinstance(root, ast.Tuple) or len(parts) <= 4:
            for cost, make in _fresh(part, setting):
                yield cost, partial(_put, root, part, make)
    if isinstance(root, ast.Tuple):
        for i, j in itertools.combinations(range(len(parts)), 2):
            swapped = list(root.elts)
            swapped[i], swapped[j] = swapped[j], swapped[i]
            yield 1.0, partial(ast.Tuple, swapped, ast.Load())


def _put(root: ast.expr, old: ast.expr, make: Make) -> ast.expr:
    result: ast.expr = replaced(root, old, make())
    return result


_TERMS = (ast.Add, ast.Sub, ast.Mult, ast.MatMult)


def _terms(root: ast.expr) -> Iterator[ast.expr]:
    """The expression, and the terms and factors it is made of."""
    yield root
    if isinstance(root, ast.BinOp) and isinstance(root.op, _TERMS):
        yield from _terms(root.left)
        yield from _terms(root.right)
    elif isinstance(root, ast.BinOp) and isinstance(root.op, ast.Div):
        yield from _terms(root.left)
    elif isinstance(root, ast.Attribute) and not is_module(root.value):
        yield from _terms(root.value)
    elif (
        isinstance(root, ast.Call)
        and isinstance(root.func, ast.Attribute)
        and not is_module(root.func.value)
    ):
        yield from _terms(root.func.value)
    elif isinstance(root, ast.Call | ast.List | ast.Tuple):
        for part in root.args if isinstance(root, ast.Call) else root.elts:
            yield from _terms(part)
    elif isinstance(root, ast.Dict):
        for part in root.values:
            yield from _terms(part)


def _at(node: ast.expr, setting: Setting) -> Iterator[tuple[float, ast.expr]]:
    """Edits of one node: a part in its place, itself inside of something, another name."""
    yield from ((1.0, part) for part in _parts(node))
    shape = setting.shape(node)
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            for operator in _SWAPPED.get(type(op), ()):
                yield 1.0, ast.BinOp(left, operator(), right)
            if isinstance(op, ast.Sub | ast.MatMult | ast.Div):
                yield 1.1, ast.BinOp(right, op, left)
            if isinstance(op, ast.MatMult) and is_transpose(left):
                yield 1.1, ast.BinOp(transposed(right), op, left.value)  # type: ignore[attr-defined]
            yield from ((1.1, bracketed) for bracketed in _bracketed(node))
        case ast.Name(id=name):
            for other in setting.names:
                if other != name and np.shape(setting.space[other]) == shape:
                    yield 1.0 + 0.2 * _unlike(name, other), ast.Name(other, ast.Load())
            for other in setting.whole:
                if other != name and _same_kind(setting.space.get(name), setting.space[other]):
                    yield 1.1, parsed(other)
                    yield from ((1.3, parsed(f"{other} {step} 1")) for step in "+-")
        case ast.Constant(value=str() as key):
            yield from ((1.0, ast.Constant(other)) for other in setting.keys if other != key)
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            for changed in sorted({0, 1, 2, -1, -number, number + 1, number - 1} - {number}):
                yield 1.2, ast.Constant(changed)
        case ast.Subscript(value=value, slice=index):
            for part in setting.slices:
                yield 1.1, ast.Subscript(value, part, ast.Load())
            if isinstance(index, ast.Constant) and isinstance(index.value, str):
                yield from (
                    (1.0, ast.Subscript(value, ast.Constant(key), ast.Load()))
                    for key in setting.keys
                    if key != index.value
                )
            if isinstance(index, ast.Name):
                for step, op in itertools.product((1, 2), (ast.Sub(), ast.Add())):
                    moved = ast.BinOp(index, op, ast.Constant(step))
                    yield 1.0 + step / 10, ast.Subscript(value, moved, ast.Load())
        case ast.Slice(lower=lower, upper=upper, step=None):
            yield 1.0, ast.Slice(upper, lower)  # the other part
            for bound in filter(None, (lower, upper)):
                for sign in "+-":
                    text = f"{ast.unparse(bound)} {sign} 1"
                    yield 1.1, replaced(node, bound, parsed(text))
            if lower is None and upper is not None:
                one = ast.Constant(1)
                yield 1.2, ast.Slice(one, ast.BinOp(one, ast.Add(), upper))  # behind a bias
            if lower is not None and upper is not None:
                both = ast.BinOp(lower, ast.Add(), upper)
                yield 1.1, ast.Slice(lower, both)  # so many from there on
        case ast.Call(func=ast.Name(id="range")):
            yield 1.0, ast.Call(parsed("reversed"), [node], [])
        case ast.Call(func=func, args=args, keywords=keywords):
            for keyword in keywords:
                kept = [one for one in keywords if one is not keyword]
                yield 1.2, ast.Call(func, args, kept)
            if isinstance(func, ast.Attribute) and func.attr in ("mean", "sum") and not args:
                yield 1.3, ast.Subscript(func.value, _COLUMN, ast.Load())
            if isinstance(func, ast.Attribute) and func.attr in ("mean", "sum"):
                method = {"mean": "sum", "sum": "mean"}[func.attr]
                called = ast.Attribute(func.value, method, ast.Load())
                yield 1.0, ast.Call(called, args, keywords)
            for name in setting.functions:
                if len(args) == 1 and ast.unparse(func) != name:
                    yield 1.1, ast.Call(parsed(name), args, keywords)
            for i, j in itertools.combinations(range(len(args)), 2):
                swapped = list(args)
                swapped[i], swapped[j] = swapped[j], swapped[i]
                yield 1.1, ast.Call(func, swapped, keywords)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) if len(elements) <= 8:
            for i, j in itertools.combinations(range(len(elements)), 2):
                swapped = list(elements)
                swapped[i], swapped[j] = swapped[j], swapped[i]
                yield 1.0, type(node)(swapped, ast.Load())
    if shape is None or isinstance(node, ast.Constant):
        return
    yield 1.0, ast.BinOp(node, ast.Pow(), ast.Constant(2))
    yield 1.3, ast.UnaryOp(ast.USub(), node)
    yield 1.1, ast.BinOp(ast.Constant(1), ast.Sub(), node)
    for name in setting.functions:
        yield 1.1, ast.Call(parsed(name), [node], [])
    if len(shape) == 1:
        yield 1.2, ast.Subscript(node, _COLUMN, ast.Load())
    if len(shape) == 2:
        yield 1.0, transposed(node)
    if len(shape) == 3:
        yield 1.0, calling(node, "swapaxes", 1, 2)
    if len(shape) >= 1:
        for axis in (0, 1, -1):
            yield 1.1, reducing(node, "sum", axis)


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """What remains if the node itself is taken away."""
    match node:
        case ast.BinOp(left=left, right=right):
            yield left
            yield right
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.IfExp(body=body, orelse=orelse):
            yield body
            yield orelse
        case ast.Attribute(value=value) if not is_module(value):
            yield value
        case ast.Subscript(value=value):
            yield value
        case ast.Call(func=func, args=args):
            yield from args
            if isinstance(func, ast.Attribute) and not is_module(func.value):
                yield func.value


def _bracketed(node: ast.BinOp) -> Iterator[ast.expr]:
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


def _grown(
    node: ast.expr, setting: Setting, line: tuple[int, ...] | None
) -> Iterator[tuple[float, ast.expr]]:
    """A factor or a term put to a term of the line, which has the shape ``line``."""
    value = setting.value(node)
    if not isinstance(value, np.ndarray | np.generic | float):
        return
    shape = np.shape(value)
    for size in setting.sizes:
        yield 1.6, ast.BinOp(node, ast.Mult(), parsed(size))
        yield 1.6, ast.BinOp(node, ast.Div(), parsed(size))
    for name in setting.names:
        own = np.shape(setting.space[name])
        if line is not None and shape != line and _fits(own, line) and _broadcast(own, shape):
            yield 2.0, ast.BinOp(node, ast.Mult(), parsed(name))
        if own == shape and len(shape) > 1:
            for kind, sign in itertools.product(("mean", "sum"), (ast.Sub(), ast.Add())):
                yield 2.4, ast.BinOp(node, sign, reducing_last(parsed(name), kind))
        if not _fits(own, shape):
            continue
        yield from _times_slopes(node, parsed(name), setting)
        for size in setting.sizes:
            scaled = ast.BinOp(node, ast.Mult(), parsed(name))
            yield 2.6, ast.BinOp(scaled, ast.Div(), parsed(size))
    for cost, term in _products(shape, setting):
        yield cost, ast.BinOp(node, ast.Add(), term)
        if setting.deep:
            for name in setting.names:
                if _fits(np.shape(setting.space[name]), shape):
                    for dearer, longer in _times_slopes(term, parsed(name), setting):
                        yield cost + dearer, ast.BinOp(node, ast.Add(), longer)
    for sibling in setting.siblings:
        if setting.shape(sibling) == shape:
            yield 2.4, ast.BinOp(node, ast.Add(), sibling)
    for part in expressions(node):  # the other term of a product rule: a @ b + a.T @ b
        square = isinstance(part, ast.Name) and setting.shape(part)
        if square and len(square) == 2 and square[0] == square[1]:
            yield 2.2, ast.BinOp(node, ast.Add(), replaced(node, part, transposed(part)))


def _fresh(part: ast.expr, setting: Setting) -> Iterator[tuple[float, Make]]:
    """Something else altogether, of the right shape: a product of two names, or a sum."""
    value = setting.value(part)
    if not isinstance(value, np.ndarray | np.generic | float):
        return
    shape = np.shape(value)
    # A line that gives nothing but zeros was never derived; one that gives a value, slipped.
    dearer = 1.5 if np.any(value) else -1.0
    for cost, product in _products(shape, setting):
        yield cost + dearer, partial(_as_it_is, product)
    for sibling in setting.siblings:
        yield 2.5, partial(_as_it_is, sibling)
        yield from ((2.5, make) for make in _renamed(sibling, setting))


def _times_slopes(
    node: ast.expr, name: ast.expr, setting: Setting
) -> Iterator[tuple[float, ast.expr]]:
    """The node times a name, and times the derivatives that the name may stand for."""
    one, times = ast.Constant(1), ast.Mult()
    complement = ast.BinOp(one, ast.Sub(), name)
    square = ast.BinOp(name, ast.Pow(), ast.Constant(2))
    spelled = next((known for known in setting.functions if known.endswith("tanh")), "np.tanh")
    tanh = ast.Call(parsed(spelled), [name], [])
    tanh_square = ast.BinOp(tanh, ast.Pow(), ast.Constant(2))
    yield 2.0, ast.BinOp(node, times, name)
    yield 2.0, ast.BinOp(node, times, complement)
    yield 2.1, ast.BinOp(node, times, ast.BinOp(one, ast.Sub(), square))
    yield 2.2, ast.BinOp(ast.BinOp(node, times, name), times, complement)
    yield 2.3, ast.BinOp(node, times, tanh)
    yield 2.4, ast.BinOp(node, times, ast.BinOp(one, ast.Sub(), tanh_square))


def _products(shape: tuple[int, ...], setting: Setting) -> Iterator[tuple[float, ast.expr]]:
    """Names, and products of two names, that have the shape."""
    shapes = {name: np.shape(setting.space[name]) for name in setting.names}
    for name, own in shapes.items():
        if own == shape:
            yield 2.0, parsed(name)
        elif own[1:] == shape and own:
            yield 2.2, reducing(parsed(name), "sum", 0)
    for (a, first), (b, second) in itertools.combinations(shapes.items(), 2):
        if np.broadcast_shapes(first, second) == shape if _broadcast(first, second) else False:
            one, left, right = ast.Constant(1), parsed(a), parsed(b)
            yield 2.3, ast.BinOp(left, ast.Mult(), right)
            yield 2.5, ast.BinOp(left, ast.Mult(), ast.BinOp(one, ast.Sub(), right))
            yield 2.5, ast.BinOp(right, ast.Mult(), ast.BinOp(one, ast.Sub(), left))
    for (a, first), (b, second) in itertools.permutations(shapes.items(), 2):
        if len(first) == 3 == len(shape) and len(second) == 2:
            left, right = parsed(a), parsed(b)
            if (*first[:2], second[1]) == shape and first[2] == second[0]:
                yield 2.4, ast.BinOp(left, ast.MatMult(), right)
            if (*first[:2], second[0]) == shape and first[2] == second[1]:
                yield 2.4, ast.BinOp(left, ast.MatMult(), transposed(right))
        if len(first) == len(second) == 2 == len(shape):
            left, right = parsed(a), parsed(b)
            if (first[0], second[1]) == shape and first[1] == second[0]:
                yield 2.4, ast.BinOp(left, ast.MatMult(), right)
            if (first[0], second[0]) == shape and first[1] == second[1]:
                yield 2.4, ast.BinOp(left, ast.MatMult(), transposed(right))
            if (first[1], second[1]) == shape and first[0] == second[0]:
                yield 2.4, ast.BinOp(transposed(left), ast.MatMult(), right)


def _renamed(root: ast.expr, setting: Setting) -> Iterator[Make]:
    """One name for another throughout, and one gate's letter for another's in all names."""
    used = list(dict.fromkeys(n.id for n in ast.walk(root) if isinstance(n, ast.Name)))
    known = set(setting.names)
    mappings: dict[tuple[tuple[str, str], ...], None] = {}
    for name in used:
        if name in known:
            for other in setting.names:
                alike = np.shape(setting.space[other]) == np.shape(setting.space[name])
                if other != name and alike:
                    mappings[((name, other),)] = None
    for one, other in {pair for a in used for b in known if (pair := letter(a, b))}:
        mapping = [(n, n.replace(one, other)) for n in used if one in n]
        if all(new in setting.space for _, new in mapping):
            mappings[tuple(mapping)] = None
    for one, other in itertools.combinations([name for name in used if name in known], 2):
        if np.shape(setting.space[one]) == np.shape(setting.space[other]):
            mappings[((one, other), (other, one))] = None
    for chosen in mappings:
        yield partial(substituted, root, dict(chosen))
    strings = [n.value for n in ast.walk(root) if isinstance(n, ast.Constant)]
    for used_key in dict.fromkeys(key for key in strings if isinstance(key, str)):
        for key in setting.keys:
            if key != used_key and strings.count(used_key) > 1:
                yield partial(rekeyed, root, used_key, key)
    for name in {ast.unparse(n.func) for n in ast.walk(root) if isinstance(n, ast.Call)}:
        yield partial(unwrapped, root, name)


def _resized(root: ast.expr, setting: Setting) -> Iterator[Make]:
    """One size for another in all slices, and perhaps the two parts exchanged."""
    slices = [node.slice for node in ast.walk(root) if isinstance(node, ast.Subscript)]
    used = {n.id for part in slices for n in ast.walk(part) if isinstance(n, ast.Name)}
    for name, size in itertools.product(sorted(used), setting.sizes):
        if name == size:
            continue
        yield partial(substituted, root, {name: size})
        if isinstance(root, ast.Tuple) and len(root.elts) == 2:
            exchanged = ast.Tuple(root.elts[::-1], ast.Load())
            yield partial(substituted, exchanged, {name: size})


def _same_kind(one: Any, other: Any) -> bool:
    """Whether two values are whole numbers alike: both plain, or arrays of one shape."""
    return is_whole(one) and is_whole(other) and np.shape(one) == np.shape(other)


def _unlike(one: str, other: str) -> float:
    """0 for names that differ in one place or by a suffix, 1 for others."""
    return 0.0 if letter(one, other) or one in other or other in one else 1.0


def _broadcast(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    pairs: Iterable[tuple[int, int]] = zip(reversed(first), reversed(second), strict=False)
    return all(a == b or 1 in (a, b) for a, b in pairs)


def _fits(factor: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return _broadcast(factor, shape) and np.broadcast_shapes(factor, shape) == shape
