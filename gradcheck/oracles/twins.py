"""Where the twin of a case is, and what is to be done without one; PyTorch is imported only here
where there is a twin to run.
"""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradcheck.cells.cell import Cell
from gradcheck.errors import CaseError, shown_path
from gradcheck.source import execute

if TYPE_CHECKING:
    from gradcheck.oracles.autograd import Twin

NO_TORCH = "PyTorch is not installed: pip install 'gradcheck[torch]'"


def is_case(path: Path) -> bool:
    """Whether a file of a folder of cases is one: helpers begin with an underscore."""
    return path.suffix == ".py" and not path.name.startswith("_") and path.name != "conftest.py"


def case_files(folder: Path) -> Iterator[Path]:
    """The case files in a folder and below, in order."""
    return filter(is_case, sorted(folder.rglob("*.py")))


def beside(path: Path, reference: Path) -> Path | None:
    """The twin's file of a case: in the folder ``reference`` beside one that the case is in, at
    the same place in it. None if there is none.
    """
    path = path.resolve()
    for folder in path.parents:
        twin = folder.parent / reference / path.relative_to(folder)
        if twin.is_file() and twin != path:
            return twin
    return None


def find(cell: Cell, path: Path | None) -> "Twin | None":
    """The function of the cell's name in the twin's file.

    None if there is no such file, or no PyTorch to run it with. Raises CaseError if the file
    holds no fitting function.
    """
    if path is None or not path.is_file() or not has_torch():
        return None
    function = getattr(execute.module(path), cell.name, None)
    if function is None:
        written = f"def {cell.name}({', '.join(_arguments(cell))}):"
        raise CaseError(f"{shown_path(path)} has no function {cell.name}.\nWrite `{written}`.")
    return of(cell, function, path)


def of(cell: Cell, function: Callable[..., Any], path: Path | None = None) -> "Twin":
    """A function of PyTorch as the twin of a cell, forward only."""
    from gradcheck.oracles import autograd

    return autograd.twin(cell, function, path)


def missing(wanted: Path) -> str:
    """Why autograd has nothing to say."""
    if wanted.is_file():
        return f"{NO_TORCH}; {shown_path(wanted)} is not asked"
    return f"no {shown_path(wanted)}: autograd has nothing to compare with"


def has_torch() -> bool:
    return importlib.util.find_spec("torch") is not None


def _arguments(cell: Cell) -> list[str]:
    return [argument.name for argument in cell.arguments + cell.constants]
