"""Evaluate the syntax tree of an expression as it stands, without compiling it.

A search tries thousands of trees that differ in one node each. Compiling one costs more than
running it; here the parts that the trees share are evaluated once.
"""

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}


class Evaluator:
    """Values of expressions in one space of names; what is ``shared`` is remembered by identity."""

    def __init__(self, space: Mapping[str, Any], shared: Iterable[ast.expr] = ()) -> None:
        self.space = space
        # The nodes themselves are kept: an id is only unique among what is alive.
        self._shared = {
            id(node): node
            for root in shared
            for node in ast.walk(root)
            if isinstance(node, ast.expr)
        }
        self._known: dict[int, Any] = {}

    def value(self, node: ast.expr) -> Any:
        """The value; raises whatever evaluating it raises."""
        key = id(node)
        if key in self._known:
            return self._known[key]
        value = self._fresh(node)
        if key in self._shared:
            self._known[key] = value
        return value

    def _fresh(self, node: ast.expr) -> Any:
        match node:
            case ast.Name(id=name):
                if name in self.space:
                    return self.space[name]
            case ast.Constant(value=value):
                return value
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return _BINARY[type(op)](self.value(left), self.value(right))
            case ast.UnaryOp(op=op, operand=operand):
                return _UNARY[type(op)](self.value(operand))
            case ast.Attribute(value=owner, attr=name):
                return getattr(self.value(owner), name)
            case ast.Subscript(value=owner, slice=index):
                return self.value(owner)[self.value(index)]
            case ast.Slice(lower=lower, upper=upper, step=step):
                parts = (
                    None if part is None else self.value(part) for part in (lower, upper, step)
                )
                return slice(*parts)
            case ast.Tuple(elts=elements) if not _starred(elements):
                return tuple([self.value(element) for element in elements])
            case ast.List(elts=elements) if not _starred(elements):
                return [self.value(element) for element in elements]
            case ast.Call(func=func, args=arguments, keywords=keywords):
                named = [keyword.arg for keyword in keywords]
                if None not in named and not _starred(arguments):
                    function = self.value(func)
                    given = [self.value(argument) for argument in arguments]
                    return function(*given, **{str(k.arg): self.value(k.value) for k in keywords})
        return eval(compiled(node), dict(self.space))  # comprehensions and the like


def compiled(expression: ast.expr) -> Any:
    """The code of an expression."""
    return compile(ast.fix_missing_locations(ast.Expression(expression)), "<edit>", "eval")


def _starred(elements: Iterable[ast.expr]) -> bool:
    return any(isinstance(element, ast.Starred) for element in elements)
