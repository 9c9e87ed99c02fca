"""What laws are made of: a cell run on inputs of the law's choosing, and results compared.

Two runs that should agree do so within rounding, which is measured where the first bound is
exceeded. Where it hides what a mistake would do, a law says nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.cells import contracts
from gradcheck.cells.cell import Array
from gradcheck.drawing import draw
from gradcheck.evidence import Evidence
from gradcheck.finding import Finding, Reason, Right, Unjudged, Wrong
from gradcheck.running import precision
from gradcheck.running.compare import OPERATIONS, Comparison, alike, compare
from gradcheck.running.run import Cotangents, Run

# The finding on an entry: of its name, its index, what it is and what the law asks for.
Told = Callable[[str, tuple[int, ...], float, float], Wrong]


def run(evidence: Evidence, inputs: Mapping[str, Any], cotangents: Cotangents) -> Run:
    """A run on inputs and cotangents of the law's choosing."""
    return Run(evidence.caller, inputs, cotangents, evidence.precision)


def obstacle(evidence: Evidence) -> Reason | None:
    """Why there is nothing to compare: no gradient, or at a declared kink none of one value."""
    if not evidence.run.finite:
        return Reason.NOT_FINITE
    if evidence.at_kink:
        return Reason.KINK
    if evidence.wide.point.clipped:
        return Reason.CLIPPED
    return Reason.FLOAT32 if evidence.too_coarse else None


def all_of(findings: Iterable[Finding]) -> Finding:
    """What several findings on one example come to: the first that is wrong, if any is.

    What could not be judged counts for more than what is right, but not where there was nothing
    to try.
    """
    found: Finding = _NOTHING
    for one in findings:
        if isinstance(one, Wrong):
            return one
        if found == _NOTHING or (isinstance(one, Unjudged) and one != _NOTHING):
            found = one
    return found


_NOTHING = Unjudged(Reason.NOTHING_TO_TRY)


def drawn(evidence: Evidence, outputs: tuple[Array, ...], seed: int) -> tuple[Array, ...]:
    """Cotangents within what the backward is declared to hold for; seed 0 is the example's own."""
    cell, example = evidence.cell, evidence.example
    found = draw.cotangents(outputs, replace(example, seed=example.seed + seed * 2**16))
    held = contracts.cotangents(cell.contracts, cell.outputs, outputs, found)
    return tuple(d.astype(o.dtype, copy=False) for d, o in zip(held, outputs, strict=True))


def equal(
    got: Mapping[str, Array],
    terms: Mapping[str, Sequence[Array]],
    runs: Sequence[Run],
    spreads: Sequence[Callable[[str], Array]],
    told: Told,
) -> Finding:
    """Whether ``got`` is the sum of its terms, and if not, the worst entry of the first name.

    ``spreads`` add up to the standard deviation of the difference; each is measured only if
    those before it do not explain the difference. ``runs`` are all that entered, since the
    coarsest number in any of them counts.
    """
    names = [name for name in terms if name in got]
    if not names:
        return Unjudged(Reason.UNUSABLE)
    at_once = {name: got[name] for name in names}
    if len(alike(at_once, {n: _sum(terms[n]) for n in names}, runs[0].precision)) == len(names):
        return Right()
    pairs = (
        (name, _within_rounding(name, got[name], terms[name], runs, spreads)) for name in names
    )
    return all_of(_judged(name, comparison, told) for name, comparison in pairs)


def _within_rounding(
    name: str,
    got: Array,
    terms: Sequence[Array],
    runs: Sequence[Run],
    spreads: Sequence[Callable[[str], Array]],
) -> Comparison:
    """The comparison with as much of the noise as it takes to explain the difference."""
    want = _sum(terms)
    comparison = _compared(got, want, terms, runs[0].precision, 0.0)
    noise: Array | float = 0.0
    for of_one in spreads:
        if comparison.agrees:
            break
        spread = of_one(name)
        known = (r.rounding.precision for r in runs if r.measured)
        coarsest = max(known, key=lambda one: one.eps)
        noise = noise + coarsest.deviations * spread
        comparison = _compared(got, want, terms, coarsest, noise)
    return comparison


def _sum(terms: Sequence[Array]) -> Array:
    return np.asarray(sum(terms[1:], start=terms[0]))


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


def _judged(name: str, comparison: Comparison, told: Told) -> Finding:
    if not comparison.judged:
        return Unjudged(Reason.ROUNDING)
    if comparison.agrees:
        return Right()
    excess = np.where(comparison.wrong, comparison.error - comparison.allowed, -np.inf)
    excess = np.where(np.isnan(excess), np.inf, excess)
    index = tuple(int(k) for k in np.unravel_index(np.argmax(excess), excess.shape))
    return told(name, index, float(comparison.got[index]), float(comparison.want[index]))
