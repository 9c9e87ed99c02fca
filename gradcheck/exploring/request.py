"""What a person asks to be explored, and the units that it comes to."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gradcheck.cells.unrolled import unroll
from gradcheck.drawing.given import nearest
from gradcheck.errors import CaseError, shown_path
from gradcheck.exploring.unit import BLOCK, Unit
from gradcheck.oracles import twins
from gradcheck.source import cases
from gradcheck.source.cases import Malformed


@dataclass(frozen=True)
class Request:
    """Cells by paths of folders, files, or ``"FILE::CELL"``; how many examples of each gradient, or
    for how long; from which seed on, with which sizes held.
    """

    cases: tuple[str, ...]
    seed: int
    examples: int | None = None
    hours: float | None = None
    sizes: tuple[tuple[str, int], ...] = ()
    reference: str = "reference"

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "sizes": dict(self.sizes)}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Request":
        sizes = tuple(plain["sizes"].items())
        return cls(**{**plain, "cases": tuple(plain["cases"]), "sizes": sizes})


@dataclass(frozen=True)
class Cells:
    """The cells that are meant, each with its first unit; and those that cannot be read."""

    units: tuple[Unit, ...]
    malformed: tuple[Malformed, ...]

    def total(self, examples: int) -> int:
        """How many units that comes to."""
        return len(self.units) * -(-examples // BLOCK)

    def blocks(self, examples: int | None) -> Iterator[Unit]:
        """The units, a turn of every cell after the other, without end if no number is given.

        Each turn has the next seed, so that no example of a run is drawn twice for one cell.
        """
        for turn in itertools.count():
            left = BLOCK if examples is None else min(BLOCK, examples - turn * BLOCK)
            if left <= 0 or not self.units:
                return
            for unit in self.units:
                yield replace(unit, seed=unit.seed + turn, examples=left)


def cells(request: Request) -> Cells:
    """The cells that are meant. Raises CaseError for a path without cells, or an unknown size."""
    units: list[Unit] = []
    malformed: list[Malformed] = []
    known: dict[str, None] = {}
    for path, name in _files(request.cases):
        for cell in cases.chosen(path, name):
            if isinstance(cell, Malformed):
                malformed.append(cell)
                continue
            over_time = unroll(cell)
            names = [*cell.size_names, *(over_time.cell.size_names if over_time else ())]
            known.update(dict.fromkeys(names))
            sizes = tuple((name, size) for name, size in request.sizes if name in names)
            unit = Unit(str(path), cell.name, request.seed, BLOCK, sizes, request.reference)
            units.append(replace(unit, digest=unit.read()))
    for size, _ in request.sizes:
        if size not in known:
            raise CaseError(f"No cell has a size {size!r}.{nearest(size, known)}")
    return Cells(tuple(dict.fromkeys(units)), tuple(malformed))


def _files(given: tuple[str, ...]) -> Iterator[tuple[Path, str | None]]:
    """The files that are meant, whole, each with the one cell of it that is meant."""
    for one in given:
        text, _, name = one.partition("::")
        path = Path(text).resolve()
        if path.is_dir():
            found = list(twins.case_files(path))
            if not found:
                raise CaseError(
                    f"{shown_path(path)} has no case files: Python files that are no helpers."
                )
            yield from ((file, None) for file in found)
        elif path.is_file():
            yield path, name or None
        else:
            raise CaseError(
                f"{text} is no file or folder.\nWrite a folder, FILE or FILE::CELL that is there."
            )
