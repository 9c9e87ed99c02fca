"""Findings as plain data, for JSON: numbers, names, and the sentences that a message would have.

docs/api.md has the form; ``SCHEMA`` is its version.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from gradcheck.drawing.draw import Example
from gradcheck.finding import Finding, Unjudged, Wrong
from gradcheck.lines.proof import Proof
from gradcheck.mutation.mutate import Score
from gradcheck.oracles.reference import Reference
from gradcheck.show import hints, patterns, witnesses
from gradcheck.show.sentences import sentence
from gradcheck.steps.rows import Row, Traced
from gradcheck.verdicts.verdict import Verdict
from gradcheck.verdicts.witnesses import Witnesses

SCHEMA = 1


def verdict(one: Verdict) -> dict[str, Any]:
    """A verdict with all that its message says."""
    return {
        "cell": one.cell,
        "node": one.node,
        "file": str(one.path) if one.path else None,
        "finding": finding(one.finding),
        "witnesses": _witnesses(one.witnesses) if one.witnesses else None,
        "lines": [asdict(line) | {"mends": list(line.mends)} for line in one.lines],
        "patterns": [
            plain({"kind": p.kind, "name": p.name, "facts": p.facts, "said": patterns.sentence(p)})
            for p in one.patterns
        ],
        "hint": hints.sentence(one.hint) if one.hint else "",
        "cut": asdict(one.cut) if one.cut else None,
        "special": list(one.special),
        "example": example(one.example) if one.example else None,
        "inputs": plain(one.inputs),
        "cotangents": plain(one.cotangents),
        "command": one.command,
    }


def finding(one: Wrong) -> dict[str, Any]:
    """What is wrong: by which kind, where, what it is and should be."""
    return {
        "kind": one.kind,
        "said": sentence(one),
        "name": one.name,
        "index": list(one.index) if one.index is not None else None,
        "got": plain(one.got),
        "want": plain(one.want),
        "oracle": one.reference.oracle if one.reference else None,
        "facts": plain(one.facts),
    }


def judged(one: Finding) -> dict[str, Any]:
    """What a check found on one example."""
    match one:
        case Wrong():
            return {"verdict": "wrong", **finding(one)}
        case Unjudged(reason):
            return {"verdict": "unjudged", "reason": reason.value}
    return {"verdict": "right"}


def trace(one: Traced) -> dict[str, Any]:
    """A cell worked through, in the form that docs/api.md gives."""
    walked = one.walked
    return {
        "schema": SCHEMA,
        "cell": one.cell,
        "file": str(one.file),
        "ok": one.ok,
        "steps": one.steps,
        "given": _rows(walked.given),
        "forward": [{"step": step.number, "rows": _rows(step.rows)} for step in walked.forward],
        "backward": [{"step": step.number, "rows": _rows(step.rows)} for step in walked.backward],
        "totals": _rows(one.totals),
        "findings": {label: judged(found) for label, found in one.findings.items()},
        "lines": [asdict(line) | {"mends": list(line.mends)} for line in one.lines],
        "failed": walked.failed,
        "unfollowed": one.unfollowed,
    }


def _rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [
        {**plain(vars(row)), "shape": None if row.value is None else list(np.shape(row.value))}
        for row in rows
    ]


def example(one: Example) -> dict[str, Any]:
    return {**asdict(one), "sizes": dict(one.sizes)}


def _witnesses(heard: Witnesses) -> dict[str, Any]:
    asked = (*heard.numeric, heard.autograd) if heard.autograd else heard.numeric
    return {
        "odd": heard.odd.value,
        "said": witnesses.sentence(heard),
        "gap": heard.gap,
        "oracles": {reference.oracle: _reference(reference) for reference in asked},
    }


def _reference(one: Reference) -> dict[str, Any]:
    found = {"value": one.value, "error": one.error, "directions": len(one.directions)}
    return {name: plain(value) for name, value in found.items()}


def proofs(every: Sequence[Proof], error: str = "") -> dict[str, Any]:
    """Proofs in the form that docs/proofreading.md gives."""
    found = {"schema": SCHEMA, "cells": [proof(one) for one in every]}
    return {**found, "error": error} if error else found


def proof(one: Proof) -> dict[str, Any]:
    """A verdict on each line of a cell."""
    lines = [asdict(line) for line in one.lines]
    return {
        "cell": one.cell,
        "file": str(one.path),
        "verdict": one.verdict,
        "reason": one.reason,
        "hint": hints.sentence(one.hint) if one.hint else "",
        "cut": asdict(one.cut) if one.cut else None,
        "missing": list(one.missing),
        "absent": list(one.absent),
        "lines": [{**line, "mends": list(line["mends"])} for line in lines],
    }


def scores(every: Sequence[Score], error: str = "") -> dict[str, Any]:
    """Scores as plain data, in the form that docs/mutation.md gives."""
    cells = [
        {
            "cell": score.cell,
            "mutants": score.mutants,
            "equivalent": score.equivalent,
            "killed": score.killed,
            "survivors": [asdict(survivor) for survivor in score.survivors],
        }
        for score in every
        if not score.reason
    ]
    said = "\n".join(filter(None, [error, *(score.reason for score in every)]))
    found = {"schema": SCHEMA, "cells": cells}
    return {**found, "error": said} if said else found


def plain(value: Any) -> Any:
    """A value as JSON can hold it: arrays as lists, inf and nan as strings, all else as text."""
    match value:
        case np.ndarray() | np.generic():
            return plain(value.tolist())
        case float() if not math.isfinite(value):
            return str(value)
        case None | bool() | int() | float() | str():
            return value
        case list() | tuple() | set() | frozenset():
            return [plain(part) for part in value]
    if hasattr(value, "items"):
        return {str(name): plain(part) for name, part in value.items()}
    return str(value)
