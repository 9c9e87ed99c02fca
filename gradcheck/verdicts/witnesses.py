"""The derivation, differences and autograd: which one stands against the others."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.errors import CaseError
from gradcheck.evidence import Evidence
from gradcheck.oracles.reference import Reference
from gradcheck.running.compare import Comparison, Noise, compare
from gradcheck.running.run import Crash


class Odd(Enum):
    """Who stands against the others."""

    DERIVATION = "derivation"  # two others agree with each other
    ACCUSED = "accused"  # differences disagree with it, and there is nobody else to ask
    AUTOGRAD = "autograd"  # the derivation agrees with differences, and the forwards are equal
    DIFFERENCES = "differences"  # the derivation and autograd agree
    TWIN = "twin"  # its forward gives other outputs
    TWIN_FAILS = "twin-fails"
    NONE_AGREE = "none-agree"


@dataclass(frozen=True)
class Witnesses:
    """``numeric`` are the oracles that need the forward only, the best first; ``gap`` is how far
    the two that agree with each other are apart, of the largest entry; None if all are zero.
    """

    odd: Odd
    numeric: tuple[Reference, ...]
    autograd: Reference | None = None
    gap: float | None = None
    derivation_right: bool = False
    said: str = ""  # how the twin fails

    @property
    def best(self) -> Reference:
        return self.numeric[0]


def hear(evidence: Evidence, name: str) -> Witnesses:
    """What all witnesses say of one argument's gradient."""
    differences, best = evidence.numeric.differences(name), evidence.numeric.best(name)
    numeric = (best,) if best.oracle == differences.oracle else (best, differences)
    if evidence.twin is None:
        if len(numeric) == 1:
            return Witnesses(Odd.ACCUSED, numeric)
        both = compare(differences.value, best.value, differences.error)
        return Witnesses(Odd.DERIVATION, numeric, gap=_gap(both))
    right = evidence.compared(name, best).agrees
    try:
        automatic = evidence.autograd(name)
    except (Crash, CaseError) as error:
        return Witnesses(Odd.TWIN_FAILS, numeric, derivation_right=right, said=str(error))
    both = _beside(evidence, name, best, automatic.value)
    if not forwards_agree(evidence):
        odd = Odd.TWIN
    elif both.agrees:
        odd = Odd.DERIVATION
    elif right:
        odd = Odd.AUTOGRAD
    else:
        agree = evidence.compared(name, automatic).agrees
        odd = Odd.DIFFERENCES if agree else Odd.NONE_AGREE
    return Witnesses(odd, numeric, automatic, _gap(both), right)


def _beside(evidence: Evidence, name: str, best: Reference, automatic: Array) -> Comparison:
    def noises() -> Iterator[Noise]:
        spread = best.blurred(evidence.noise(name, with_twin=True))
        yield spread, evidence.run.rounding.precision

    return compare(best.seen(automatic), best.value, best.error, noises())


def _gap(both: Comparison) -> float | None:
    return float(np.max(both.error, initial=0.0)) / both.scale if both.scale else None


def forwards_agree(evidence: Evidence) -> bool:
    """Whether the case and its twin compute the same outputs."""
    try:
        return all(comparison.agrees for comparison in evidence.outputs_compared().values())
    except (Crash, CaseError):
        return False
