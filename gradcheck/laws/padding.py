"""What lies behind the end of a sequence influences nothing, so nothing flows back to it."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array, Cell
from gradcheck.cells.returned import Unusable
from gradcheck.cells.shapes import Integers
from gradcheck.evidence import Evidence, Examiner
from gradcheck.finding import Finding, Unjudged, Wrong
from gradcheck.laws import forward
from gradcheck.laws.runs import all_of, equal, obstacle, run
from gradcheck.running.run import Run

# What stands behind the ends instead. A forward that lets 0 times it through is not asked for nan.
_FILLS = {"other numbers": 1.25, "nan": float("nan")}


@dataclass(frozen=True)
class Padded:
    """An argument with ends: where its time and its sequences are, and the lengths of those."""

    name: str
    lengths: str
    time: int
    sequences: tuple[int, ...]  # the axis of the argument for each axis of the lengths

    def behind(self, inputs: Mapping[str, Any]) -> Array:
        """True for each entry behind the end of its sequence."""
        shape, lengths = np.shape(inputs[self.name]), np.asarray(inputs[self.lengths])
        steps = np.arange(shape[self.time])
        late = steps >= lengths[..., None]  # the axes of the lengths, then time
        order = (*self.sequences, self.time)
        wide = np.transpose(late, np.argsort(order))
        others = tuple(k for k in range(len(shape)) if k not in order)
        return np.broadcast_to(np.expand_dims(wide, others), shape)


def padded(examiner: Examiner) -> tuple[Padded, ...]:
    """The arguments whose values behind the ends the forward does not look at."""
    cell = examiner.cell
    return tuple(one for one in _declared(cell) if _unseen(cell, one))


def _declared(cell: Cell) -> Iterator[Padded]:
    """Each argument with the axis that bounds the lengths, and all axes of the lengths."""
    for constant in cell.constants:
        domain = constant.shape.domain
        if not isinstance(domain, Integers) or not domain.inclusive:
            continue
        own = [axis.text for axis in constant.shape.axes]
        for argument in cell.arguments:
            texts = [axis.text for axis in argument.shape.axes]
            wanted = [*own, domain.high.text]
            if all(texts.count(text) == 1 for text in wanted):
                sequences = tuple(texts.index(text) for text in own)
                yield Padded(argument.name, constant.name, texts.index(domain.high.text), sequences)


def _unseen(cell: Cell, one: Padded) -> bool:
    size = cell.size_names[0]
    seen = 0
    for seed in range(4):
        inputs = forward.ordinary(cell, size, len(cell.size_names) + 3, seed)
        if inputs is None:
            return False
        outputs = forward.outputs_of(cell, inputs)
        other = forward.outputs_of(cell, _filled(inputs, one, 1.25))
        seen += int(one.behind(inputs).any())
        if outputs is None or other is None or not _same(outputs, other):
            return False
    return seen > 0


def padding(evidence: Evidence) -> Finding:
    """Other numbers behind the ends change no gradient, and their own is zero."""
    if reason := obstacle(evidence):
        return Unjudged(reason)
    found = (_behind(evidence, one) for one in evidence.examiner.fact(padded))
    return all_of(itertools.chain.from_iterable(found))


def _behind(evidence: Evidence, one: Padded) -> Iterator[Finding]:
    behind = one.behind(evidence.inputs)
    if not behind.any():
        return
    own = evidence.run.usable.get(f"d{one.name}")
    if own is not None and own[behind].any():
        index = tuple(int(k) for k in np.argwhere(behind & (own != 0))[0])
        yield _flows_back(one, index, float(own[index]), evidence.inputs)
    for said, fill in _FILLS.items():
        after = run(evidence, _filled(evidence.inputs, one, fill), evidence.cotangents)
        if _same(evidence.outputs, after.outputs):
            yield _filled_with(said, evidence.run, after, one)


def _filled_with(said: str, before: Run, after: Run, one: Padded) -> Finding:
    """Whether the gradients are those of before with something else behind the ends."""
    facts = {"argument": one.name, "lengths": one.lengths}
    for name, gradient in after.gradients.items():
        if f"d{name}" in before.usable and isinstance(gradient, Unusable):
            facts["fill"] = said
            if gradient.overflows:
                at = gradient.name, gradient.index, gradient.got
                return Wrong("padding-not-finite", *at, facts=facts)
            return Wrong("padding-unusable", f"d{name}", facts=facts)
    return equal(
        after.usable,
        {name: [gradient] for name, gradient in before.usable.items()},
        [before],
        [lambda name: 2 * before.noise(name)],
        partial(Wrong, "padding-changed", facts=facts),
    )


def _filled(inputs: Mapping[str, Any], one: Padded, fill: float) -> dict[str, Any]:
    """The inputs with something else behind the ends."""
    value = np.asarray(inputs[one.name])
    other = np.where(one.behind(inputs), fill - value, value)
    return {**inputs, one.name: other.astype(value.dtype)}


def _same(one: tuple[Array, ...], other: tuple[Array, ...]) -> bool:
    return all(map(np.array_equal, one, other))


def _flows_back(
    one: Padded, index: tuple[int, ...], got: float, inputs: Mapping[str, Any]
) -> Wrong:
    sequence = tuple(index[k] for k in one.sequences)
    facts = {
        "argument": one.name,
        "lengths": one.lengths,
        "sequence": sequence,
        "length": int(inputs[one.lengths][sequence]),
    }
    return Wrong("padding-own", f"d{one.name}", index, got, 0.0, facts)
