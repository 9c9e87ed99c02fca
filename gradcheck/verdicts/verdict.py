"""Weigh a failed check: who is the odd one out, what is striking, on which numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.arrays import entry
from gradcheck.cells.cell import Array
from gradcheck.checking.check import Check, Outcome, by_autograd, numeric
from gradcheck.drawing.draw import Example
from gradcheck.errors import CaseError
from gradcheck.evidence import Evidence
from gradcheck.lines.mend import Fault
from gradcheck.oracles.reference import Reference
from gradcheck.running.compare import Comparison, compare
from gradcheck.running.run import Crash
from gradcheck.verdicts import patterns

_ROWS = 5


@dataclass(frozen=True)
class Row:
    """One entry: its name, the value of each column, the error and what was allowed."""

    name: str
    values: tuple[float, ...]
    error: float
    allowed: float


@dataclass(frozen=True)
class Verdict:
    """A failed check with all that a person needs; every report is a printing of it."""

    headline: str
    judgement: str
    faults: tuple[Fault, ...]  # the lines that are proved wrong, in the order of the file
    patterns: tuple[str, ...]
    hint: str  # a contract that would make the derivation right
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    hidden: int  # wrong entries without a row
    example: Example
    inputs: Mapping[str, Any]
    cotangents: Mapping[str, Array]


@np.errstate(all="ignore")
def weigh(
    check: Check,
    evidence: Evidence,
    outcome: Outcome,
    faults: tuple[Fault, ...] = (),
    hint: str = "",
) -> Verdict:
    """The verdict on a failed outcome, on the example that showed it.

    ``faults`` are the wrong lines of the cell, if its source could be followed; ``hint`` is a
    contract that it might declare.
    """
    fault, _, judgement = (outcome.fault or "").partition("\n")  # a sentence, then what to do
    headline = f"{check.examiner.cell.name}: {fault}"
    columns: dict[str, Array] = {}
    striking: tuple[str, ...] = ()
    if outcome.comparison is not None:
        if check.argument is None:
            judgement = (
                "The twin computes something else than the case. Its gradients cannot be compared "
                "before their forwards agree; finite differences judge the derivation meanwhile."
            )
            columns = {"case": outcome.comparison.got, "twin": outcome.comparison.want}
        else:
            judgement, columns = _witnesses(check, evidence, outcome)
            refer = by_autograd if check.examiner.twin and _forwards_agree(evidence) else numeric
            striking = patterns.find(
                check.examiner, check.argument, refer, check.time, evidence.example
            )
    elif not outcome.undeclared:
        judgement = "\n".join(filter(None, (judgement, _only(check, evidence))))
    entries = outcome.comparison
    if outcome.reference is not None and outcome.reference.directions:
        entries = None  # no entry was compared by itself
    rows = _rows(outcome.output or check.subject, entries, columns)
    return Verdict(
        headline,
        judgement,
        faults if outcome.comparison is not None and check.argument is not None else (),
        striking,
        hint,
        tuple(columns),
        rows[:_ROWS],
        max(0, len(rows) - _ROWS),
        evidence.example,
        evidence.inputs,
        _cotangents(evidence),
    )


def _only(check: Check, evidence: Evidence) -> str:
    """Where a failure that is not of values needs other than ordinary inputs: a sentence on it."""
    example = evidence.example
    plain = replace(example, regime="ordinary", dtype="float64")
    if plain == example or check.judge(check.examiner.evidence(plain)).fault is not None:
        return ""
    special = [example.regime] * (example.regime != plain.regime)
    special += [example.dtype] * (example.dtype != plain.dtype)
    return f"Not on ordinary inputs in float64 of the same sizes: only on {' '.join(special)} ones."


def _witnesses(check: Check, evidence: Evidence, outcome: Outcome) -> tuple[str, dict[str, Array]]:
    """The derivation, differences and autograd: which one stands against the others."""
    name, comparison = check.argument, outcome.comparison
    assert name is not None
    assert comparison is not None
    differences = evidence.numeric.differences(name)
    best = evidence.numeric.best(name)
    seen = [differences] if best.oracle == differences.oracle else [best, differences]
    columns = {"backward": comparison.got}
    columns |= {_column(reference): reference.value for reference in seen}
    hand_right = evidence.compared(name, best).agrees
    if check.examiner.twin is None:
        return _two_numeric(seen), columns
    try:
        automatic = evidence.autograd(name)
    except (Crash, CaseError) as error:
        return f"The twin cannot be asked: {error}", columns
    columns[automatic.oracle] = automatic.value
    both = compare(
        best.seen(automatic.value),
        best.value,
        best.error,
        lambda: (
            best.blurred(evidence.noise(name, with_twin=True)),
            evidence.run.rounding.precision,
        ),
    )
    if not _forwards_agree(evidence):
        said = "The twin computes something else: its forward gives other outputs on these inputs."
        if hand_right:
            return f"{said} The derivation agrees with {best.oracle}.", columns
        return f"{said} The derivation is wrong as well: {best.oracle} disagrees too.", columns
    if both.agrees:
        gap = _gap(both)
        return (
            f"The derivation is wrong: {best.oracle} and autograd agree with each other{gap}.",
            columns,
        )
    if hand_right:
        return (
            f"Autograd is the odd one out: the derivation agrees with {best.oracle}, and the "
            "forwards are equal. Look in the twin for detach(), no_grad() or a custom backward.",
            columns,
        )
    if evidence.compared(name, automatic).agrees:
        return (
            f"The derivation and autograd agree; {best.oracle} cannot be trusted here. "
            "A kink of the forward (max, abs, relu, a branch) within one step would explain it.",
            columns,
        )
    return "No two of the three witnesses agree.", columns


def _two_numeric(seen: list[Reference]) -> str:
    if len(seen) == 1:
        return (
            "The derivation disagrees with finite differences, whose own error is known and small. "
            "There is no twin to ask."
        )
    both = compare(seen[1].value, seen[0].value, seen[1].error)
    return f"The derivation is wrong: {seen[0].oracle} and {seen[1].oracle} agree{_gap(both)}."


def _gap(both: Comparison) -> str:
    if both.scale == 0:
        return ""
    gap = float(both.error.max()) / both.scale
    if gap > 1e-3:  # agreement within rounding so wide is not worth a figure
        return ""
    return f" to {gap:.0e}" if gap else " exactly"


def _column(reference: Reference) -> str:
    return {"finite differences": "differences", "the complex step": "complex step"}.get(
        reference.oracle, reference.oracle
    )


def _forwards_agree(evidence: Evidence) -> bool:
    try:
        return all(comparison.agrees for comparison in evidence.outputs_compared().values())
    except (Crash, CaseError):
        return False


def _rows(name: str, comparison: Comparison | None, columns: dict[str, Array]) -> tuple[Row, ...]:
    """The wrong entries, worst first."""
    if comparison is None:
        return ()
    wrong = [tuple(int(k) for k in index) for index in np.argwhere(comparison.wrong)]
    error = np.nan_to_num(comparison.error, nan=np.inf)
    wrong.sort(key=lambda index: -float(error[index]))
    return tuple(
        Row(
            entry(name, index),
            tuple(float(column[index]) for column in columns.values()),
            float(error[index]),
            float(comparison.allowed[index]),
        )
        for index in wrong
    )


def _cotangents(evidence: Evidence) -> dict[str, Array]:
    try:
        given = evidence.cotangents
    except (Crash, CaseError):
        return {}
    return {f"d{name}": d for name, d in zip(evidence.cell.outputs, given, strict=True)}
