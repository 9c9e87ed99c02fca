"""The same code in float64: what an author writes as float32 is read as float64.

Oracles differentiate the formula, and differences of a forward that rounds to float32 have
three digits. The derivation is still judged as it stands, by the rounding of its own numbers.
"""

import ast
import re

_NUMBERS = {
    "float32": "float64",
    "single": "float64",
    "float16": "float64",
    "half": "float64",
    "complex64": "complex128",
    "csingle": "complex128",
}
_CODES = {"f4": "f8", "f2": "f8", "c8": "c16"}
_LETTERS = {
    "f": "d",
    "e": "d",
    "F": "D",
}  # a type only where one is asked for: cache["f"] is a gate


def _ordered(codes: dict[str, str]) -> dict[str, str]:
    return {order + code: order + wide for code, wide in codes.items() for order in ("", *"<>=")}


_STRINGS = {**_NUMBERS, **_ordered(_CODES)}
_TYPES = {**_STRINGS, **_ordered(_LETTERS)}
_ASKING = ("astype", "view", "dtype", "zeros", "ones", "empty", "full", "array", "asarray")
_HINTS = re.compile(
    rf"""\b({"|".join([*_NUMBERS, *_CODES])})\b|["'][<>=]?({"|".join(_LETTERS)})["']"""
)


def concerns(source: str) -> bool:
    """Whether a source names a type coarser than float64."""
    if not _HINTS.search(source):
        return False
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return False  # who executes the file tells
    return ast.dump(tree) != ast.dump(finer(ast.parse(source)))


def finer(tree: ast.Module) -> ast.Module:
    """The tree with every coarser type replaced by float64, complex ones by complex128."""
    changed: ast.Module = _Finer().visit(tree)
    return ast.fix_missing_locations(changed)


class _Finer(ast.NodeTransformer):
    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        node.attr = _NUMBERS.get(node.attr, node.attr)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        known = isinstance(node.value, str) and node.value in _STRINGS
        return ast.copy_location(ast.Constant(_STRINGS[str(node.value)]), node) if known else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        of_type = isinstance(node.func, ast.Attribute) and node.func.attr in _ASKING
        node.args = [_typed(part) if of_type else part for part in node.args]
        for word in node.keywords:
            word.value = _typed(word.value) if word.arg == "dtype" else word.value
        return node

    def visit_alias(self, node: ast.alias) -> ast.AST:
        if node.name not in _NUMBERS:
            return node
        return ast.alias(_NUMBERS[node.name], node.asname or node.name)


def _typed(node: ast.expr) -> ast.expr:
    """A string in the place of a type, in float64."""
    if isinstance(node, ast.Constant) and node.value in _TYPES:
        return ast.copy_location(ast.Constant(_TYPES[str(node.value)]), node)
    return node
