"""Syntax trees of expressions: walked, rewritten without touching the old one, and made."""

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

COLUMN = ast.Tuple([ast.Slice(), ast.Constant(None)], ast.Load())  # the index of a[:, None]


def replaced(root: Any, old: ast.AST, new: ast.AST) -> Any:
    """The tree with one node, told by identity, replaced; everything else is shared."""
    return rewritten(root, lambda node: new if node is old else node)


def rewritten(root: Any, change: Callable[[ast.AST], ast.AST]) -> Any:
    """The tree with each node put through ``change``, from the root down to what it replaces."""
    new = change(root)
    if new is not root:
        return new
    changed: dict[str, Any] = {}
    for name in root._fields:
        value = getattr(root, name, None)
        if isinstance(value, ast.AST):
            other: Any = rewritten(value, change)
            if other is not value:
                changed[name] = other
        elif isinstance(value, list):
            items = [rewritten(v, change) if isinstance(v, ast.AST) else v for v in value]
            if any(a is not b for a, b in zip(items, value, strict=True)):
                changed[name] = items
    if not changed:
        return root
    return type(root)(**{name: getattr(root, name, None) for name in root._fields} | changed)


def relocated(new: Any, old: ast.AST) -> Any:
    """A rewritten tree, what is new in it in the lines of what it stands for."""
    if new is not old:
        if "lineno" in new._attributes and not hasattr(new, "lineno"):
            ast.copy_location(new, old)
        for name in new._fields:
            value, before = getattr(new, name, None), getattr(old, name, None)
            pairs = [(value, before)]
            if isinstance(value, list) and isinstance(before, list) and len(value) == len(before):
                pairs = list(zip(value, before, strict=True))
            for one, other in pairs:
                if isinstance(one, ast.AST) and isinstance(other, ast.AST):
                    relocated(one, other)
    return new


def expressions(root: ast.expr) -> Iterator[ast.expr]:
    """Every subexpression that has a value of its own (not np in np.tanh)."""
    skipped = {id(node.func) for node in ast.walk(root) if isinstance(node, ast.Call)}
    skipped |= {
        id(node.value)
        for node in ast.walk(root)
        if isinstance(node, ast.Attribute) and id(node) in skipped and is_module(node.value)
    }
    for node in ast.walk(root):
        if isinstance(node, ast.expr) and id(node) not in skipped:
            yield node


def is_module(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "numpy")


def substituted(root: ast.expr, mapping: Mapping[str, str]) -> ast.expr:
    def renamed(node: ast.AST) -> ast.AST:
        if isinstance(node, ast.Name) and node.id in mapping:
            return parsed(mapping[node.id])
        return node

    result: ast.expr = rewritten(root, renamed)
    return result


def unwrapped(root: ast.expr, name: str) -> ast.expr:
    """The expression with every ``name(x)`` replaced by x."""

    def bare(node: ast.AST) -> ast.AST:
        if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
            return node.args[0] if ast.unparse(node.func) == name else node
        return node

    result: ast.expr = rewritten(root, bare)
    return result


def filled(template: str, node: ast.expr) -> ast.expr:
    """The template with the node for its underscore."""

    def fill(part: ast.AST) -> ast.AST:
        return node if isinstance(part, ast.Name) and part.id == "_" else part

    filled: ast.expr = rewritten(parsed(template), fill)
    return filled


def rekeyed(root: ast.expr, key: str, other: str) -> ast.expr:
    def changed(node: ast.AST) -> ast.AST:
        same = isinstance(node, ast.Constant) and node.value == key
        return ast.Constant(other) if same else node

    result: ast.expr = rewritten(root, changed)
    return result


@lru_cache(maxsize=4096)
def parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def is_transpose(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "T"


def transposed(node: ast.expr) -> ast.expr:
    return ast.Attribute(node, "T", ast.Load())


def times(one: ast.expr, other: ast.expr) -> ast.expr:
    return ast.BinOp(one, ast.Mult(), other)


def plus(one: ast.expr, other: ast.expr) -> ast.expr:
    return ast.BinOp(one, ast.Add(), other)


def over(one: ast.expr, other: ast.expr) -> ast.expr:
    return ast.BinOp(one, ast.Div(), other)


def squared(node: ast.expr) -> ast.expr:
    return ast.BinOp(node, ast.Pow(), ast.Constant(2))


def complement(node: ast.expr) -> ast.expr:
    return ast.BinOp(ast.Constant(1), ast.Sub(), node)


def calling(node: ast.expr, name: str, *given: int) -> ast.expr:
    return ast.Call(
        ast.Attribute(node, name, ast.Load()), [ast.Constant(value) for value in given], []
    )


def reducing(node: ast.expr, name: str, axis: int) -> ast.Call:
    keyword = ast.keyword("axis", ast.Constant(axis))
    return ast.Call(ast.Attribute(node, name, ast.Load()), [], [keyword])


def reducing_last(node: ast.expr, name: str) -> ast.expr:
    """The mean or sum over the last axis, kept for what it is combined with."""
    call = reducing(node, name, -1)
    return ast.Call(call.func, [], [*call.keywords, ast.keyword("keepdims", ast.Constant(True))])


def letter(one: str, other: str) -> tuple[str, str] | None:
    """The letters in which two names of one length differ, if they differ in one place."""
    if len(one) != len(other):
        return None
    different = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    return different[0] if len(different) == 1 else None


def reached(
    roots: Iterable[ast.AST],
    definitions: Mapping[str, ast.AST],
    skipped: Collection[ast.AST] = frozenset(),
) -> list[str]:
    """The definitions that the roots name, directly or not; what is ``skipped`` is not read."""
    found: list[str] = []
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and node.id in definitions and node.id not in found:
            found.append(node.id)
            waiting.append(definitions[node.id])
        waiting += [child for child in ast.iter_child_nodes(node) if child not in skipped]
    return found
