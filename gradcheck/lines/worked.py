"""A worked example at the smallest sizes: every value, and gradients by hand beside true ones."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from gradcheck.arrays import is_number
from gradcheck.cells.cell import Cell
from gradcheck.drawing.draw import Example
from gradcheck.lines.instrument import Line, Script
from gradcheck.lines.proof import Worked
from gradcheck.lines.trial import Bench


def _small(cell: Cell) -> Iterator[tuple[tuple[str, int], ...]]:
    """Sizes from all 1 up: some of them 2, then 3."""
    names = cell.size_names
    for size in (2, 3):
        for count in range(len(names) + 1):
            for larger in itertools.combinations(names, count):
                yield tuple((name, size if name in larger else 1) for name in names)


def worked(read: Script, wrong: frozenset[str]) -> Worked | None:
    """The smallest example that shows what is wrong, if anything is."""
    small = Bench(read, ())
    example = None
    for sizes in _small(read.cell):
        example = Example(sizes, 0)
        small = Bench(read, [example])
        if small.draws and (not wrong or wrong - small.right({})):
            break
    if example is None or not small.draws:
        return None
    drawn = small.draws[0]
    returned, seen, _ = small.watched(drawn, {})
    gradients: list[tuple[str, Any, Any]] = []
    for line in sorted(read.lines, key=lambda line: (line.number, line.key)):
        for name, value in _assigned(line, seen.get(line.key, [])):
            quantity = read.quantity(name)
            true = small.truth(drawn, quantity) if quantity else None
            gradients = [row for row in gradients if row[0] != name]  # the last value counts
            gradients.append((name, value, true))
    for argument in read.cell.arguments:
        if f"d{argument.name}" not in {row[0] for row in gradients}:
            true = drawn.truth.get(argument.name)
            gradients.append((f"d{argument.name}", returned[argument.name], true))
    values = {
        name: drawn.scope[name] for name in read.quantities if is_number(drawn.scope.get(name))
    }
    cotangents = dict(zip(read.cotangents, drawn.cotangents, strict=True))
    return Worked(example, drawn.inputs, cotangents, values, tuple(gradients))


def _assigned(line: Line, seen: list[Any]) -> Iterable[tuple[str, Any]]:
    """The plain names that a line assigns, with the last value of each."""
    if not seen or line.absent or line.site:
        return
    values = seen[-1] if isinstance(seen[-1], tuple) else (seen[-1],)
    if len(values) == len(line.targets):
        for name, value in zip(line.targets, values, strict=True):
            if is_number(value):
                yield name, np.asarray(value)
