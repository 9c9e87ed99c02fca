"""What one node found, small enough to travel between processes as text."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gradcheck.checking.tally import Record
from gradcheck.finding import Reason


@dataclass(frozen=True)
class Result:
    """One node of a cell: how often it was asked, and the worst error beside what was allowed.

    ``unjudged`` counts the examples of which nothing could be said, by reason; ``at_kink`` those
    that met a declared kink, and were drawn again. ``error`` and ``allowed`` are relative to the
    tensor's largest entry.
    """

    file: str
    cell: str
    subject: str
    oracle: str
    passed: bool
    examples: int
    unjudged: Mapping[str, int]
    error: float
    allowed: float
    seconds: float
    contracts: tuple[str, ...] = ()
    at_kink: int = 0
    dtype: str = "float64"

    @property
    def label(self) -> str:
        """The node's id inside the cell, such as dWf[fd]."""
        return f"{self.subject}[{self.oracle}]" if self.oracle else self.subject

    @property
    def column(self) -> str:
        """Where the closing table shows it."""
        return "forward" if self.subject == "forward" else self.oracle

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "unjudged": dict(self.unjudged), "contracts": list(self.contracts)}

    def packed(self) -> str:
        return json.dumps(self.to_dict())

    @classmethod
    def unpacked(cls, text: str) -> "Result":
        fields = json.loads(text)
        return cls(**{**fields, "contracts": tuple(fields["contracts"])})


def result(record: Record, file: str, seconds: float) -> Result:
    """What a node found, from its record."""
    check, tally = record.check, record.tally
    at_kink = tally.unjudged[Reason.KINK]
    unjudged = {r.value: n for r, n in tally.unjudged.items() if r is not Reason.KINK}
    return Result(
        file,
        check.cell.name,
        check.subject,
        check.oracle,
        record.wrong is None,
        tally.examples,
        unjudged,
        *tally.worst,
        seconds,
        tuple(map(str, check.cell.contracts)),
        at_kink,
        check.cell.dtype,
    )
