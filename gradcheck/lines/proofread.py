"""Judge every line of a derivation: right, wrong, fed by a wrong line, or why not judged."""

import ast
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck.arrays import close, is_number
from gradcheck.checking.check import Check
from gradcheck.checking.explore import Plan, search
from gradcheck.checking.judge import gradient, numeric
from gradcheck.checking.passing import Found
from gradcheck.drawing.draw import Example
from gradcheck.errors import CaseError
from gradcheck.evidence import Evidence
from gradcheck.finding import Finding, Reason, Right, Unjudged, Wrong
from gradcheck.lines import mend, slopes, suggest
from gradcheck.lines.findings import Findings
from gradcheck.lines.influence import influence
from gradcheck.lines.instrument import Line, Script
from gradcheck.lines.proof import (
    FED,
    NOT_FOLLOWED,
    NOT_REACHED,
    RIGHT,
    UNJUDGED,
    WRONG,
    Judged,
    Proof,
)
from gradcheck.lines.slopes import CLOSE
from gradcheck.lines.trial import Bench
from gradcheck.lines.worked import worked
from gradcheck.running.run import Crash

_NOT_FOLLOWED = (
    "No line can be followed: on ordinary numbers the forward or the backward fails, or rounding "
    "hides the gradients."
)


@np.errstate(all="ignore")
def proofread(
    name: str, path: Path, read: Callable[[], Script], spell: Callable[[str], str] = str
) -> Proof:
    """A verdict on each line of a cell; ``spell`` writes a mend as its file would."""
    try:
        script = read()
    except CaseError as error:
        return Proof(name, path, UNJUDGED, reason=str(error))
    findings = mend.find(script)
    if not findings.wrong and not findings.missing and (failing := list(_failing(script))):
        findings = mend.find(script, failing)
        if not findings.wrong:
            reason = f"It is wrong at {failing[0]}, but rounding there hides which line is."
            return Proof(name, path, UNJUDGED, reason=reason)
    hint = None
    if findings.wrong and not findings.clear and script.python:
        hint = suggest.contract(script, sorted(findings.wrong))
    proof = judged(path, script, findings, spell)
    return replace(proof, cell=name, hint=hint, cut=findings.cut)


def _failing(script: Script) -> Iterator[Example]:
    """An example on which a gradient is wrong, for mistakes that seldom show."""
    judges = {a.name: gradient(a.name, numeric) for a in script.cell.arguments}

    def judge(evidence: Evidence) -> Finding:
        if evidence.example.dtype != "float64":
            return Unjudged(Reason.FLOAT32)  # where rounding hides the line
        # No line is judged by entries that are nothing beside their tensor.
        evidence = script.examiner.evidence(replace(evidence.example, closely=False))
        known: Found = {}
        with suppress(Crash, CaseError):
            known = slopes.right(evidence)
        findings = (judges[name](evidence) for name in judges if name not in known)
        return next((found for found in findings if isinstance(found, Wrong)), Right())

    together = Check("all", "fd", "forward", script.examiner, judge)
    failure = search(together, Plan(shrink=False)).failure
    if failure is not None:
        yield replace(failure[0], closely=False)


def judged(path: Path, read: Script, findings: Findings, spell: Callable[[str], str]) -> Proof:
    """The verdicts that follow from what was found; ``spell`` writes a mend as the file would."""
    bench = findings.bench
    if bench is None:
        return Proof(read.cell.name, path, UNJUDGED, reason=_NOT_FOLLOWED)
    judge = _Judge(read, findings, bench, spell)
    lines = tuple(judge.line(line) for line in judge.in_order() if not line.absent)
    absent = tuple(spell(f.mends[0]) for f in findings.faults if f.line.absent and f.mends)
    missing = tuple(f"d{a.name}" for a in read.cell.arguments if a.name in findings.missing)
    if findings.wrong or any(line.verdict == WRONG for line in lines):
        verdict = WRONG
    else:
        verdict = UNJUDGED if missing else RIGHT
    reason = "The derivation is not finished." if verdict == UNJUDGED else ""
    example = worked(read, findings.wrong)
    return Proof(read.cell.name, path, verdict, lines, missing, absent, reason, example=example)


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
            mended = bench.watched(drawn, findings.changes)[1] if findings.changes else written
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
    if not (is_number(one) and is_number(other)):
        return True
    return close(np.asarray(one), np.asarray(other), CLOSE)  # not as a matrix
