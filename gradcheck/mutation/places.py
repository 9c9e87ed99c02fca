"""Where a slip of the pen can happen: a statement of a backward, and what its names are worth."""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.arrays import is_number
from gradcheck.source.evaluate import Evaluator

ALIKE = 3  # names, or sizes, that one is mistaken for: the likeliest ones


@dataclass(frozen=True)
class Several:
    """Statements that stand for one; ``next_too`` if they stand for the one after it as well."""

    body: tuple[ast.stmt, ...]
    next_too: bool = False


@dataclass(frozen=True)
class Place:
    """A statement of a backward and what can be said of it: values by name are those of a run."""

    statement: ast.stmt
    following: ast.stmt | None
    space: Mapping[str, Any]  # of the function, and of those around it
    module: Mapping[str, Any]
    given: tuple[str, ...]  # its parameters: the cotangents
    kept: tuple[str, ...]  # arrays of the forward that it reads
    carried: frozenset[str]  # names that a loop around it hands on from round to round
    sizes: tuple[str, ...]  # expressions of sizes, such as x.shape[0]
    first: bool

    @cached_property
    def _evaluator(self) -> Evaluator:
        return Evaluator({**self.module, **self.space})

    def value(self, node: ast.expr) -> Any:
        """The value of an expression at the end of the run, or None."""
        try:
            return self._evaluator.value(node)
        except Exception:
            return None

    def shape(self, node: ast.expr) -> tuple[int, ...] | None:
        """The shape of a float array or number, None for all else."""
        value = self.value(node)
        return np.shape(value) if is_number(value) else None

    def assigns(self, node: ast.expr) -> bool:
        """Whether the node is a value that the statement assigns or returns."""
        return any(node is value for value in _values(self.statement))

    def computes(self, node: ast.expr) -> bool:
        """Whether the node is a number or an array that the statement assigns, not just zeros."""
        zeros = isinstance(node, ast.Call) and "zeros" in ast.unparse(node.func)
        return self.assigns(node) and not zeros and self.shape(node) is not None

    def returns(self, node: ast.expr) -> bool:
        """Whether the node is one of the gradients that are returned."""
        return isinstance(self.statement, ast.Return) and self.assigns(node)


# What could stand in the place of a node.
Make = Callable[[Any, Place], Iterator[Any]]


@dataclass(frozen=True)
class Slip:
    """A kind of mistake; ``codes`` are those of the catalogue in docs/mutation.md."""

    name: str
    codes: str
    make: Make


def _values(statement: ast.stmt) -> list[ast.expr]:
    match statement:
        case ast.Assign(value=ast.Lambda(body=value)):
            return [value]
        case ast.Assign(value=value) | ast.AugAssign(value=value) | ast.Return(value=value):
            return value.elts if isinstance(value, ast.Tuple) else [value] if value else []
    return []
