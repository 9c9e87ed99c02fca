"""What a search for wrong lines has proved, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gradcheck.lines.budget import Cut
from gradcheck.lines.drawn import Drawn
from gradcheck.lines.instrument import Change, Line
from gradcheck.lines.trial import Bench


@dataclass(frozen=True)
class Fault:
    """A line that is proved wrong; ``mends`` are whole statements, the likeliest first."""

    line: Line
    mends: tuple[str, ...]
    error: float | None  # of its value, relative to the true one's largest entry, if known
    change: Change  # one that mends it


@dataclass(frozen=True)
class Findings:
    """All that is proved: the faults, and the gradients that are wrong without one."""

    wrong: frozenset[str]  # arguments
    faults: tuple[Fault, ...] = ()
    unexplained: frozenset[str] = frozenset()  # wrong, and no proved change makes them right
    missing: frozenset[str] = frozenset()  # not derived yet
    claimed: Mapping[int, bool] = field(default_factory=dict)  # lines judged by their names
    draws: tuple[Drawn, ...] = ()
    bench: Bench | None = None
    cut: Cut | None = None  # where the search ended before all was tried

    @property
    def clear(self) -> bool:
        """Whether one line with a mend explains everything: then nothing else need be said."""
        return doubts(self) <= (0, 0, 1)

    @property
    def settled(self) -> bool:
        """Whether every wrong gradient is explained, by lines that each have a mend."""
        return doubts(self)[:2] == (0, 0)

    @property
    def changes(self) -> dict[int, Change]:
        """What mends every fault."""
        return {fault.line.key: fault.change for fault in self.faults}


def doubts(findings: Findings) -> tuple[int, int, int]:
    """How much an explanation leaves open: the fewer lines explain everything, the better."""
    vague = [fault for fault in findings.faults if fault.line.absent or not fault.mends]
    return len(findings.unexplained), len(vague), len(findings.faults)
