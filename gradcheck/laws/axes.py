"""Where a size is an axis, of the inputs and of the outputs.

No name is trusted: what the outputs do along an axis is found by running the forward at two
sizes. Which laws apply to an axis is then asked of the forward as well (batch.py, states.py,
permutation.py), on ordinary numbers and once for each cell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.cells.cell import Cell
from gradcheck.evidence import Examiner
from gradcheck.laws import forward

Axes = tuple[int, ...]


@dataclass(frozen=True)
class Named:
    """A size by name, and which axes it is of each input and each output."""

    name: str
    inputs: Mapping[str, Axes]
    outputs: tuple[Axes, ...]

    @property
    def single(self) -> bool:
        """Whether nothing has it twice, so that a part of everything is one slice."""
        return all(len(axes) <= 1 for axes in (*self.inputs.values(), *self.outputs))

    def length(self, inputs: Mapping[str, Any]) -> int:
        name, axes = next((name, axes) for name, axes in self.inputs.items() if axes)
        return int(np.shape(inputs[name])[axes[0]])

    def part(self, inputs: Mapping[str, Any], start: int, stop: int | None) -> dict[str, Any]:
        """From ``start`` to ``stop`` of every input that has the axis, and the others whole."""
        return {name: cut(value, self.inputs[name], start, stop) for name, value in inputs.items()}


def cut(value: Any, axes: Axes, start: int, stop: int | None) -> Any:
    """A slice along an axis; the value itself if it has none."""
    return value[(slice(None),) * axes[0] + (slice(start, stop),)] if axes else value


def named(examiner: Examiner) -> tuple[Named, ...]:
    """The sizes that are a whole axis wherever they occur.

    Not those in arithmetic such as 4*H, nor those that bound the values of labels.
    """
    cell, found = examiner.cell, []
    for name in cell.size_names:
        inputs = _of_inputs(cell, name)
        outputs = _of_outputs(cell, name) if inputs else None
        if inputs and outputs is not None:
            found.append(Named(name, inputs, outputs))
    return tuple(found)


def _of_inputs(cell: Cell, name: str) -> dict[str, Axes] | None:
    found = {}
    for argument in cell.arguments + cell.constants:
        axes = argument.shape.axes
        found[argument.name] = tuple(k for k, axis in enumerate(axes) if axis.text == name)
        elsewhere = [n for axis in axes if axis.text != name for n in axis.names]
        only_a_bound = name in argument.shape.names and not found[argument.name]
        if name in elsewhere or only_a_bound:
            return None
    return found


def _of_outputs(cell: Cell, name: str) -> tuple[Axes, ...] | None:
    """The axes of each output that have this size; None if another one depends on it."""
    found = []
    few, many = (len(cell.size_names) + extra for extra in (3, 5))
    for inputs in (forward.ordinary(cell, name, few, 0), forward.ordinary(cell, name, many, 0)):
        outputs = None if inputs is None else forward.outputs_of(cell, inputs)
        if outputs is None:
            return None
        found.append([output.shape for output in outputs])
    axes = []
    for one, other in zip(*found, strict=True):
        if len(one) != len(other):
            return None
        moved = tuple(k for k in range(len(one)) if one[k] != other[k])
        if any((one[k], other[k]) != (few, many) for k in moved):
            return None
        axes.append(moved)
    return tuple(axes)
