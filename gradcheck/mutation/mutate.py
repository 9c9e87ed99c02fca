"""Plant mistakes into a right backward, and count those that its checks see.

A mutant is killed if any node that pytest runs of its cell fails, with the same examples. One
that gives the same gradients on generic numbers, and does nothing else that it should not, is no
mistake: it is set apart as equivalent. One that fails at once, or returns something of the wrong
shape, is left out: nobody needs a gradient check to find it.
"""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gradcheck.cells.cell import Cell
from gradcheck.checking.check import Check, checks
from gradcheck.checking.explore import Plan, search
from gradcheck.errors import CaseError, shown_path
from gradcheck.mutation import mutants
from gradcheck.mutation.equivalence import EQUIVALENT, differing, generic
from gradcheck.oracles import twins
from gradcheck.source import cases
from gradcheck.source.cases import Malformed
from gradcheck.source.listing import Listing

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from gradcheck.oracles.autograd import Twin

MOST = 500
_ORDER = ("autograd", "fd", "unrolled")

# Of a cell, its twin and the gradients that are thought to be wrong: the first node that fails.
Judge = Callable[[Cell, "Twin | None", frozenset[str]], str | None]
# Told of a cell by name how many mutants are judged, of how many at most.
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Survivor:
    """A mistake that no check sees."""

    line: int
    source: str
    mutant: str


@dataclass(frozen=True)
class Score:
    """What became of the mutants of a cell; ``reason`` says why there are none."""

    cell: str
    path: Path
    killed: int = 0
    equivalent: int = 0
    survivors: tuple[Survivor, ...] = ()
    reason: str = ""

    @property
    def mutants(self) -> int:
        return self.killed + len(self.survivors)


def caught(
    cell: Cell, twin: "Twin | None", suspected: frozenset[str], profile: str = "default"
) -> str | None:
    """The first node of the cell that fails on the examples of a profile, likeliest first.

    The forward is not asked: it is the author's.
    """
    nodes = [check for check in checks(cell, twin) if check.subject != "forward"]
    nodes.sort(key=lambda check: _rank(check, suspected))
    return next(_failing(nodes, profile), None)


def _rank(check: Check, suspected: frozenset[str]) -> tuple[int, int]:
    oracle = (*_ORDER, check.oracle).index(check.oracle)
    if check.subject == "law":  # first where all gradients are right: it forbids something else
        return (1 if suspected else 0), 0
    return (0 if check.argument in suspected else 2), oracle


def _failing(nodes: Iterable[Check], profile: str) -> Iterator[str]:
    for check in nodes:
        if search(check, Plan(profile, shrink=False)).wrong is not None:
            yield check.label


def mutate(
    path: Path,
    only: str | None = None,
    *,
    reference: Path = Path("reference"),
    most: int = MOST,
    judge: Judge = caught,
    tell: Tell = lambda name, done, total: None,
    profile: str = "default",
) -> tuple[Score, ...]:
    """The scores of all cells of a case file, or of one.

    ``profile`` says on how many examples a cell must be right before it is mutated.
    Raises CaseError if it has no cell of that name.
    """
    beside = twins.beside(path, reference)
    scores = []
    with quiet():
        cells = cases.chosen(path, only)
    for cell in cells:
        if isinstance(cell, Malformed):
            scores.append(Score(cell.name, path, reason=cell.message))
            continue
        read, find = partial(Listing.of, path, cell.name), partial(twins.find, path=beside)
        asked = partial(score, cell, read, find, path, most=most)
        scores.append(asked(judge=judge, tell=tell, profile=profile))
    return tuple(scores)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """What an author's code prints and warns of would be printed for every mutant."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def score(
    cell: Cell,
    read: Callable[[], Listing],
    find: Callable[[Cell], "Twin | None"],
    path: Path,
    *,
    most: int = MOST,
    judge: Judge = caught,
    tell: Tell = lambda name, done, total: None,
    profile: str = "default",
) -> Score:
    """The score of one cell; ``read`` lists its derivation, ``find`` finds its twin."""
    with quiet():
        tell(cell.name, 0, most)
        try:
            listing, twin = read(), find(cell)
        except CaseError as error:
            return Score(cell.name, path, reason=str(error))
        wrong = next(_failing(checks(cell, twin), profile), None)
        if wrong is not None:
            where = f"{shown_path(path)}::{cell.name}"
            reason = f"{where} is wrong already, at {wrong}. To see it: pytest {where}"
            return Score(cell.name, path, reason=reason)
        return _counted(listing, cell, twin, most, judge, tell)


def _counted(
    listing: Listing, cell: Cell, twin: "Twin | None", most: int, judge: Judge, tell: Tell
) -> Score:
    examples = list(generic(cell))
    if not examples:
        reason = f"The forward of {cell.name} is not finite on any generic numbers."
        return Score(cell.name, listing.path, reason=reason)
    first = examples[0].evidence
    found = mutants.mutants(listing, first.inputs, first.cotangents)
    killed, equivalent = 0, 0
    survivors: list[Survivor] = []
    for mutant in mutants.stratified(found):
        done = killed + len(survivors)
        if done == most:
            break
        tell(cell.name, done, min(most, len(found)))
        try:
            mutated = listing.changed(mutant.original, mutant.changed).cell()
        except Exception:
            continue
        suspected = differing(mutated, examples)
        if suspected is None:
            continue
        if suspected is EQUIVALENT:
            equivalent += 1
        elif _sees(judge, mutated, twin, suspected):
            killed += 1
        else:
            survivors.append(Survivor(mutant.line, mutant.source, mutant.mutant))
    if not killed and not survivors:
        reason = f"No slip of the pen changes what the backward of {cell.name} returns."
        return Score(cell.name, listing.path, reason=reason)
    ordered = sorted(survivors, key=lambda survivor: survivor.line)
    return Score(cell.name, listing.path, killed, equivalent, tuple(ordered))


def _sees(judge: Judge, cell: Cell, twin: "Twin | None", suspected: frozenset[str]) -> bool:
    try:
        return judge(cell, twin, suspected) is not None
    except Exception:  # pytest, too, would end the node with it
        return True
