"""What laws are made of: a cell run on inputs of the law's choosing, and results compared.

Two runs that should agree do so within rounding, which is measured where the first bound is
exceeded. Where it hides what a mistake would do, a law says nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradcheck import contracts, draw, load, precision, rounding
from gradcheck.agree import OPERATIONS, Comparison, compare
from gradcheck.cell import Array, Backward
from gradcheck.evidence import Crash, Evidence
from gradcheck.indices import entry
from gradcheck.rounding import Rounding
from gradcheck.structure import Gradient, Unusable, gradients

Values = Mapping[str, Array]  # outputs by their names, gradients by "d" and the argument's


@dataclass(frozen=True)
class Run:
    """A forward and its backward: what went in, and what came out."""

    evidence: Evidence
    inputs: Mapping[str, Any]
    cotangents: Sequence[Array]
    outputs: Mapping[str, Array]
    gradients: Mapping[str, Gradient]

    @cached_property
    def usable(self) -> Values:
        """The gradients that can be compared; why others cannot, their own nodes tell."""
        return {f"d{n}": g for n, g in self.gradients.items() if not isinstance(g, Unusable)}

    @property
    def values(self) -> Values:
        """The outputs, and the gradients that can be compared."""
        return {**self.outputs, **self.usable}

    @cached_property
    def rounding(self) -> Rounding:
        """How far rounding moves what came out."""
        evidence = self.evidence
        if self.inputs is evidence.inputs and self.cotangents is evidence.cotangents:
            return evidence.rounding
        return rounding.of(evidence.cell, self.inputs, self.cotangents, evidence.precision)

    @property
    def measured(self) -> bool:
        """Whether its rounding is known by now."""
        return "rounding" in vars(self)

    def noise(self, name: str) -> Array:
        """The standard deviation of one of the values."""
        names = self.evidence.cell.outputs
        if name in names:
            return self.rounding.outputs[names.index(name)]
        return self.rounding.gradients[name.removeprefix("d")]


def given(evidence: Evidence) -> Run:
    """The run on the example itself, which all nodes share."""
    outputs = dict(zip(evidence.cell.outputs, evidence.outputs, strict=True))
    return Run(evidence, evidence.inputs, evidence.cotangents, outputs, evidence.hand)


def forward(evidence: Evidence, inputs: Mapping[str, Any]) -> tuple[tuple[Array, ...], Backward]:
    """The forward on read-only inputs, or on copies for a cell that writes into them."""
    with crashing(evidence, "The forward"):
        return evidence.cell.run(handed(evidence, inputs))


def backward(
    evidence: Evidence, of: Backward, cotangents: Sequence[Array], what: str = "backward"
) -> object:
    """What a backward returns for cotangents of the law's choosing."""
    with crashing(evidence, what):
        return of([d.copy() for d in cotangents] if evidence.writes else cotangents)


def run(
    evidence: Evidence,
    inputs: Mapping[str, Any],
    cotangents: Sequence[Array] | Callable[[tuple[Array, ...]], Sequence[Array]],
) -> Run:
    """A new forward and its backward; cotangents may be made from the outputs."""
    outputs, of = forward(evidence, inputs)
    kept = dict(zip(evidence.cell.outputs, (output.copy() for output in outputs), strict=True))
    chosen = cotangents(outputs) if callable(cotangents) else cotangents
    returned = backward(evidence, of, chosen)
    return Run(evidence, inputs, chosen, kept, taken(evidence, returned, inputs))


def handed(evidence: Evidence, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is handed to a forward: read-only arrays, or copies for a cell that writes."""
    if evidence.writes:
        return draw.writable(inputs)
    for value in inputs.values():
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return inputs


def taken(evidence: Evidence, returned: object, inputs: Mapping[str, Any]) -> dict[str, Gradient]:
    """Copies of the gradients that a backward returned."""
    arguments = [inputs[argument.name] for argument in evidence.cell.arguments]
    found = gradients(evidence.cell, returned, arguments)
    return {n: g if isinstance(g, Unusable) else g.copy() for n, g in found.items()}


class crashing:  # noqa: N801  # a context, named as it reads
    """What the author's code raises in here is a finding, told in one sentence."""

    def __init__(self, evidence: Evidence, what: str) -> None:
        self.evidence, self.what = evidence, what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, Crash):
            source = self.evidence.cell.source
            said = load.sentence(error, source.path if source else None)
            raise Crash(f"{self.what} fails with {said}") from None


def void(evidence: Evidence) -> bool:
    """Whether there is nothing to compare: no gradient, or at a declared kink none of one value."""
    unknown = not evidence.finite or evidence.at_kink or evidence.point.clipped
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
