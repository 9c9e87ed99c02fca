"""A derivation on paper, as read: its shapes, its outputs, and its equations."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from gradcheck.cells.shapes import Shape


@dataclass(frozen=True)
class Equation:
    """One line: what it assigns, whether it adds to it, and the value as a syntax tree."""

    line: int
    target: str
    adds: bool
    value: ast.expr


@dataclass(frozen=True)
class Notes:
    """A derivation: the shapes of its arguments, its outputs, and its equations."""

    arguments: tuple[tuple[str, Shape], ...]
    outputs: tuple[str, ...]
    forward: tuple[Equation, ...]
    backward: tuple[Equation, ...]
    lines: tuple[str, ...]
    spelling: Mapping[str, str]  # internal names, such as da, to the file's, such as ∂E/∂a
