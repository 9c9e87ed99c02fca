"""Judge every line of a derivation: right, wrong, fed by a wrong line, or why not judged."""

import ast
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck.arrays import close, is_number
from gradcheck.cells.cell import Array, Cell
from gradcheck.checking.check import Check, checks
from gradcheck.checking.explore import Plan, search
from gradcheck.drawing.draw import Example
from gradcheck.errors import CaseError, shown_path
from gradcheck.evidence import Evidence
from gradcheck.finding import Finding, Reason, Right, Unjudged, Wrong
from gradcheck.lines import instrument, mend, suggest
from gradcheck.lines.influence import influence
from gradcheck.lines.instrument import Line, Script
from gradcheck.lines.mend import Findings
from gradcheck.lines.trial import CLOSE, Bench
from gradcheck.paper import writer
from gradcheck.source import cases
from gradcheck.source.cases import Malformed

RIGHT, WRONG, FED = "right", "wrong", "fed-by-wrong"
NOT_REACHED, NOT_FOLLOWED, UNJUDGED = "not-reached", "not-followed", "unjudged"


@dataclass(frozen=True)
class Judged:
    """One line with its verdict; ``reason`` says why a line is not followed."""

    line: int
    source: str
    verdict: str
    error: float | None = None
    mends: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Proof:
    """A cell with a verdict on each line of its backward."""

    cell: str
    path: Path
    verdict: str
    lines: tuple[Judged, ...] = ()
    missing: tuple[str, ...] = ()  # gradients that are not derived yet
    absent: tuple[str, ...] = ()  # statements that should stand at the head of the backward
    reason: str = ""  # why it is unjudged
    hint: str = ""  # a contract that would make it right
    example: "Worked | None" = None


@dataclass(frozen=True)
class Worked:
    """A worked example at the smallest sizes: values, and gradients by hand beside true ones."""

    example: Example
    inputs: dict[str, Any]
    cotangents: dict[str, Array]
    values: dict[str, Array]
    gradients: tuple[tuple[str, Any, Any], ...]  # name, by hand, true


@np.errstate(all="ignore")
def proofread(path: Path, only: str | None = None) -> tuple[Proof, ...]:
    """The proofs of all cells of a case file, or of one; or that of a file of plain equations.

    Raises CaseError if the file cannot be read, or has no cell of that name.
    """
    if path.suffix != ".py":
        read, notes = writer.cell(path)
        return (_judged(path, path.stem, read, lambda text: writer.spelled(notes, text)),)
    cells = cases.read(path)
    chosen = [cell for cell in cells if only is None or cell.name == only]
    if not chosen:
        names = ", ".join(cell.name for cell in cells)
        raise CaseError(f"{shown_path(path)} has no cell {only}; it has {names}.")
    return tuple(_proof(path, cell) for cell in chosen)


def _proof(path: Path, cell: Cell | Malformed) -> Proof:
    if isinstance(cell, Malformed):
        return Proof(cell.name, path, UNJUDGED, reason=cell.message)
    try:
        read = instrument.read(path.resolve(), cell.name)
    except CaseError as error:
        return Proof(cell.name, path, UNJUDGED, reason=str(error))
    return _judged(path, cell.name, read, str)


def _judged(path: Path, name: str, read: Script, spell: Callable[[str], str]) -> Proof:
    findings = mend.find(read)
    if not findings.wrong and not findings.missing and (failing := list(_failing(read.cell))):
        findings = mend.find(read, failing)
        if not findings.wrong:
            reason = f"It is wrong at {failing[0]}, but rounding there hides which line is."
            return Proof(name, path, UNJUDGED, reason=reason)
    hint = ""
    if findings.wrong and not findings.clear and path.suffix == ".py":
        hint = suggest.contract(read, sorted(findings.wrong))
    return replace(judged(path, read, findings, spell), cell=name, hint=hint)


def _failing(cell: Cell) -> Iterator[Example]:
    """An example on which a check of the cell fails, for mistakes that seldom show."""
    gradients = [check for check in checks(cell, None) if check.oracle == "fd"]

    def judge(evidence: Evidence) -> Finding:
        if evidence.example.dtype != "float64":
            return Unjudged(Reason.FLOAT32)  # where rounding hides the line
        findings = (check.judge(evidence) for check in gradients)
        return next((found for found in findings if isinstance(found, Wrong)), Right())

    together = Check("all", "fd", "forward", gradients[0].examiner, judge)
    failure = search(together, Plan(shrink=False)).failure
    if failure is not None:
        yield failure[0]


def judged(path: Path, read: Script, findings: Findings, spell: Callable[[str], str]) -> Proof:
    """The verdicts that follow from what was found; ``spell`` writes a mend as the file would."""
    bench = findings.bench
    if bench is None or not bench.draws:
        reason = "The forward or the backward fails on every example, so no line can be followed."
        return Proof(read.cell.name, path, UNJUDGED, reason=reason)
    judge = _Judge(read, findings, bench, spell)
    lines = tuple(judge.line(line) for line in judge.in_order() if not line.absent)
    absent = tuple(spell(f.mends[0]) for f in findings.faults if f.line.absent and f.mends)
    missing = tuple(f"d{a.name}" for a in read.cell.arguments if a.name in findings.missing)
    if findings.wrong or any(line.verdict == WRONG for line in lines):
        verdict = WRONG
    else:
        verdict = UNJUDGED if missing else RIGHT
    reason = "The derivation is not finished." if verdict == UNJUDGED else ""
    worked = _worked(read, findings.wrong)
    return Proof(read.cell.name, path, verdict, lines, missing, absent, reason, example=worked)


class _Judge:
    """What each line assigned as written, beside what it assigns with every fault mended."""

    def __init__(
        self, read: Script, findings: Findings, bench: Bench, spell: Callable[[str], str]
    ) -> None:
        self.read, self.findings, self.bench, self.spell = read, findings, bench, spell
        self.faults = {fault.line.key: fault for fault in findings.faults}
        self.pairs = []
        for drawn in findings.draws or bench.draws:
            _, written, _ = bench.watched(drawn, {})
            _, mended, _ = bench.watched(drawn, findings.changes)
            self.pairs.append((written, mended))

    def in_order(self) -> list[Line]:
        return sorted(self.read.lines, key=lambda line: (line.number, line.key))

    def line(self, line: Line) -> Judged:
        fault = self.faults.get(line.key)
        if fault is not None:
            mends = tuple(map(self.spell, fault.mends))
            return Judged(line.number, line.source, WRONG, fault.error, mends)
        if not any(line.key in written for written, _ in self.pairs):
            return Judged(line.number, line.source, NOT_REACHED)
        same = all(
            _same(written.get(line.key), mended.get(line.key)) for written, mended in self.pairs
        )
        if not self.findings.unexplained:
            claimed = self.findings.claimed.get(line.key)
            if self.findings.missing and claimed is None and not self._reaches(line):
                why = "it names no quantity of the forward, and reaches no gradient yet"
                return Judged(line.number, line.source, NOT_FOLLOWED, reason=why)
            passes_on = self.findings.wrong and _computes(line)
            return Judged(line.number, line.source, RIGHT if same and not passes_on else FED)
        if self.findings.claimed.get(line.key):
            return Judged(line.number, line.source, RIGHT)
        wrong = ", ".join(f"d{name}" for name in sorted(self.findings.unexplained))
        if self._reaches(line):
            why = f"this line or another that {wrong} hangs on is wrong; which one is not proved"
            return Judged(line.number, line.source, NOT_FOLLOWED, reason=why)
        return Judged(line.number, line.source, RIGHT if same else FED)

    def _reaches(self, line: Line) -> bool:
        """Whether the line feeds a gradient that is returned (one that is wrong, if any is)."""
        reached = influence(self.bench, line, self.findings.changes)
        wanted = self.findings.unexplained or (self.bench.names - self.findings.missing)
        return bool(reached & wanted)


def _computes(line: Line) -> bool:
    """Whether a return statement does more than hand over names."""
    if not isinstance(line.statement, ast.Return):
        return False
    value = line.expression
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    return not all(isinstance(part, ast.Name | ast.Constant) for part in parts)


def _same(written: list[Any] | None, mended: list[Any] | None) -> bool:
    if written is None or mended is None or len(written) != len(mended):
        return written == mended
    return all(_equal(a, b) for a, b in zip(written, mended, strict=True))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return all(_equal(a, b) for a, b in zip(one, other, strict=True))
    return close(one, other, CLOSE) if is_number(one) and is_number(other) else True


def _small(cell: Cell) -> Iterator[tuple[tuple[str, int], ...]]:
    """Sizes from all 1 up: some of them 2, then 3."""
    names = cell.size_names
    for size in (2, 3):
        for count in range(len(names) + 1):
            for larger in itertools.combinations(names, count):
                yield tuple((name, size if name in larger else 1) for name in names)


def _worked(read: Script, wrong: frozenset[str]) -> Worked | None:
    """The smallest example that shows what is wrong, if anything is."""
    small = Bench(read, ())
    example = None
    for sizes in _small(read.cell):
        example = Example(sizes, 0)
        small = Bench(read, [example])
        if small.draws and (not wrong or wrong - small.right({})):
            break
    if example is None or not small.draws:
        return None
    drawn = small.draws[0]
    returned, seen, _ = small.watched(drawn, {})
    gradients: list[tuple[str, Any, Any]] = []
    for line in sorted(read.lines, key=lambda line: (line.number, line.key)):
        for name, value in _assigned(line, seen.get(line.key, [])):
            quantity = read.quantity(name)
            true = small.truth(drawn, quantity) if quantity else None
            gradients = [row for row in gradients if row[0] != name]  # the last value counts
            gradients.append((name, value, true))
    for argument in read.cell.arguments:
        if f"d{argument.name}" not in {row[0] for row in gradients}:
            true = drawn.truth.get(argument.name)
            gradients.append((f"d{argument.name}", returned[argument.name], true))
    values = {
        name: drawn.scope[name] for name in read.quantities if is_number(drawn.scope.get(name))
    }
    cotangents = dict(zip(read.cotangents, drawn.cotangents, strict=True))
    return Worked(example, drawn.inputs, cotangents, values, tuple(gradients))


def _assigned(line: Line, seen: list[Any]) -> Iterable[tuple[str, Any]]:
    """The plain names that a line assigns, with the last value of each."""
    if not seen or line.absent or line.site:
        return
    values = seen[-1] if isinstance(seen[-1], tuple) else (seen[-1],)
    if len(values) == len(line.targets):
        for name, value in zip(line.targets, values, strict=True):
            if is_number(value):
                yield name, np.asarray(value)
