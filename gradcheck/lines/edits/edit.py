"""What an edit is, and what it may draw on.

The cost of an edit says how unlikely a slip it takes back; the smallest are tried first, and of
those that mend a line only the cheapest are told (``mend.py``).

    1.0  the commonest slips: a sign, an exponent, a transpose, a neighbouring name, two exchanged
    1.1  one part taken for another: a function, a slice, an operand on the other side
    1.2  less alike: a number, another name throughout, a keyword too many
    1.3  a sign in front, an index beside the right one, a mean where each has its own
    1.6  a size left out, or too many; 1.8 another size in the slices
    2 +  a factor or a term left out: the more there is to write, the dearer
    3 +  another expression altogether
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck.source.evaluate import Evaluator

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
class Kind:
    """One kind of edit, and what each of its edits costs."""

    name: str
    cost: float
    make: Callable[..., Iterator[ast.expr]]

    def edits(self, *given: Any) -> Iterator[tuple[float, ast.expr]]:
        return ((self.cost, new) for new in self.make(*given))


@dataclass(frozen=True)
class Material:
    """What edits of one expression may draw on: the values in its sight, and others of its like."""

    expression: ast.expr
    space: Mapping[str, Any]
    names: tuple[str, ...] = ()  # of arrays in sight, gradients first
    functions: tuple[str, ...] = ()  # one-argument functions of the cell, such as np.tanh
    siblings: tuple[ast.expr, ...] = ()  # right-hand sides of the other lines
    slices: tuple[ast.expr, ...] = ()  # slices that occur anywhere in the cell
    whole: tuple[str, ...] = ()  # names of whole numbers, and of arrays of them
    conditions: tuple[ast.expr, ...] = ()  # comparisons that occur in the cell
    later: Mapping[str, ast.expr] = field(default_factory=dict)  # what later lines give a name
    keys: tuple[str, ...] = ()  # strings that occur in the cell, as keys of a dict do
    sizes: tuple[str, ...] = ()  # expressions of sizes, such as x.shape[0] or keep
    signs: tuple[str, ...] = ()  # other signs that the statement could have
    deep: bool = False  # whether terms of three factors are worth their number
    shapes: Mapping[str, tuple[int, ...]] = field(init=False)  # of the names

    def __post_init__(self) -> None:
        shapes = {name: np.shape(self.space[name]) for name in self.names}
        object.__setattr__(self, "shapes", shapes)

    @cached_property
    def _evaluator(self) -> Evaluator:
        return Evaluator(self.space, [self.expression, *self.siblings])

    def value(self, expression: ast.expr) -> Any:
        """The expression's value at the line, or None where it has none."""
        try:
            return self._evaluator.value(expression)
        except Exception:
            return None

    def shape(self, expression: ast.expr) -> tuple[int, ...] | None:
        value = self.value(expression)
        return np.shape(value) if isinstance(value, np.ndarray | np.generic | float | int) else None


def broadcasts(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    """Whether arrays of two shapes can be combined entry by entry."""
    pairs: Iterable[tuple[int, int]] = zip(reversed(first), reversed(second), strict=False)
    return all(a == b or 1 in (a, b) for a, b in pairs)


def fits(factor: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether a factor of one shape leaves another shape as it is."""
    return broadcasts(factor, shape) and np.broadcast_shapes(factor, shape) == shape
