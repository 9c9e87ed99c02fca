"""Judge one example: the forward beside the twin, a gradient beside an oracle."""

from collections.abc import Callable
from functools import partial

import numpy as np

from gradcheck.arrays import entry
from gradcheck.cells.cell import Array
from gradcheck.cells.returned import Unusable
from gradcheck.checking import passing
from gradcheck.drawing.draw import EXTREME
from gradcheck.errors import CaseError
from gradcheck.evidence import Evidence
from gradcheck.finding import Finding, Reason, Right, Unjudged, Wrong, of_unusable
from gradcheck.laws.every import Law
from gradcheck.oracles.kinks import Kink
from gradcheck.oracles.reference import Reference
from gradcheck.running.compare import Comparison
from gradcheck.running.precision import DOUBLE
from gradcheck.running.run import Crash

Judge = Callable[[Evidence], Finding]
Refer = Callable[[Evidence, str], Reference]


def numeric(evidence: Evidence, name: str) -> Reference:
    return evidence.numeric.best(name)


def by_autograd(evidence: Evidence, name: str) -> Reference:
    return evidence.autograd(name)


def guarded(judge: Judge) -> Judge:
    """A crash in the author's code is a finding, not an accident of the harness."""

    def judged(evidence: Evidence) -> Finding:
        try:
            with np.errstate(all="ignore"):  # what overflows is judged by its result
                return judge(evidence)
        except (Crash, CaseError) as error:
            overflow = isinstance(error, Crash) and error.overflow
            if overflow and evidence.example.regime == "huge":
                return Unjudged(Reason.OVERFLOW)
            return Wrong("failed", facts={"said": str(error)})

    return judged


def gradient(name: str, refer: Refer) -> Judge:
    """Whether the gradient of an argument is what an oracle says."""

    def judge(evidence: Evidence) -> Finding:
        reason = _nothing_to_compare(evidence)
        if reason is Reason.KINK:
            return _at_declared_kink(evidence, name)
        if reason is not None and not (reason is Reason.CLIPPED and refer is by_autograd):
            return Unjudged(reason)  # a twin clips the slope as well
        hand = evidence.hand[name]
        if isinstance(hand, Unusable):
            return _unusable(evidence, name, hand, refer)
        kinks = () if evidence.fact(passing.smooth) else evidence.numeric.kinks(name)
        if kinks:
            outside = [kink for kink in kinks if not kink.holds(float(hand[kink.index]))]
            return _two_slopes(evidence, name, (outside or kinks)[0], hand)
        return _compared(evidence, name, refer)

    return guarded(judge)


def _nothing_to_compare(evidence: Evidence) -> Reason | None:
    if not evidence.run.finite:
        return Reason.NOT_FINITE
    if evidence.too_coarse:
        return Reason.FLOAT32
    if evidence.at_kink:
        return Reason.KINK
    return Reason.CLIPPED if evidence.wide.point.clipped else None


def _unusable(evidence: Evidence, name: str, hand: Unusable, refer: Refer) -> Finding:
    if hand.overflows and evidence.out_of_reach(name):
        return Unjudged(Reason.FLOAT32)
    if hand.overflows and not refer(evidence, name).known:
        return Unjudged(Reason.OVERFLOW)  # the true gradient overflows as well
    return of_unusable(hand)


def _compared(evidence: Evidence, name: str, refer: Refer) -> Finding:
    short = passing.by_probe if refer is numeric else passing.by_autograd
    found = evidence.fact(short).get(name)
    if found is not None:
        return found
    reference = refer(evidence, name)
    if not reference.known and evidence.example.regime in EXTREME:
        return Unjudged(Reason.ORACLE)  # 0 times inf in the twin
    comparison = evidence.compared(name, reference)
    if not comparison.agrees and refer is numeric:
        reference = evidence.numeric.confirmed(name)
        comparison = evidence.compared(name, reference)
    if comparison.agrees:
        return Right(comparison) if comparison.judged else Unjudged(Reason.ROUNDING)
    if evidence.out_of_reach(name):
        return Unjudged(Reason.FLOAT32)
    return disagreement(f"d{name}", comparison, reference)


def disagreement(name: str, comparison: Comparison, reference: Reference) -> Wrong:
    """A tensor that is not what an oracle says, told by its worst entry."""
    if reference.directions:
        return Wrong("disagrees", name, comparison=comparison, reference=reference)
    error = np.where(comparison.wrong, np.nan_to_num(comparison.error, nan=np.inf), -1.0)
    index = tuple(int(k) for k in np.unravel_index(np.argmax(error), error.shape))
    got, want = float(comparison.got[index]), float(comparison.want[index])
    return Wrong("disagrees", name, index, got, want, {}, comparison, reference)


def forward(evidence: Evidence) -> Finding:
    """Whether every output is the twin's."""
    far_out = evidence.example.regime == "huge" or evidence.precision is not DOUBLE
    if far_out and not evidence.run.finite:
        # A plain exp or log overflows, where a twin has its own ways.
        return Unjudged(Reason.NOT_FINITE)
    compared = passing.outputs(evidence)
    if len(compared) < len(evidence.outputs):
        compared = evidence.outputs_compared()
    for name, comparison in compared.items():
        if not comparison.agrees:
            reference = Reference("its twin", comparison.want, comparison.allowed)
            return disagreement(name, comparison, reference)
    worst = max(compared.values(), key=lambda one: one.worst)
    if not evidence.run.finite:
        return Unjudged(Reason.NOT_FINITE)
    return Right(worst) if worst.judged else Unjudged(Reason.ROUNDING)


def law(law: Law) -> Judge:
    """Whether a law holds."""

    def judge(evidence: Evidence) -> Finding:
        _ = evidence.hand  # a backward that crashes keeps no law
        return law.judge(evidence)

    return guarded(judge)


def _at_declared_kink(evidence: Evidence, name: str) -> Finding:
    """A kink that is declared: at the very tie any slope between those of the two sides is right.

    Near it, and where there is nothing to hold against the derivation, another example is drawn.
    """
    hand = evidence.hand[name]
    if evidence.wide.point.margin == 0 and not isinstance(hand, Unusable):
        outside = [k for k in evidence.numeric.kinks(name) if not k.holds(float(hand[k.index]))]
        if outside:
            return _two_slopes(evidence, name, outside[0], hand)
    return Unjudged(Reason.KINK)


def _two_slopes(evidence: Evidence, name: str, kink: Kink, hand: Array) -> Wrong:
    """At a kink no value is the gradient, whatever the oracles say."""
    got, point = float(hand[kink.index]), float(evidence.wide.inputs[name][kink.index])
    at = entry(name, kink.index)
    facts = {"at": at, "point": point, "left": kink.left, "right": kink.right}
    told = partial(Wrong, "kink-undeclared") if kink.holds(got) else partial(Wrong, "kink-outside")
    return told(f"d{name}", kink.index, got, None, facts)
