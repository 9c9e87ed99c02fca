"""Read a case file: every function whose positional arguments carry shape strings is a cell."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import FunctionType, ModuleType

from gradcheck.cells.cell import Cell, Contract, Source
from gradcheck.cells.contracts import Watch
from gradcheck.errors import CaseError, shown_path
from gradcheck.source import widen
from gradcheck.source.closure import closure, shape_strings
from gradcheck.source.declaring import declaring

_EXAMPLE = 'def {name}(x: "B D", W: "D H", b: "H"):'


@dataclass(frozen=True)
class Malformed:
    """A cell, or a whole file, that cannot be read, and what to write instead."""

    name: str
    message: str
    source: Source


def read(path: Path) -> tuple[Cell | Malformed, ...]:
    """The cells of a file in the order in which they are written; never raises."""
    path = path.resolve()
    try:
        module, contracts, watch = declaring(path)
    except CaseError as error:
        return (Malformed(path.stem, str(error), Source(path, 1)),)
    found = [
        _cell(function, path, contracts.get(function.__name__, ()), watch)
        for function in _functions(module, path)
    ]
    if found:
        return tuple(_with_finer(found, path))
    shown, example = shown_path(path), _EXAMPLE.format(name=path.stem)
    message = (
        f"{shown} defines no cell: no function has a shape string for each argument.\n"
        f"Write, for instance, `{example}`; docs/shapes.md has the grammar."
    )
    return (Malformed(path.stem, message, Source(path, 1)),)


def chosen(path: Path, only: str | None = None) -> tuple[Cell | Malformed, ...]:
    """The cells of a file, or the one of a name. Raises CaseError if it has none of that name."""
    cells = read(path)
    found = tuple(cell for cell in cells if only is None or cell.name == only)
    if not found:
        names = ", ".join(cell.name for cell in cells)
        raise CaseError(f"{shown_path(path)} has no cell {only}; it has {names}.")
    return found


def _functions(module: ModuleType, path: Path) -> list[FunctionType]:
    """The public functions of a file with shape strings: each is to be a cell."""
    return [
        function
        for name, function in vars(module).items()
        if isinstance(function, FunctionType)
        and function.__code__.co_filename == str(path)
        and not name.startswith("_")
        and shape_strings(function)
    ]


def _with_finer(cells: list[Cell | Malformed], path: Path) -> Iterator[Cell | Malformed]:
    """The cells, each with what it would be in float64 if its file names coarser types."""
    if not widen.concerns(path.read_text(encoding="utf-8")):
        yield from cells
        return
    module, contracts, watch = declaring(path, widen.finer)
    wide = {f.__name__: f for f in _functions(module, path)}
    for cell in cells:
        if isinstance(cell, Malformed):
            yield cell
            continue
        other = _cell(wide[cell.name], path, contracts.get(cell.name, ()), watch)
        if isinstance(other, Cell) and other.dtype == "float64":
            cell = replace(cell, finer=other)
        yield cell


def _cell(
    function: FunctionType, path: Path, contracts: tuple[Contract, ...], watch: Watch
) -> Cell | Malformed:
    source = Source(path, function.__code__.co_firstlineno, path.read_bytes())
    try:
        return closure(function, source, contracts, watch)
    except CaseError as error:
        where = f"{shown_path(path)}:{source.line}: {function.__name__}"
        return Malformed(function.__name__, f"{where} is not a cell yet.\n{error}", source)
