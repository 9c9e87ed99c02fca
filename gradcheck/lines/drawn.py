"""One draw of a script: its forward as it ran, and the true gradients of its arguments."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.arrays import arrays_in
from gradcheck.cells.cell import Array, Backward
from gradcheck.cells.returned import Unusable
from gradcheck.checking.passing import Found
from gradcheck.drawing import draw
from gradcheck.drawing.draw import EXTREME, Example
from gradcheck.errors import CaseError
from gradcheck.evidence import Evidence
from gradcheck.finding import Right
from gradcheck.lines import slopes
from gradcheck.lines.instrument import Script
from gradcheck.lines.slopes import CLOSE
from gradcheck.running.run import Crash

_LOST = 1e-6  # how far a right gradient may be off where slopes have lost digits; else CLOSE
_KNOWN = 1e-7  # how well the truth must be known, and rounding be small, for a draw to count
_SMALL = 1e-3  # beside plain numbers: a gradient that cancels
_CANCELLED = 1e-13  # what may be unknown of it
_UNDERFLOW = 1e-250  # what the complex step may lose of a gradient that is exactly zero


@dataclass(frozen=True)
class Drawn:
    """A draw on which the forward has a value.

    ``truth`` leaves out gradients that rounding hides here; they count as right. ``tolerances``
    are how far any entry of one may be off that counts as right. ``missing`` are the
    arguments for which the backward returns None.
    """

    example: Example
    inputs: Mapping[str, Any]
    cotangents: Sequence[Array]
    backward: Backward
    scope: dict[str, Any]
    truth: Mapping[str, Array]
    tolerances: Mapping[str, float]
    missing: frozenset[str]
    quantities: dict[str, Array | None] = field(default_factory=dict)  # found when asked for
    kept: Sequence[tuple[Array, Array]] = ()  # arrays and their contents

    @property
    def ordinary(self) -> bool:
        """Whether it shows a slip of any kind: of plain numbers, and of no size 1."""
        sizes = dict(self.example.sizes).values()
        return self.example.regime not in EXTREME and all(size > 1 for size in sizes)

    def is_right(self, name: str, gradient: Array) -> bool:
        """Whether a gradient of the shape of the true one is close enough to it."""
        off = np.abs(np.subtract(gradient, self.truth[name]))
        return bool(np.all(off <= self.tolerances[name]))

    def restore(self) -> None:
        """Undo what an edit wrote into an input or a forward value."""
        for array, contents in self.kept:
            np.copyto(array, contents)


def drawn(script: Script, example: Example, *, telling: bool = False) -> Drawn | None:
    """A draw, or None where the forward fails or has no finite value.

    None as well where rounding hides a gradient: there a wrong one among the others may look
    exact. But a draw that is known to be ``telling`` is kept for what it tells.
    """
    if not draw.fits(script.cell, example):
        return None
    evidence = script.examiner.evidence(example)
    inputs = draw.writable(evidence.inputs)
    truth: dict[str, Array] = {}
    tolerances: dict[str, float] = {}
    try:
        if evidence.at_kink:
            return None
        script.hooks.scope = {}
        outputs, backward = script.cell.run(inputs)
        if not all(np.isfinite(output).all() for output in outputs):
            return None
        scope = dict(script.hooks.scope)
        for name, known in _truth(evidence):
            if known is not None:
                truth[name], tolerances[name] = known
            elif not telling:
                return None
    except Exception:  # the checks tell what is wrong with the forward; here there is no draw
        return None
    if not truth:
        return None
    held = [a for a in arrays_in([*inputs.values(), *scope.values()]) if isinstance(a, np.ndarray)]
    kept = [(array, array.copy()) for array in held if array.flags.writeable]
    ran = example, inputs, evidence.cotangents, backward, scope
    return Drawn(*ran, truth, tolerances, _missing(evidence), kept=kept)


def _truth(evidence: Evidence) -> Iterator[tuple[str, tuple[Array, float] | None]]:
    """Each true gradient with its tolerance; None where it is not known.

    Where a few forwards find it right, it is the one by hand.
    """
    found: Found = {}
    with suppress(Crash, CaseError):  # the backward fails: its gradients are nowhere right
        found = slopes.right(evidence)
    least = _LOST if evidence.example.regime in slopes.SATURATED else CLOSE
    for argument in evidence.cell.arguments:
        name = argument.name
        match found.get(name):
            case Right():
                value = evidence.hand[name]
                assert not isinstance(value, Unusable)  # such are not compared
                yield name, (value, least * float(np.max(np.abs(value), initial=0.0)))
            case None:
                yield name, _entry_by_entry(evidence, name, least)
            case _:
                yield name, None


def _entry_by_entry(evidence: Evidence, name: str, least: float) -> tuple[Array, float] | None:
    if evidence.example.regime in slopes.SATURATED:
        hand = evidence.hand[name]
        if not isinstance(hand, Unusable) and not np.any(hand):
            return None  # a zero has no rounding, from which to tell what a right gradient loses
    reference = evidence.numeric.best(name)
    scale = float(np.max(np.abs(reference.value), initial=0.0))
    plain = evidence.example.regime not in EXTREME
    if plain and scale < _SMALL:  # it cancels: what is left may be rounding of the oracle itself
        reference = evidence.numeric.confirmed(name)
    noise = evidence.noise(name, with_twin=False)
    unknown = float(np.max(reference.error + noise, initial=0.0))
    if unknown > max(_KNOWN * scale, _CANCELLED if plain else _UNDERFLOW):
        return None
    return reference.value, max(least * scale, 100 * unknown)


def _missing(evidence: Evidence) -> frozenset[str]:
    """The arguments for which the backward returns None, or has not come to return anything."""
    try:
        hand = evidence.hand
    except (Crash, CaseError):  # unfinished in another way; the checks print it
        return frozenset()
    unusable = {name: one for name, one in hand.items() if isinstance(one, Unusable)}
    nothing = type(None).__name__
    return frozenset(
        name
        for name, one in unusable.items()
        if one.kind == "missing" or one.facts.get("returned") == nothing
    )
