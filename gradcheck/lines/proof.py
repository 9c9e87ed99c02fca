"""A verdict on each line of a cell, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradcheck.cells.cell import Array
from gradcheck.drawing.draw import Example
from gradcheck.lines.budget import Cut
from gradcheck.lines.hint import Hint

RIGHT, WRONG, FED = "right", "wrong", "fed-by-wrong"
NOT_REACHED, NOT_FOLLOWED, UNJUDGED = "not-reached", "not-followed", "unjudged"


@dataclass(frozen=True)
class Judged:
    """One line with its verdict; ``reason`` says why a line is not followed."""

    line: int
    source: str
    verdict: str
    error: float | None = None
    mends: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Proof:
    """A cell with a verdict on each line of its backward."""

    cell: str
    path: Path
    verdict: str
    lines: tuple[Judged, ...] = ()
    missing: tuple[str, ...] = ()  # gradients that are not derived yet
    absent: tuple[str, ...] = ()  # statements that should stand at the head of the backward
    reason: str = ""  # why it is unjudged
    hint: Hint | None = None
    cut: Cut | None = None  # where the search for its wrong lines ended before all was tried
    example: "Worked | None" = None


@dataclass(frozen=True)
class Worked:
    """A worked example at the smallest sizes: values, and gradients by hand beside true ones."""

    example: Example
    inputs: Mapping[str, Any]
    cotangents: dict[str, Array]
    values: dict[str, Array]
    gradients: tuple[tuple[str, Any, Any], ...]  # name, by hand, true
