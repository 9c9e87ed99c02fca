"""What a walk is made of, as data: a row for each value, and the rows of each step."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradcheck.cells.cell import Array
from gradcheck.finding import Finding, Right, Wrong
from gradcheck.lines.blame import WrongLine


@dataclass(frozen=True)
class Row:
    """A value by hand beside the true one, which is None where nobody else knows it.

    ``note`` says where a value comes from, "given" or "step 2", and where it goes, "to step 3";
    ``carried`` marks what is handed from step to step. ``line`` is where it is assigned.
    """

    name: str
    value: Any
    true: Array | None = None
    wrong: bool = False
    note: str = ""
    carried: bool = False
    line: int | None = None


@dataclass(frozen=True)
class Step:
    """The rows of one step, counted from 1; of a cell that is called once it is None."""

    number: int | None
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Walked:
    """A cell's steps forwards, in their order, and back, the last first.

    ``given`` are the inputs that all steps share. ``failed`` says where its backward raised.
    """

    given: tuple[Row, ...]
    forward: tuple[Step, ...]
    backward: tuple[Step, ...]
    failed: str = ""


@dataclass(frozen=True, repr=False)
class Traced:
    """A cell on some numbers: its steps, the gradients of the whole, and what is said of them.

    ``totals`` are held against each oracle in ``findings``, by node, as "dW[fd]". ``lines`` are
    the wrong lines; ``unfollowed`` says why no line could be watched.
    """

    cell: str
    file: Path
    steps: int | None
    walked: Walked
    totals: tuple[Row, ...]
    findings: Mapping[str, Finding]
    lines: tuple[WrongLine, ...] = ()
    unfollowed: str = ""

    @property
    def ok(self) -> bool:
        """Whether every gradient is right here; what cannot be judged is not."""
        return bool(self.findings) and all(isinstance(f, Right) for f in self.findings.values())

    @property
    def wrong(self) -> bool:
        """Whether a gradient is wrong here."""
        return any(isinstance(one, Wrong) for one in self.findings.values())
