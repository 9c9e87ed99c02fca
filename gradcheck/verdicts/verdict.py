"""A failed check with all that a person needs, as data; every report is a printing of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.checking.check import Check
from gradcheck.checking.derived import SUBJECT, Derived
from gradcheck.checking.judge import by_autograd, numeric
from gradcheck.checking.tally import Record
from gradcheck.drawing.draw import Example
from gradcheck.errors import CaseError
from gradcheck.evidence import Evidence
from gradcheck.finding import Wrong
from gradcheck.lines import declare
from gradcheck.lines.blame import Blame, Blamer, WrongLine
from gradcheck.lines.budget import Cut
from gradcheck.lines.hint import Hint
from gradcheck.running.run import Crash
from gradcheck.verdicts import agreement, patterns
from gradcheck.verdicts.fresh import Inquiry
from gradcheck.verdicts.patterns import Pattern
from gradcheck.verdicts.witnesses import Witnesses, forwards_agree, hear

UNDECLARED = "kink-undeclared"


@dataclass(frozen=True)
class Verdict:
    """What is wrong (``finding``), who says so (``witnesses``), in which ``lines``, what is
    striking (``patterns``), and on which example. Without an example the finding is of them all.

    ``special`` are the kinds of inputs without which it does not fail; ``hint`` is a contract that
    would make the derivation right; ``cut`` is where the search for the lines ended, if not all was
    tried; ``command`` repeats it.
    """

    cell: str
    node: str
    finding: Wrong
    path: Path | None = None
    witnesses: Witnesses | None = None
    lines: tuple[WrongLine, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    hint: Hint | None = None
    cut: Cut | None = None
    special: tuple[str, ...] = ()
    example: Example | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    cotangents: Mapping[str, Array] = field(default_factory=dict)
    command: str = ""


@np.errstate(all="ignore")
def explain(record: Record, blamer: Blamer | None = None, command: str = "") -> Verdict | None:
    """Why a check failed; None if it did not. ``blamer`` finds the wrong lines of its cell."""
    if record.wrong is None:
        return None
    check = record.check
    source = check.cell.source
    path = source.path if source else None
    verdict = Verdict(check.cell.name, check.label, record.wrong, path, command=command)
    if record.failure is None:
        return verdict
    example, finding = record.failure
    evidence = check.examiner.evidence(example)
    verdict = replace(
        verdict, example=example, inputs=evidence.inputs, cotangents=_cotangents(evidence)
    )
    if finding.comparison is None:
        special = () if finding.kind == UNDECLARED else _special(check, evidence)
        return replace(verdict, special=special, hint=_declaration(verdict, evidence))
    if check.argument is None:
        return replace(verdict, patterns=agreement.find(check.examiner))
    blame = blamer.blame(example) if blamer else Blame()
    twin = check.examiner.twin is not None and forwards_agree(evidence)
    refer = by_autograd if twin else numeric
    inquiry = Inquiry(check.examiner, check.argument, refer, check.time)
    return replace(
        verdict,
        witnesses=hear(evidence, check.argument),
        lines=blame.lines,
        patterns=patterns.find(inquiry, example),
        hint=blame.hint,
        cut=blame.cut,
    )


def unfinished(far: Derived, command: str) -> Verdict | None:
    """What a half-written backward lacks; None of one that is not begun."""
    if far.wrong is None:
        return None
    path = far.cell.source.path if far.cell.source else None
    return Verdict(far.cell.name, SUBJECT, far.wrong, path, command=command)


def _special(check: Check, evidence: Evidence) -> tuple[str, ...]:
    """The kind of inputs without which a failure that is not of values does not show."""
    example = evidence.example
    plain = replace(example, regime="ordinary", dtype="float64")
    if plain == example or isinstance(check.judge(check.examiner.evidence(plain)), Wrong):
        return ()
    regime = (example.regime,) if example.regime != plain.regime else ()
    return regime + ((example.dtype,) if example.dtype != plain.dtype else ())


def _declaration(verdict: Verdict, evidence: Evidence) -> Hint | None:
    """What to write of a kink that is not declared."""
    source = evidence.cell.source
    if verdict.finding.kind != UNDECLARED or source is None or source.content is None:
        return None  # only the file of a case may be executed again
    return declare.declaration(source.path, verdict.cell, evidence.wide.inputs)


def _cotangents(evidence: Evidence) -> dict[str, Array]:
    try:
        given = evidence.cotangents
    except (Crash, CaseError):
        return {}
    return {f"d{name}": d for name, d in zip(evidence.cell.outputs, given, strict=True)}
