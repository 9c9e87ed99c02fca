"""One's own numbers for a cell: held against its shapes, and handed on as read-only copies."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradcheck.cells.cell import Argument, Array, Cell
from gradcheck.cells.shapes import Axis, Choice, Integers
from gradcheck.drawing.draw import read_only
from gradcheck.errors import CaseError


def inputs(cell: Cell, values: Mapping[str, Any]) -> dict[str, Any]:
    """Every argument and constant by name: floats in float64, labels and masks as they are.

    A plain constant may be left out. Raises CaseError for what is missing, unknown, no array of
    numbers, or of another shape than the others allow.
    """
    wanted = {argument.name: argument for argument in cell.arguments + cell.constants}
    for name in values:
        if name not in wanted:
            raise CaseError(f"{cell.name} has no argument {name!r}.{nearest(name, wanted)}")
    taken: dict[str, Any] = {}
    for name, argument in wanted.items():
        if argument.value is not None:
            taken[name] = values.get(name, argument.value)
        elif name not in values:
            raise CaseError(
                f"{cell.name} needs {name}, of shape {argument.shape.text!r}.\n"
                f"Hand over {', '.join(one for one in wanted)}."
            )
        else:
            taken[name] = _array(argument, values[name])
    sizes(cell, taken)
    return taken


def cotangents(cell: Cell, values: Mapping[str, Any], outputs: tuple[Array, ...]) -> dict[str, Any]:
    """The cotangents that were given, by output; each may be called dh or h.

    Raises CaseError for one of no output, or of another shape.
    """
    shapes = dict(zip(cell.outputs, (output.shape for output in outputs), strict=True))
    taken = {}
    for name, value in values.items():
        output = name if name in shapes else name.removeprefix("d")
        if output not in shapes:
            known = [f"d{one}" for one in shapes]
            raise CaseError(f"{cell.name} has no cotangent {name!r}.{nearest(name, known)}")
        array = read_only(_numbers(f"d{output}", value).astype(np.float64))
        if array.shape != shapes[output]:
            raise CaseError(
                f"d{output} has shape {array.shape}, but {output} has shape {shapes[output]}."
            )
        taken[output] = array
    return taken


def sizes(cell: Cell, values: Mapping[str, Any]) -> dict[str, int]:
    """The size of each name, from the shapes of the arrays.

    Raises CaseError for two that cannot both be.
    """
    found: dict[str, int] = {}
    said: dict[str, str] = {}
    waiting = list(_axes(cell, values))
    for axis, length, where in [*waiting, *waiting]:  # H of 4*H may be known later
        unknown = [name for name in axis.names if name not in found]
        if len(unknown) == 1:
            for size in range(length + 1):
                if axis.size({**found, unknown[0]: size}) == length:
                    found[unknown[0]], said[unknown[0]] = size, where
                    break
    for axis, length, where in waiting:
        if any(name not in found for name in axis.names) or axis.size(found) != length:
            known = ", ".join(f"{name}={found[name]} by {said[name]}" for name in axis.names
                              if name in found)  # fmt: skip
            raise CaseError(f'{where} is {length} long, but is to be "{axis.text}" with {known}.')
    return {name: found.get(name, 1) for name in cell.size_names}


def _axes(cell: Cell, values: Mapping[str, Any]) -> Iterator[tuple[Axis, int, str]]:
    """Each axis with its length, those of a single name first."""
    every = []
    for argument in cell.arguments + cell.constants:
        if argument.value is None:
            shape = np.shape(values[argument.name])
            if len(shape) != len(argument.shape.axes):
                raise CaseError(
                    f"{argument.name} has shape {shape}, but is to be {argument.shape.text!r}."
                )
            for k, axis in enumerate(argument.shape.axes):
                every.append((axis, shape[k], f"axis {k} of {argument.name}"))
    return iter(sorted(every, key=lambda one: one[0].names != (one[0].text,)))


def _array(argument: Argument, value: Any) -> Array:
    array = _numbers(argument.name, value)
    if isinstance(argument.shape.domain, Integers):
        if array.dtype.kind not in "iu":
            raise CaseError(f"{argument.name} is {array.dtype}, but is to be whole numbers.")
        return read_only(array.copy())
    if isinstance(argument.shape.domain, Choice) and array.dtype.kind in "iub":
        return read_only(array.copy())
    return read_only(np.array(array, np.float64, order="K"))


def _numbers(name: str, value: Any) -> Array:
    try:
        array = np.asarray(value)
    except Exception:  # a ragged list, or what no array can be made of
        array = np.asarray(None)
    if array.dtype.kind not in "fiub":
        raise CaseError(f"{name} is {type(value).__name__}, not an array of numbers.")
    return array


def nearest(name: str, known: Mapping[str, Any] | list[str]) -> str:
    """A sentence on what may have been meant, or on what there is."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f" Did you mean {close[0]!r}?" if close else f" There is {', '.join(known)}."
