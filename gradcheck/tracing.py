"""A cell worked through: every value and every gradient, step by step, by hand and true."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array, Cell
from gradcheck.cells.unrolled import CLOCK, LAST, unroll
from gradcheck.checking.derived import as_far_as_it_goes
from gradcheck.drawing import draw
from gradcheck.drawing.archive import arrays
from gradcheck.drawing.draw import Example
from gradcheck.drawing.given import nearest
from gradcheck.errors import CaseError, WrongGradient, shown_path
from gradcheck.evidence import Evidence
from gradcheck.finding import Wrong
from gradcheck.lines import mend
from gradcheck.lines.blame import WrongLine
from gradcheck.lines.findings import Fault
from gradcheck.points import Point, counted, judged, only, posed
from gradcheck.running.run import Crash
from gradcheck.show import record
from gradcheck.show import steps as shown
from gradcheck.source.begun import begun
from gradcheck.steps.calls import Calls
from gradcheck.steps.rows import Row, Traced
from gradcheck.steps.walk import Walk
from gradcheck.targets import Target

_TIME = "T"  # the size of a cell that runs over time by itself


class Trace(Traced):
    """A cell worked through on some numbers. It prints like ``gradcheck show``."""

    def __str__(self) -> str:
        return shown.plain(self)

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, in the form that docs/api.md gives."""
        return record.trace(self)

    def raise_if_wrong(self) -> None:
        """Raise WrongGradient with this text if a gradient is wrong, or cannot be judged."""
        if not self.ok:
            raise WrongGradient(str(self))


@np.errstate(all="ignore")
def trace(
    what: Any,
    inputs: Mapping[str, Any] | str | Path | None = None,
    cotangents: Mapping[str, Any] | None = None,
    reference: Any = None,
    *,
    steps: int | None = None,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
) -> Trace:
    """Every value of a cell and every gradient, by hand and true, through so many ``steps``.

    ``what`` and ``reference`` are those of ``check``, of one cell. ``inputs`` are your own numbers
    by name, or a path of an .npz file that holds them, perhaps with cotangents such as dh among
    them; else they are drawn from ``seed``: two-decimal numbers, with B = 1 and every other size
    2 unless ``sizes`` says otherwise. Without ``steps`` the cell is called once.

    Raises CaseError for what cannot be read, and for numbers that do not fit.
    """
    counted(steps)
    target = _as_far_as_it_goes(only(what, reference))
    cell, time = _over_time(target.cell, steps)
    unrolled = steps if cell is not target.cell else None
    held = {} if steps is None else {time: steps}
    if inputs is None:
        drawn = _drawn(cell, {**(sizes or {}), **held}, seed)
        evidence = posed(target, drawn, cotangents, unrolled, seed)
    elif sizes:
        raise CaseError(f"The sizes are those of the inputs: leave out {', '.join(sizes)}.")
    elif isinstance(inputs, str | Path):
        evidence = _of_file(target, Path(inputs), cotangents or {}, unrolled, seed)
    else:
        evidence = posed(target, inputs, cotangents, unrolled, seed)
    for found in (dict(evidence.example.sizes), sizes or {}):
        if steps is not None and found.get(time, steps) != steps:
            raise CaseError(f"steps is {steps}, but {time} is {found[time]}.")
    return _traced(target, evidence, unrolled)


def _as_far_as_it_goes(target: Target) -> Target:
    """The cell without the stubs of a half-written backward; a forward alone as it is."""
    with suppress(CaseError):  # its lines cannot be followed: it is taken as it runs
        if not target.cell.derived:
            forward = target.listing(first=begun(target.cell))
            return replace(target, listing=lambda: forward)
        listing, far = as_far_as_it_goes(target.cell, target.listing)
        if far.half is not None:
            return replace(target, cell=listing.cell(), listing=lambda: listing)
    return target


def _over_time(cell: Cell, steps: int | None) -> tuple[Cell, str]:
    """The cell unrolled, or itself if that runs over time or has no steps; what counts them."""
    over_time = unroll(cell) if steps is not None else None
    if over_time is not None:
        return over_time.cell, over_time.time
    if steps is not None and _TIME not in cell.size_names:
        raise CaseError(
            f"{cell.name} has no recurrent state and no size {_TIME}, and so no steps.\n"
            "Leave the steps out."
        )
    return cell, _TIME


def _drawn(cell: Cell, sizes: Mapping[str, int], seed: int) -> dict[str, Any]:
    for name, size in sizes.items():
        if name not in cell.size_names:
            known = nearest(name, list(cell.size_names))
            raise CaseError(f"{cell.name} has no size {name!r}.{known}")
        if not isinstance(size, int) or size < 0:
            raise CaseError(f"{name} is {size!r}, but a size is a whole number from 0 up.")
    if not isinstance(seed, int) or seed < 0:
        raise CaseError(f"seed is {seed!r}; write a whole number from 0 up.")
    chosen = {name: 1 if name == "B" else 2 for name in cell.size_names} | dict(sizes)
    example = Example(tuple(chosen.items()), seed)
    if not draw.fits(cell, example):
        raise CaseError(f"An axis has a negative size at {example}.\nGive other sizes.")
    return {name: v for name, v in draw.inputs(cell, example).items() if name != CLOCK}


def _of_file(
    target: Target, path: Path, cotangents: Mapping[str, Any], steps: int | None, seed: int
) -> Evidence:
    values, own = _apart(target.cell, arrays(path))
    try:
        return posed(target, values, {**own, **cotangents}, steps, seed)
    except CaseError as error:
        raise CaseError(f"{error}\nThe inputs are those of {shown_path(path)}.") from None


def _apart(cell: Cell, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The inputs in a file, and the cotangents in it."""
    names = {argument.name for argument in cell.arguments + cell.constants}
    outputs = {f"d{name}{end}" for name in cell.outputs for end in ("", LAST)}
    own = {n: v for n, v in values.items() if n in outputs and n not in names}
    return {n: v for n, v in values.items() if n not in own}, own


def _traced(target: Target, evidence: Evidence, steps: int | None) -> Trace:
    point = judged(evidence)
    right = not any(isinstance(one, Wrong) for one in point.findings.values())
    unfollowed, found = "", None
    try:
        calls = Calls.of(target.listing())
        found = None if right else mend.find(target.script())
    except CaseError as error:
        calls, unfollowed = Calls(target.cell), str(error)
    walk = Walk(
        calls,
        evidence.inputs,
        _cotangents(evidence),
        steps,
        found.changes if found is not None and found.settled else {},
        right,
        _twin(evidence),
    )
    totals = tuple(_total(name, point) for name in evidence.cell.gradients)
    lines = tuple(map(_line, found.faults)) if found is not None else ()
    walked = walk.walked()
    findings = point.findings
    return Trace(target.cell.name, target.path, steps, walked, totals, findings, lines, unfollowed)


def _cotangents(evidence: Evidence) -> dict[str, Array]:
    """The cotangents by name. Raises CaseError with what the forward raises."""
    try:
        given = evidence.cotangents
    except Crash as error:
        raise CaseError(str(error)) from None
    return {f"d{n}": d for n, d in zip(evidence.cell.outputs, given, strict=True)}


def _twin(evidence: Evidence) -> dict[str, Array]:
    """The outputs of the twin, by name."""
    if evidence.twin is not None:
        with suppress(Crash, CaseError):  # a finding of each gradient
            return dict(zip(evidence.cell.outputs, evidence.beside.outputs, strict=True))
    return {}


def _total(name: str, point: Point) -> Row:
    """A gradient of the whole beside that of the first oracle that knows it."""
    wrong = any(
        isinstance(one, Wrong)
        for label, one in point.findings.items()
        if label.split("[")[0] == name
    )
    true = next((known[name] for known in point.truth.values() if name in known), None)
    return Row(name, point.gradients.get(name), true, wrong)


def _line(fault: Fault) -> WrongLine:
    line = fault.line
    return WrongLine(line.number, line.source, fault.mends, fault.error, line.absent)
