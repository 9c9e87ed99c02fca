"""What one check found on one example, as data: right, wrong, or unjudged for a reason.

A finding holds numbers and names, and no sentence: show/sentences.py has one for each ``kind``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from gradcheck.arrays import entry
from gradcheck.cells.returned import Unusable
from gradcheck.oracles.reference import Reference
from gradcheck.running.compare import Comparison


class Reason(Enum):
    """Why nothing can be said on an example; the closing table counts each."""

    NOT_FINITE = "not finite"  # the forward overflows, or has no value there
    OVERFLOW = "overflow"  # the true gradient does, as the derivation does
    FLOAT32 = "float32"  # float32 is too coarse or too short, whatever the derivation is
    KINK = "kink"  # a declared one: the draw is made again
    CLIPPED = "clipped"  # a slope is clipped there, as declared
    ROUNDING = "rounding"  # it hides every digit, or the forward is another in such numbers
    ORACLE = "oracle"  # the oracle has no answer
    UNUSABLE = "unusable"  # a gradient that a law needs is malformed: its own nodes tell
    NOT_DERIVED = "not derived"  # the backward is not there yet, or not yet this far
    EDITED = "edited"  # the file no longer says what ran
    NOTHING_TO_TRY = "nothing to try"  # a law compares two of what there is one of
    SPARED = "spared"  # a law that takes long looks at some examples only

    @property
    def idle(self) -> bool:
        """Whether nothing was lost: there was nothing to look at."""
        return self in (Reason.NOTHING_TO_TRY, Reason.SPARED)


@dataclass(frozen=True)
class Right:
    """``comparison`` says how well, where numbers were compared."""

    comparison: Comparison | None = None


@dataclass(frozen=True)
class Unjudged:
    reason: Reason


@dataclass(frozen=True)
class Wrong:
    """``kind`` is a stable code. Where one entry shows it: of which tensor, ``got`` and ``want``.

    ``facts`` are what else its sentence needs. ``comparison`` and ``reference`` are there where a
    tensor was held against an oracle.
    """

    kind: str
    name: str = ""
    index: tuple[int, ...] | None = None
    got: float | None = None
    want: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    comparison: Comparison | None = None
    reference: Reference | None = None

    @property
    def entry(self) -> str:
        """The tensor, or the entry of it."""
        return self.name if self.index is None else entry(self.name, self.index)


Finding = Right | Wrong | Unjudged


def of_unusable(gradient: Unusable) -> Wrong:
    """What is wrong with the form of a gradient, as a finding."""
    return Wrong(gradient.kind, gradient.name, gradient.index, gradient.got, facts=gradient.facts)
