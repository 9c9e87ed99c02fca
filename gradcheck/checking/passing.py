"""The short way of a right gradient: what a few forwards say of all arguments at once.

It never accuses. What it does not find right to the last digits is judged argument by argument.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.drawing.draw import EXTREME
from gradcheck.evidence import Evidence
from gradcheck.finding import Reason, Right, Unjudged
from gradcheck.oracles.loss import Loss
from gradcheck.oracles.probe import Probe
from gradcheck.running.compare import OPERATIONS, Comparison, alike, operations
from gradcheck.running.precision import Precision
from gradcheck.running.rounding import Rounding

Found = Mapping[str, Right | Unjudged]


def by_autograd(evidence: Evidence) -> Found:
    """The gradients that are autograd's to the last digits."""
    true = evidence.beside.gradients
    found = alike(evidence.run.comparable, true, evidence.precision, evidence.terms)
    return {name: Right(one) for name, one in found.items()}


def outputs(evidence: Evidence) -> Mapping[str, Comparison]:
    """The outputs that are the twin's to the last digits."""
    ours, theirs = evidence.outputs, evidence.beside.outputs
    names = evidence.cell.outputs
    return alike(
        dict(zip(names, ours, strict=True)),
        dict(zip(names, theirs, strict=True)),
        evidence.precision,
    )


def by_probe(evidence: Evidence) -> Found:
    """The gradients that have the slope of the forward; none where that is not to be believed.

    One that fits says all, but where an entry is nothing beside the norm of its tensor: some
    examples go ``closely``, entry by entry.
    """
    probe, sided = evidence.fact(_probe), evidence.numeric.sided
    if evidence.example.closely or not (probe.smooth and probe.confirmed):
        return {}
    proved_here = evidence.example.regime == "ordinary" and sided.issuperset(evidence.hand)
    if not proved_here and not all(map(evidence.examiner.analytic, evidence.hand)):
        return {}
    found = _judged(probe.fitting)
    if evidence.example.regime in EXTREME:
        found |= _overflowing(
            evidence, [name for name in evidence.run.comparable if name not in found]
        )
    return found


def _overflowing(evidence: Evidence, names: Iterable[str]) -> dict[str, Right | Unjudged]:
    """Those through whose forward complex numbers overflow: differences then know little, and
    where they know nothing along a direction, entries are not worth a look each.
    """
    probe = evidence.fact(_probe)
    lost = [name for name in names if not probe.complex(name)]
    loss = evidence.numeric.blurred(evidence.wide.rough) if lost else None
    seen = {name: probe.seen(name, loss) for name in lost if loss}
    known = {name: one for name, one in seen.items() if one is not None}
    return {name: Unjudged(Reason.ROUNDING) for name in known} | _judged(known)


def _judged(compared: Mapping[str, Comparison]) -> dict[str, Right | Unjudged]:
    return {name: Right(one) for name, one in compared.items() if one.judged}


def smooth(evidence: Evidence) -> bool:
    """Whether the probe has looked for a kink where one is looked for, and found none."""
    return not evidence.example.closely and evidence.fact(_probe).smooth


def _probe(evidence: Evidence) -> Probe:
    """A function of the example, as all that is drawn for it."""
    usable = evidence.run.comparable

    def known(rounding: Rounding) -> tuple[Mapping[str, Array], Precision]:
        pairs = {n: evidence.known(rounding, rounding.gradients[n], usable[n]) for n in usable}
        return {name: spread for name, (spread, _) in pairs.items()}, rounding.precision

    def noises() -> Iterator[tuple[Mapping[str, Array], Precision]]:
        yield known(evidence.run.rough)
        yield known(evidence.run.rounding)

    generator = np.random.default_rng([evidence.example.seed, 2])  # of no other draw
    longer = {name: operations(evidence.terms(name)) / OPERATIONS for name in usable}
    loss, sided = Loss.of(evidence.wide), evidence.numeric.sided
    return Probe(loss, usable, evidence.precision, noises, sided, generator, longer)
