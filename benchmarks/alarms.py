"""False alarms: right code, judged by gradcheck and by its peers."""

import itertools
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.draws import USUAL, Draw
from benchmarks.faults import RIGHT, ROOT, cell, step, twin
from benchmarks.measure import CAP, KINDS, Size, evidence, kind, nodes, peer
from benchmarks.peers import OverTime, within
from gradcheck.cells.cell import Cell
from gradcheck.checking.check import Check, checks
from gradcheck.drawing import draw
from gradcheck.drawing.draw import DTYPES, Example
from gradcheck.drawing.strategies import LARGEST
from gradcheck.evidence import Evidence
from gradcheck.finding import Finding, Unjudged, Wrong
from gradcheck.oracles import twins
from gradcheck.show.sentences import sentence
from gradcheck.source import cases

FULLY = 10  # of so many draws of the LSTM, one is judged by all nodes


@dataclass
class Alarms:
    """How right code was judged: draws, those with a complaint, and the first of these."""

    draws: int = 0
    alarms: int = 0
    first: str = ""
    judged: dict[str, int] = field(default_factory=dict)  # by oracle: comparisons, and those
    unjudged: dict[str, int] = field(default_factory=dict)  # that rounding left without a verdict

    def note(self, check: Check, finding: Finding, drawn: str) -> None:
        """Count what a check found on one draw."""
        if check.subject != "law":
            count = self.unjudged if isinstance(finding, Unjudged) else self.judged
            count[check.oracle] = count.get(check.oracle, 0) + 1
        if isinstance(finding, Wrong) and not self.alarms:
            self.alarms, self.first = 1, f"{check.label} at {drawn}: {sentence(finding)}"

    def add(self, other: "Alarms") -> None:
        self.draws += other.draws
        self.alarms += other.alarms
        self.first = self.first or other.first
        for ours, theirs in ((self.judged, other.judged), (self.unjudged, other.unjudged)):
            for oracle, count in theirs.items():
                ours[oracle] = ours.get(oracle, 0) + count


def own_alarms(regime: str, dtype: str, seeds: tuple[int, int]) -> Alarms:
    """The nodes of the right cell on examples such as pytest draws, sizes from 1 to 5.

    Every tenth draw is judged by all nodes. On the others [fd] and [unrolled] nodes are left
    out, which take nine tenths of the time.
    """
    found = Alarms()
    every = list(checks(cell(RIGHT), twin()))
    quick = [check for check in every if kind(check) in ("autograd", "law")]
    for seed in range(*seeds):
        generator = np.random.default_rng([seed, 2])
        sizes = {name: int(generator.integers(1, LARGEST + 1)) for name in "BDH"}
        asked = quick if seed % FULLY else every
        found.add(judged(asked, sizes, int(generator.integers(0, 6)), seed, regime, dtype))
    return found


def judged(
    every: list[Check], sizes: dict[str, int], steps: int, seed: int, regime: str, dtype: str
) -> Alarms:
    """All checks on one draw; ``steps`` is the length of the unrolled cell."""
    found = Alarms(draws=1)
    known: dict[str | None, Evidence] = {}
    for check in every:
        if check.time not in known:
            own = {**sizes, check.time: steps} if check.time else sizes
            names = check.examiner.cell.size_names
            example = Example(tuple((name, own[name]) for name in names), seed, regime, dtype)
            known[check.time] = Evidence(check.examiner, example)
        found.note(check, check.judge(known[check.time]), str(known[check.time].example))
    return found


def own_alarms_of(path: Path, draws: int) -> Alarms:
    """All nodes of the cells in a file, on draws of every regime and type, sizes from 1 to 4.

    Sizes at which an axis would be less than nothing are left out.
    """
    found = Alarms()
    for one in cases.read(path):
        assert isinstance(one, Cell)  # a file that cannot be read is no right code
        every = list(checks(one, twins.find(one, ROOT / "reference" / path.name)))
        names = one.size_names
        for regime, dtype, seed in itertools.product(draw.REGIMES, DTYPES, range(draws)):
            generator = np.random.default_rng([seed, 3])
            sizes = {name: int(generator.integers(1, LARGEST)) for name in names}
            steps = int(generator.integers(0, 6))
            if draw.fits(one, Example(tuple(sizes.items()), seed, regime, dtype)):
                found.add(judged(every, sizes, steps, seed, regime, dtype))
    return found


def own_alarms_at(size: Size, seeds: int) -> Alarms:
    """The nodes of one step on right code at one size: usual inputs and every regime."""
    found = Alarms()
    every = nodes(RIGHT, KINDS)
    for regime in (USUAL, *draw.REGIMES):
        for seed in range(seeds):
            drawn = Draw(size, seed, regime)
            facts = evidence(every[0], drawn)
            one = Alarms(draws=1)
            for check in every:
                one.note(check, check.judge(facts), str(drawn))
            found.add(one)
    return found


def alarms(checker: str, draws: tuple[Draw, ...], best: bool = False) -> Alarms:
    """A peer on right code."""
    found = Alarms()
    for drawn in draws:
        try:
            with within(CAP):
                complaint = peer(checker, best=best).judge(step(RIGHT), drawn)
        except OverTime:
            break
        found.add(Alarms(1, complaint is not None, complaint or ""))
    return found
