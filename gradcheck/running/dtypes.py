"""Which numbers of a run are coarser than its inputs: the type of every intermediate result.

Two witnesses. The inputs are arrays that see the type of each operand and result, so a cast in
the middle of an expression shows; and after every line of the author's file its variables are
looked at, so a buffer shows that is only stored into.

Numbers that no type rounds do not count: a mask of 0 and 1, or the eps of a type, may be float32.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from gradcheck.arrays import arrays_in
from gradcheck.cells.cell import Array, Cell
from gradcheck.running import precision
from gradcheck.running.precision import Precision


@dataclass(frozen=True)
class Narrow:
    """A number coarser than the inputs: its type, the line and perhaps the variable."""

    precision: Precision
    line: int | None
    name: str | None = None


def found(
    cell: Cell, inputs: Mapping[str, Any], cotangents: Sequence[Array], than: Precision
) -> tuple[Narrow, ...]:
    """What is coarser than ``than`` in the forward and the backward, in the order of the run."""
    path = cell.source.path if cell.source else None
    noted = _Notes(path, than)
    outer = sys.gettrace()
    sys.settrace(noted.trace)
    try:
        _, backward = cell.run({name: _seen(value, noted) for name, value in inputs.items()})
        backward([_seen(cotangent, noted) for cotangent in cotangents])
    except Exception:
        pass  # what fails is told by other checks; what was seen until then stands
    finally:
        sys.settrace(outer)
    return tuple(dict.fromkeys(noted.narrow))


class _Notes:
    """What a run reports."""

    def __init__(self, path: Path | None, than: Precision) -> None:
        self.path, self.than = str(path), than
        self.narrow: list[Narrow] = []
        # By identity, with the array itself: what is collected leaves its identity to another.
        self._made: dict[int, tuple[Any, int]] = {}
        self._named: set[int] = set()

    def trace(self, frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename != self.path:
            return None
        line = frame.f_lineno

        def after(frame: FrameType, event: str, _: object) -> Any:
            nonlocal line
            for name, value in frame.f_locals.items():
                for array in arrays_in(value):
                    if self._coarse(array.dtype) and id(array) not in self._named:
                        self._variable(array, line, name)
            line = frame.f_lineno
            return after

        return after

    def _variable(self, array: Any, line: int, name: str) -> None:
        """A buffer is told of by the line that made it, once it holds what its type rounds."""
        _, made = self._made.setdefault(id(array), (array, line))
        if not _exact(array):
            self._named.add(id(array))
            self._note(array.dtype, made, name)

    def operation(self, values: Sequence[Any]) -> None:
        """The operands and results of one operation on what was handed in."""
        for value in values:
            for array in arrays_in(value):
                if self._coarse(array.dtype) and not _exact(array):
                    self._note(array.dtype, self._line(), None)

    def rounded(self, value: Any) -> None:
        """A number that was finer before; even a power of two may have been another number."""
        for array in arrays_in(value):
            if self._coarse(array.dtype):
                self._note(array.dtype, self._line(), None)

    def _coarse(self, dtype: np.dtype[Any]) -> bool:
        return dtype.kind in "fc" and precision.of(dtype).eps > self.than.eps

    def _note(self, dtype: np.dtype[Any], line: int | None, name: str | None) -> None:
        self.narrow.append(Narrow(precision.of(dtype), line, name))

    def _line(self) -> int | None:
        frame: FrameType | None = sys._getframe()
        while frame is not None and frame.f_code.co_filename != self.path:
            frame = frame.f_back
        return frame.f_lineno if frame else None


class _Seen(np.ndarray[Any, Any]):
    """An array that tells the type of all it meets."""

    notes: _Notes

    def __array_finalize__(self, parent: object) -> None:
        if isinstance(parent, _Seen):
            self.notes = parent.notes

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *given: Any, **kwargs: Any) -> Any:
        if kwargs.get("out"):
            kwargs["out"] = tuple(map(_plain, kwargs["out"]))
        if "where" in kwargs:
            kwargs["where"] = _plain(kwargs["where"])
        result = getattr(ufunc, method)(*map(_plain, given), **kwargs)
        self.notes.operation([*given, result])
        if kwargs.get("dtype") is not None:
            self.notes.rounded(result)
        return _each(result, self.notes)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        result = super().__array_function__(function, types, args, kwargs)
        self.notes.operation([args, kwargs, result])
        return _each(result, self.notes)

    def astype(self, *args: Any, **kwargs: Any) -> Any:
        result = super().astype(*args, **kwargs)
        if not np.array_equal(_plain(result), _plain(self), equal_nan=result.dtype.kind in "fc"):
            self.notes.rounded(result)
        return result


def _seen(value: Any, notes: _Notes) -> Any:
    if not isinstance(value, np.ndarray | np.inexact):
        return value
    seen = np.asarray(value).view(_Seen)
    seen.notes = notes
    return seen


def _each(result: Any, notes: _Notes) -> Any:
    """The result of a function with all its arrays seen: some of NumPy's come back plain."""
    if type(result) in (tuple, list):
        return type(result)(_seen(part, notes) for part in result)
    return _seen(result, notes)


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, _Seen) else value


def _exact(array: Any) -> bool:
    """Whether every entry is zero or a power of two, which every type holds as it is."""
    plain = np.asarray(array, np.complex128)
    mantissas = np.frexp(np.abs([plain.real, plain.imag]))[0]
    return bool(np.isin(mantissas, (0.0, 0.5)).all())
