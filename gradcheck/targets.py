"""What a person hands over to be checked: a function, a cell, or a file with cells in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any

from gradcheck.cells.cell import Cell, Source
from gradcheck.checking.derived import as_far_as_it_goes
from gradcheck.errors import CaseError, shown_path
from gradcheck.lines import instrument
from gradcheck.lines.instrument import Script
from gradcheck.oracles import twins
from gradcheck.source import cases
from gradcheck.source.cases import Malformed
from gradcheck.source.closure import closure
from gradcheck.source.listing import Listing

Function = Callable[..., Any]


@dataclass(frozen=True)
class Target:
    """A cell that is to be checked: where it is written, what lists its derivation, and the twin's
    file or function.

    ``said`` is how a person names it in a call.
    """

    cell: Cell
    path: Path  # or what stands for one, such as <stdin>
    listing: Callable[..., Listing]  # of its file, perhaps with the tree changed first
    said: str
    reference: Path | Function | None = None

    def derivation(self) -> Listing:
        """The listing. Raises CaseError if there is no derivation yet, or none to be followed."""
        if not self.cell.derived:
            raise CaseError(f"{self.cell.name} is not derived yet: it has no backward.")
        return self.listing()

    def script(self) -> Script:
        """The derivation with its lines open to change. Raises CaseError if it has no source."""
        return instrument.script(self.derivation())

    def judged(self) -> Script:
        """The same of what can be judged of it: a half-written derivation as far as it goes."""
        return instrument.script(as_far_as_it_goes(self.cell, self.derivation)[0])

    def twin(self) -> Any:
        """The twin, if there is one and PyTorch to run it with. Raises CaseError if it is none."""
        if callable(self.reference):
            if not twins.has_torch():
                raise CaseError(f"{twins.NO_TORCH}.")
            return twins.of(self.cell, self.reference)
        return twins.find(self.cell, self.reference)

    def twin_of(self, cell: Cell) -> Any:
        """The twin; of a mutant it is the same."""
        return self.twin()


def targets(what: Any, reference: Any = None) -> Iterator[Target | Malformed]:
    """The cells that are meant: by a path, ``"FILE::CELL"``, a function or a ``Cell``.

    ``reference`` is a function of PyTorch, or for files the folder of the twins. Raises CaseError
    for what is none of these.
    """
    if isinstance(what, str | Path):
        yield from _of_file(what, reference)
    elif isinstance(what, Cell):
        path = what.source.path if what.source else Path("<cell>")
        yield Target(what, path, partial(_unfollowed, what), what.name, _function(reference))
    elif callable(what):
        path = Path(getattr(getattr(what, "__code__", None), "co_filename", "<function>"))
        read = partial(Listing.of_function, what)
        yield Target(of_function(what), path, read, what.__name__, _function(reference))
    else:
        raise CaseError(
            f"{type(what).__name__} is nothing that can be checked.\nHand over a function whose "
            'arguments carry shapes, such as `def rnn(x: "B D", ...)`, a cell, or a path.'
        )


def _of_file(what: str | Path, reference: Any) -> Iterator[Target | Malformed]:
    path, _, name = str(what).partition("::")
    own = _function(reference) if not isinstance(reference, str | Path) else None
    folder = Path(reference) if isinstance(reference, str | Path) else Path("reference")
    for cell in cases.chosen(Path(path), name or None):
        if isinstance(cell, Malformed):
            yield cell
            continue
        assert cell.source is not None  # it was read from a file
        where = cell.source.path
        said = f'"{shown_path(where)}::{cell.name}"'
        read = partial(Listing.of, where, cell.name)
        yield Target(cell, where, read, said, own or twins.beside(where, folder))


def of_function(function: Function) -> Cell:
    """A function in closure form as a cell: the very function, unless it declares contracts.

    These are read from its source, and reported by a copy that was compiled from it. Raises
    CaseError with what to write if it is none.
    """
    if isinstance(function, FunctionType):
        try:
            listing = Listing.of_function(function)
        except CaseError:  # without its source there is no more than what it does
            return closure(function)
        source = Source(listing.path, listing.function.lineno) if listing.path.is_file() else None
        return listing.cell() if listing.contracts else closure(function, source)
    raise CaseError(
        f"{type(function).__name__} is no function.\nHand over one in closure form, whose "
        'arguments carry shapes, such as `def rnn(x: "B D", ...)`.'
    )


def _function(reference: Any) -> Function | None:
    if reference is None:
        return None
    if callable(reference):
        function: Function = reference
        return function
    raise CaseError(
        f"The reference is {type(reference).__name__}.\nHand over a function of PyTorch with the "
        "arguments of the cell."
    )


def _unfollowed(cell: Cell, first: Any = None) -> Listing:
    raise CaseError(f"The source of {cell.name} is not known.")
