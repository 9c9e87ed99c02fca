"""What the forward does on ordinary numbers: whether a law applies is asked of it.

It runs on inputs whose sizes are all different, and what it gives is told apart from what it
should give but for rounding.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradcheck import arrays
from gradcheck.cells.cell import Array, Cell
from gradcheck.drawing import draw, sizes
from gradcheck.drawing.draw import Example
from gradcheck.running.precision import Precision

# In ordinary numbers, of an output's largest entry: far above rounding, far below a coincidence.
CLOSE = 1e-9


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
