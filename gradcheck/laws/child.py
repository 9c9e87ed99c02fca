"""The other end of law[fresh]: runs one cell once, in a process that has run nothing before."""

import marshal
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array, Cell
from gradcheck.cells.returned import Unusable, gradients
from gradcheck.drawing import draw
from gradcheck.errors import what_raised
from gradcheck.source.cases import read


@dataclass(frozen=True)
class Answer:
    """What a cell gave, by name: outputs, and usable gradients; and the code that gave it."""

    outputs: tuple[Array, ...]
    gradients: dict[str, Array]
    code: bytes

    def is_of(self, backward: Callable[..., Any], path: Path) -> bool:
        """Whether the file holds the very code that ``backward`` is of: a mutant's is another."""
        return bool(marshal.loads(self.code) == code(backward, path))


def main() -> None:
    """Answer on standard output what is asked on standard input, both pickled."""
    asked = pickle.load(sys.stdin.buffer)
    out, sys.stdout = sys.stdout.buffer, sys.stderr  # what a case prints is no part of the answer
    pickle.dump(answer(*asked), out)
    out.flush()


def answer(
    path: Path, name: str, inputs: dict[str, Any], cotangents: tuple[Array, ...], writes: bool
) -> Answer | str | None:
    """What the cell of that name gives, or a sentence that says why it gives nothing.

    None if there is no such cell.
    """
    cell = next((one for one in read(path) if one.name == name), None)
    if cell is None:
        return None
    if not isinstance(cell, Cell):
        return cell.message
    if not writes:
        for array in (*inputs.values(), *cotangents):
            if isinstance(array, np.ndarray):
                draw.read_only(array)
    try:
        with np.errstate(all="ignore"):
            outputs, backward = cell.run(inputs)
            kept = tuple(output.copy() for output in outputs)
            returned = backward(cotangents)
    except Exception as error:
        return f"The cell fails with {what_raised(error, path)}"
    arguments = [inputs[argument.name] for argument in cell.arguments]
    found = gradients(cell, returned, arguments)
    usable = {f"d{n}": np.array(g) for n, g in found.items() if not isinstance(g, Unusable)}
    return Answer(kept, usable, marshal.dumps(code(backward, path)))


def code(backward: Callable[..., Any], path: Path) -> dict[str, CodeType]:
    """The functions of the file that a backward belongs to, compiled."""
    space = getattr(getattr(backward, "__wrapped__", backward), "__globals__", {})
    return {
        name: value.__code__
        for name, value in space.items()
        if isinstance(value, FunctionType) and value.__code__.co_filename == str(path)
    }
