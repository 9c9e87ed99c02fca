"""Where a size is an axis, of the inputs and of the outputs; and how axes are cut and joined.

No name is trusted: what the outputs do along an axis is found by running the forward at two
sizes. Which laws apply to an axis is then asked of the forward as well (batch.py, chunks.py,
permutation.py), on ordinary numbers and once for each cell.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck import arrays
from gradcheck.cells.cell import Array, Cell
from gradcheck.drawing import draw, sizes
from gradcheck.drawing.draw import Example
from gradcheck.evidence import Examiner
from gradcheck.running.precision import Precision

# In ordinary numbers, of an output's largest entry: far above rounding, far below a coincidence.
CLOSE = 1e-9

# How an output of the whole comes of those of two parts of an axis: one behind the other, their
# sum, their mean weighted by length, or that of the later part alone.
JOINED, SUM, MEAN, LATER = "joined", "sum", "mean", "later"

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


def joined(parts: Sequence[Array], axes: Axes) -> Array:
    """The parts one behind the other along an axis."""
    return np.concatenate(parts, axis=axes[0])


def join(rule: str, one: Array, two: Array, axes: Axes, share: float) -> Array:
    """The output of the whole by a rule; ``share`` is that of the first part."""
    match rule:
        case "joined":
            fits = one.ndim == two.ndim and all(
                m == n
                for k, (m, n) in enumerate(zip(one.shape, two.shape, strict=True))
                if k not in axes
            )
            return joined([one, two], axes) if fits else np.empty(0)
        case "later":
            return two
        case "mean":
            return np.asarray(share * one + (1 - share) * two)
        case _:
            return np.asarray(one + two)


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
    for inputs in (ordinary(cell, name, few, 0), ordinary(cell, name, many, 0)):
        outputs = None if inputs is None else outputs_of(cell, inputs)
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


def ordinary(cell: Cell, name: str, size: int, seed: int) -> dict[str, Any] | None:
    """Ordinary inputs with this size for one name, and for the others 2, 3, 4, ..."""
    example = Example(tuple(sizes.beside(cell.size_names, name, size).items()), seed)
    return dict(draw.inputs(cell, example)) if draw.fits(cell, example) else None


def outputs_of(cell: Cell, inputs: Mapping[str, Any]) -> tuple[Array, ...] | None:
    """What the forward gives on copies of the inputs; None if it fails, or is not finite."""
    try:
        with np.errstate(all="ignore"):
            outputs, _ = cell.run(draw.writable(inputs))
    except Exception:
        return None
    kept = tuple(output.copy() for output in outputs)
    return kept if all(np.isfinite(output).all() for output in kept) else None


def close(got: Array, want: Array) -> bool:
    """Whether two outputs are one but for rounding."""
    return arrays.close(got, want, CLOSE)


def alike(got: Array, want: Array, precision: Precision) -> bool:
    """Whether two outputs are one, entry by entry: a small one may not hide beside a large one."""
    share = precision.eps ** (2 / 3)
    return got.shape == want.shape and bool(np.all(np.abs(got - want) <= share * np.abs(want)))


def everywhere(cell: Cell, name: str) -> Iterator[dict[str, Any]]:
    """A few ordinary inputs that decide what holds along an axis, of different sizes."""
    for seed in range(2):
        inputs = ordinary(cell, name, len(cell.size_names) + 3 + seed % 2, seed)
        if inputs is not None:
            yield inputs
