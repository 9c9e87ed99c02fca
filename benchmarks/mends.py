"""Mends per mutant: a slip is planted into a right backward, and its line is asked for.

Mutation and proofreading keep each other honest: what the one plants the other should give back,
as exactly that line, with a statement that makes every gradient right.
"""

import itertools
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.asked import BACK, Asked, ask, is_mistake
from benchmarks.faults import ROOT
from benchmarks.store import Store
from gradcheck.mutation import equivalence, mutants
from gradcheck.mutation.equivalence import Generic
from gradcheck.mutation.mutants import Mutant
from gradcheck.source import cases
from gradcheck.source.listing import Listing

STORE = "mends"


@dataclass(frozen=True)
class Question:
    """A mutant that is a mistake of its gradients, by what finds it again."""

    path: Path
    cell: str
    line: int
    mutant: str


def sample(paths: Iterable[Path], most: int) -> list[Question]:
    """So many mutants of every cell in these files, and over all cells every slip alike.

    Each cell in turn gives one of the slip that was taken least often so far, of the line of its
    own that was; which of those is chance, and the same in every run.
    """
    slips: Counter[str] = Counter()
    cells = [_Cell(path, name, slips) for path in paths for name in _names(path)]
    turns = (cell for _ in range(most) for cell in cells)
    return [question for cell in turns if (question := cell.next()) is not None]


def _names(path: Path) -> list[str]:
    return [cell.name for cell in cases.read(path)]


class _Cell:
    """The mutants of a cell that are still to be had."""

    def __init__(self, path: Path, name: str, slips: Counter[str]) -> None:
        self._path, self._slips, self._lines = path, slips, Counter[int]()
        self._listing = Listing.of(path, name)
        self._examples = list(equivalence.generic(self._listing.cell()))
        self._left = _mutants(self._listing, self._examples)
        random.Random(name).shuffle(self._left)

    def next(self) -> Question | None:
        while self._left:
            mutant = min(self._left, key=lambda m: (self._slips[m.slip], self._lines[m.line]))
            self._left.remove(mutant)
            if is_mistake(self._listing, mutant, self._examples):
                self._slips[mutant.slip] += 1
                self._lines[mutant.line] += 1
                return Question(self._path, self._listing.name, mutant.line, mutant.mutant)
        return None


def answers(path: Path, questions: Iterable[Question]) -> Iterator[tuple[Question, Asked]]:
    """What came of each question about the cells of one file."""
    for name, own in itertools.groupby(questions, lambda question: question.cell):
        listing = Listing.of(path, name)
        examples = list(equivalence.generic(listing.cell()))
        found = {(m.line, m.mutant): m for m in _mutants(listing, examples)}
        for question in own:
            yield question, ask(listing, found[question.line, question.mutant], examples)


def asked_of(path: Path, name: str, most: int) -> list[Asked]:
    """So many mutants of a cell, all its lines and slips in fair shares, and what came of each."""
    listing = Listing.of(path, name)
    examples = list(equivalence.generic(listing.cell()))
    found = mutants.stratified(_mutants(listing, examples))
    mistakes = (mutant for mutant in found if is_mistake(listing, mutant, examples))
    return [ask(listing, mutant, examples) for mutant in itertools.islice(mistakes, most)]


def _mutants(listing: Listing, examples: list[Generic]) -> list[Mutant]:
    first = examples[0].evidence
    return mutants.mutants(listing, first.inputs, first.cotangents)


def measured(questions: Iterable[Question], store: Store) -> Iterator[Asked]:
    """What came of each question; what is in the store is not asked again."""
    for path, own in by_file(questions).items():
        asked = sorted(own, key=lambda question: question.cell)
        yield from (store[one] for one in asked if one in store)
        for question, found in answers(path, [one for one in asked if one not in store]):
            store[question] = found
            yield found


def by_file(questions: Iterable[Question]) -> dict[Path, list[Question]]:
    """The questions of each file."""
    found: dict[Path, list[Question]] = {}
    for question in questions:
        found.setdefault(question.path, []).append(question)
    return found


def kept(questions: list[Question]) -> list[Asked]:
    """What came of each, as far as it is not in the store yet."""
    return list(measured(questions, Store(STORE)))


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--most", default=2, show_default=True, help="Mutants of each cell.")
@click.option("--anew", is_flag=True, help="Forget what a run that was stopped has measured.")
def main(files: tuple[Path, ...], most: int, anew: bool) -> None:
    """Plant slips into the cells of FILES, by default of cases/, and ask for their lines.

    Prints each that did not come back, and how many did. A run that was stopped goes on.
    """
    paths = [path.resolve() for path in files] or sorted((ROOT / "cases").glob("*.py"))
    found = []
    for one in measured(sample(paths, most), Store(STORE, anew=anew)):
        found.append(one)
        if one.came != BACK:
            click.echo(f"{one}  ({one.seconds:.1f} s)")
    back = sum(one.came == BACK for one in found)
    seconds = sum(one.seconds for one in found)
    click.echo(f"{back} of {len(found)} came back as exactly that line with a mend that is right,")
    click.echo(
        f"in {seconds:.0f} s of CPU, at most {max(one.seconds for one in found):.1f} s each."
    )


if __name__ == "__main__":
    main()
