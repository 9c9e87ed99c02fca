"""The checks of a cell: one for each gradient and oracle, the forward, and the laws.

A check judges one example at a time; a tally over all examples has the last word, because a
check that was never put to the test must not pass.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gradcheck import finding, laws
from gradcheck.arrays import entry
from gradcheck.cells.cell import Array, Cell
from gradcheck.cells.returned import Unusable
from gradcheck.cells.unrolled import unroll
from gradcheck.drawing.draw import EXTREME
from gradcheck.errors import CaseError
from gradcheck.evidence import Evidence, Examiner
from gradcheck.finding import Wrong
from gradcheck.laws import Law
from gradcheck.oracles.kinks import Kink
from gradcheck.oracles.reference import Reference
from gradcheck.running.compare import Comparison
from gradcheck.running.precision import DOUBLE
from gradcheck.running.run import Crash
from gradcheck.show.sentences import sentence

if TYPE_CHECKING:
    from gradcheck.oracles.autograd import Twin


@dataclass(frozen=True)
class Outcome:
    """What a check found on one example; ``fault`` is one sentence, None if all is right."""

    fault: str | None = None
    comparison: Comparison | None = None
    reference: Reference | None = None
    output: str | None = None  # of a forward comparison: which output disagrees
    judged: bool = True
    at_kink: bool = False  # a declared one: the example says nothing, and another is drawn
    undeclared: bool = False  # the fault is that a kink is not declared


@dataclass(frozen=True)
class Check:
    """One pytest node: ``label`` is its id inside the cell, such as dWf[fd]."""

    label: str
    oracle: str  # the bracket: fd, autograd, unrolled, or the name of a law
    subject: str  # forward, law, or the gradient's name
    examiner: Examiner
    judge: Callable[[Evidence], Outcome]
    time: str | None = None

    @property
    def argument(self) -> str | None:
        """The argument whose gradient is checked."""
        return None if self.subject in ("forward", "law") else self.subject.removeprefix("d")


@dataclass
class Tally:
    """What a check found over all its examples."""

    examples: int = 0
    unjudged: int = 0
    at_kink: int = 0
    nonzero: bool = False
    worst: tuple[float, float] = field(default=(0.0, 0.0))  # in the finest numbers of them all
    _eps: float = float("inf")

    @np.errstate(all="ignore")
    def add(self, outcome: Outcome) -> None:
        if outcome.at_kink:
            self.at_kink += 1
            return
        self.examples += 1
        if not outcome.judged:
            self.unjudged += 1
            return
        if outcome.comparison is None:
            return
        self.nonzero |= bool(outcome.comparison.got.any() or outcome.comparison.want.any())
        eps = outcome.comparison.precision.eps
        if eps < self._eps:
            self.worst, self._eps = outcome.comparison.worst, eps
        elif eps == self._eps:
            self.worst = max(self.worst, outcome.comparison.worst)

    def complaint(self, check: Check) -> str | None:
        """Why the check must not pass although no example failed."""
        if check.subject == "law":
            return None
        judged = self.examples - self.unjudged
        if judged < self.examples / 4:
            few = f"{check.subject} could be judged in only {judged} of {self.examples} examples.\n"
            cell = check.examiner.cell
            if cell.dtype != DOUBLE.name and cell.finer is None:
                return (
                    f"{few}It computes in {cell.dtype} without a word of it in its file, which "
                    f"differences cannot see through. Write `np.{cell.dtype}` there."
                )
            return (
                f"{few}In the others the forward is not finite, or rounding hides every digit. "
                'Say where an argument lives, as in "B H > 0" or "B H in (0, 1)".'
            )
        if check.argument is None or self.nonzero:
            return None
        arguments = check.examiner.cell.arguments
        shape = next(a.shape.text for a in arguments if a.name == check.argument)
        return (
            f"{check.subject} is zero in every example, as is the true gradient.\n"
            f"{check.argument} does not reach the outputs: use it in the forward, or make it a "
            "constant, "
            f'`*, {check.argument}: "{shape}"`.'
        )


def checks(cell: Cell, twin: "Twin | None") -> Iterator[Check]:
    """Every check of a cell, in the order in which they are read."""
    examiner = Examiner(cell, twin)
    if twin is not None:
        judge = _guarded(_forward)
        yield Check("forward[autograd]", "autograd", "forward", examiner, judge)
    over_time = unroll(cell)
    if over_time is not None:
        unrolled = Examiner(over_time.cell, twin and _twin_over_time(twin, cell))
    for argument in cell.arguments:
        name, subject = argument.name, f"d{argument.name}"
        yield Check(f"{subject}[fd]", "fd", subject, examiner, _gradient(name, numeric))
        if twin is not None:
            judge = _gradient(name, by_autograd)
            yield Check(f"{subject}[autograd]", "autograd", subject, examiner, judge)
        if over_time is not None:
            judge = _gradient(name, by_autograd if twin else numeric)
            label = f"{subject}[unrolled]"
            yield Check(label, "unrolled", subject, unrolled, judge, over_time.time)
    for name, law in laws.of(examiner).items():
        yield Check(f"law[{name}]", name, "law", examiner, _law(law))


def _twin_over_time(twin: "Twin", cell: Cell) -> "Twin":
    from gradcheck.oracles import autograd

    return autograd.over_time(twin, cell)


def numeric(evidence: Evidence, name: str) -> Reference:
    return evidence.numeric.best(name)


def by_autograd(evidence: Evidence, name: str) -> Reference:
    return evidence.autograd(name)


def _guarded(judge: Callable[[Evidence], Outcome]) -> Callable[[Evidence], Outcome]:
    """A crash in the author's code is a finding, not an accident of the harness."""

    def guarded(evidence: Evidence) -> Outcome:
        try:
            with np.errstate(all="ignore"):  # what overflows is judged by its result
                return judge(evidence)
        except (Crash, CaseError) as error:
            if isinstance(error, Crash) and error.overflow and evidence.example.regime == "huge":
                return Outcome(judged=False)
            return Outcome(str(error))

    return guarded


def _gradient(
    name: str, refer: Callable[[Evidence, str], Reference]
) -> Callable[[Evidence], Outcome]:
    def judge(evidence: Evidence) -> Outcome:
        if not evidence.run.finite or evidence.too_coarse:
            return Outcome(judged=False)
        if evidence.at_kink:
            return _at_declared_kink(evidence, name)
        if evidence.wide.point.clipped and refer is numeric:
            return Outcome(judged=False)  # the backward clips a slope on purpose, and says so
        hand = evidence.hand[name]
        if isinstance(hand, Unusable):
            if hand.overflows and (evidence.out_of_reach(name) or not refer(evidence, name).known):
                return Outcome(judged=False)  # the true gradient overflows as well
            return Outcome(sentence(finding.of_unusable(hand)))
        kinks = evidence.numeric.kinks(name)
        if kinks:
            outside = [kink for kink in kinks if not kink.holds(float(hand[kink.index]))]
            if outside:
                return Outcome(_two_slopes(evidence, name, outside[0], hand))
            return Outcome(_two_slopes(evidence, name, kinks[0], hand), undeclared=True)
        reference = refer(evidence, name)
        if not reference.known and evidence.example.regime in EXTREME:
            return Outcome(judged=False)  # 0 times inf in the twin
        comparison = evidence.compared(name, reference)
        if not comparison.agrees and refer is numeric:
            reference = evidence.numeric.confirmed(name)
            comparison = evidence.compared(name, reference)
        if comparison.agrees:
            return Outcome(None, comparison, reference, judged=comparison.judged)
        if evidence.out_of_reach(name):
            return Outcome(judged=False)
        return Outcome(_disagreement(f"d{name}", comparison, reference), comparison, reference)

    return _guarded(judge)


def _forward(evidence: Evidence) -> Outcome:
    far_out = evidence.example.regime == "huge" or evidence.precision is not DOUBLE
    if far_out and not evidence.run.finite:
        return Outcome(judged=False)  # a plain exp or log overflows, where a twin has its own ways
    for name, comparison in evidence.outputs_compared().items():
        if not comparison.agrees:
            reference = Reference("its twin", comparison.want, comparison.allowed)
            fault = _disagreement(name, comparison, reference)
            return Outcome(fault, comparison, reference, output=name)
    worst = max(evidence.outputs_compared().values(), key=lambda comparison: comparison.worst)
    return Outcome(None, worst, judged=worst.judged and evidence.run.finite)


def _law(law: Law) -> Callable[[Evidence], Outcome]:
    def judge(evidence: Evidence) -> Outcome:
        _ = evidence.hand  # a backward that crashes keeps no law
        found = law.judge(evidence)
        return Outcome(sentence(found) if isinstance(found, Wrong) else None)

    return _guarded(judge)


def _at_declared_kink(evidence: Evidence, name: str) -> Outcome:
    """A kink that is declared: at the very tie any slope between those of the two sides is right.

    Near it, and where there is nothing to hold against the derivation, another example is drawn.
    """
    hand = evidence.hand[name]
    if evidence.wide.point.margin == 0 and not isinstance(hand, Unusable):
        outside = [k for k in evidence.numeric.kinks(name) if not k.holds(float(hand[k.index]))]
        if outside:
            return Outcome(_two_slopes(evidence, name, outside[0], hand))
    return Outcome(judged=False, at_kink=True)


def _two_slopes(evidence: Evidence, name: str, kink: Kink, hand: Array) -> str:
    """At a kink no value is the gradient, whatever the oracles say."""
    got, point = float(hand[kink.index]), float(evidence.wide.inputs[name][kink.index])
    said = (
        f"{entry(f'd{name}', kink.index)} is no single value here: the forward has a kink.\n"
        f"At {entry(name, kink.index)} = {point:.6g} the slope is {kink.left:.6g} to the left and "
        f"{kink.right:.6g} to the right; the derivation gives {got:.6g}, "
    )
    if not kink.holds(got):
        return said + "which lies outside of both, and is wrong whatever is declared."
    return said + "a subgradient, which is accepted only where the case declares the kink."


def _disagreement(what: str, comparison: Comparison, reference: Reference) -> str:
    wrong, size = int(comparison.wrong.sum()), comparison.wrong.size
    entries = "in its one entry" if size == 1 else f"in {wrong} of {size} entries"
    if reference.directions:
        entries = f"along {wrong} of {size} random directions"
    error = float(comparison.error.max())
    if comparison.scale == 0:
        by = f"which is 0 while {what} reaches {error:.1e}"
    elif size == 1:
        by = f"by {error / comparison.scale:.1e} of its size"
    else:
        by = f"by up to {error / comparison.scale:.1e} of the largest"
    return f"{what} disagrees with {reference.oracle} {entries}, {by}."
