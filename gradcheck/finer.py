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
_STRINGS = {**_NUMBERS, "f4": "f8", "f2": "f8", "<f4": "<f8", "<f2": "<f8", "c8": "c16"}


def concerns(source: str) -> bool:
    """Whether a source names a type coarser than float64."""
    return re.search(rf"\b({'|'.join(map(re.escape, _STRINGS))})\b", source) is not None


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

    def visit_alias(self, node: ast.alias) -> ast.AST:
        if node.name not in _NUMBERS:
            return node
        return ast.alias(_NUMBERS[node.name], node.asname or node.name)
