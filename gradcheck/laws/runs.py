"""What laws are made of: a cell run on inputs of the law's choosing, and results compared.

Two runs that should agree do so within rounding, which is measured where the first bound is
exceeded. Where it hides what a mistake would do, a law says nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.arrays import entry
from gradcheck.cells import contracts
from gradcheck.cells.cell import Array
from gradcheck.drawing import draw
from gradcheck.evidence import Evidence
from gradcheck.running import precision
from gradcheck.running.compare import OPERATIONS, Comparison, compare
from gradcheck.running.run import Cotangents, Run


def run(evidence: Evidence, inputs: Mapping[str, Any], cotangents: Cotangents) -> Run:
    """A run on inputs and cotangents of the law's choosing."""
    return Run(evidence.caller, inputs, cotangents, evidence.precision)


def void(evidence: Evidence) -> bool:
    """Whether there is nothing to compare: no gradient, or at a declared kink none of one value."""
    unknown = not evidence.run.finite or evidence.at_kink or evidence.wide.point.clipped
    return unknown or evidence.too_coarse


def drawn(evidence: Evidence, outputs: tuple[Array, ...], seed: int) -> tuple[Array, ...]:
    """Cotangents within what the backward is declared to hold for; seed 0 is the example's own."""
    cell, example = evidence.cell, evidence.example
    found = draw.cotangents(outputs, replace(example, seed=example.seed + seed * 2**16))
    held = contracts.cotangents(cell.contracts, cell.outputs, outputs, found)
    return tuple(d.astype(o.dtype, copy=False) for d, o in zip(held, outputs, strict=True))


@dataclass(frozen=True)
class Broken:
    """An entry of an output or gradient that is not what the law asks for."""

    name: str
    index: tuple[int, ...]
    got: float
    want: float

    @property
    def entry(self) -> str:
        return entry(self.name, self.index)


def broken(
    got: Mapping[str, Array],
    terms: Mapping[str, Sequence[Array]],
    runs: Sequence[Run],
    spreads: Sequence[Callable[[str], Array]],
    evidence: Evidence,
) -> Broken | None:
    """The worst entry of the first name for which ``got`` is not the sum of its terms.

    ``spreads`` add up to the standard deviation of the difference; each is measured only if
    those before it do not explain the difference. ``runs`` are all that entered, since the
    coarsest number in any of them counts.
    """
    for name, summands in terms.items():
        if name not in got:
            continue
        want = np.asarray(sum(summands[1:], start=summands[0]))
        comparison = _compared(got[name], want, summands, evidence.precision, 0.0)
        noise: Array | float = 0.0
        for of_one in spreads:
            if comparison.agrees:
                break
            spread = of_one(name)
            known = (r.rounding.precision for r in runs if r.measured)
            coarsest = max(known, key=lambda one: one.eps)
            noise = noise + coarsest.deviations * spread
            comparison = _compared(got[name], want, summands, coarsest, noise)
        if not comparison.agrees and comparison.judged:
            return _worst(name, comparison)
    return None


def _compared(
    got: Array,
    want: Array,
    terms: Sequence[Array],
    limits: precision.Precision,
    noise: Array | float,
) -> Comparison:
    # A sum may cancel: it is off by the rounding of the largest of its terms.
    largest = max(float(np.max(np.abs(term), initial=0.0)) for term in terms)
    return compare(got, want, OPERATIONS * limits.eps * largest + noise, precision=limits)


def _worst(name: str, comparison: Comparison) -> Broken:
    excess = np.where(comparison.wrong, comparison.error - comparison.allowed, -np.inf)
    excess = np.where(np.isnan(excess), np.inf, excess)
    index = tuple(int(k) for k in np.unravel_index(np.argmax(excess), excess.shape))
    return Broken(name, index, float(comparison.got[index]), float(comparison.want[index]))


def number(value: float) -> str:
    """A number as it stands in a sentence."""
    return f"{value:.6g}"


def sides(one: float, other: float) -> tuple[str, str]:
    """Two numbers that differ, with as many digits as it takes to show it."""
    for digits in (6, 9, 12, 17):
        found = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if found[0] != found[1]:
            break
    return found
