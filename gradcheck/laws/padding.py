"""What lies behind the end of a sequence influences nothing, so nothing flows back to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.arrays import entry
from gradcheck.cells.cell import Array, Cell
from gradcheck.cells.shapes import Integers
from gradcheck.evidence import Evidence, Examiner
from gradcheck.laws.axes import ordinary, outputs_of
from gradcheck.laws.runs import Broken, broken, run, sides, void

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
        inputs = ordinary(cell, size, len(cell.size_names) + 3, seed)
        if inputs is None:
            return False
        outputs = outputs_of(cell, inputs)
        other = outputs_of(cell, _filled(inputs, one, 1.25))
        seen += int(one.behind(inputs).any())
        if outputs is None or other is None or not _same(outputs, other):
            return False
    return seen > 0


def padding(evidence: Evidence) -> str | None:
    """Other numbers behind the ends change no gradient, and their own is zero."""
    if void(evidence):
        return None
    before = evidence.run
    for one in evidence.examiner.fact(padded):
        behind = one.behind(evidence.inputs)
        if not behind.any():
            continue
        own = before.usable.get(f"d{one.name}")
        if own is not None and own[behind].any():
            index = tuple(int(k) for k in np.argwhere(behind & (own != 0))[0])
            return _flows_back(one, index, float(own[index]), evidence.inputs)
        for said, fill in _FILLS.items():
            inputs = _filled(evidence.inputs, one, fill)
            after = run(evidence, inputs, evidence.cotangents)
            if not _same(evidence.outputs, after.outputs):
                continue
            for name, gradient in after.gradients.items():
                if f"d{name}" in before.usable and f"d{name}" not in after.usable:
                    sentence = getattr(gradient, "sentence", "").partition(", in ")[0]
                    return _told(f"{sentence} once {one.name} is {said}", one)
            wrong = broken(
                after.usable,
                {name: [gradient] for name, gradient in before.usable.items()},
                [before],
                [lambda name: 2 * before.noise(name)],
                evidence,
            )
            if wrong is not None:
                return _changed(wrong, one)
    return None


def _filled(inputs: Mapping[str, Any], one: Padded, fill: float) -> dict[str, Any]:
    """The inputs with something else behind the ends."""
    value = np.asarray(inputs[one.name])
    other = np.where(one.behind(inputs), fill - value, value)
    return {**inputs, one.name: other.astype(value.dtype)}


def _same(one: tuple[Array, ...], other: tuple[Array, ...]) -> bool:
    return all(map(np.array_equal, one, other))


def _flows_back(one: Padded, index: tuple[int, ...], got: float, inputs: Mapping[str, Any]) -> str:
    sequence = tuple(index[k] for k in one.sequences)
    length = int(inputs[one.lengths][sequence])
    return (
        f"{entry(f'd{one.name}', index)} is {got:.6g}, but it lies behind the end: "
        f"{entry(one.lengths, sequence)} is {length}.\nThe outputs do not look at {one.name} "
        f"there, so d{one.name} is zero: let nothing flow back from t = {one.lengths} on."
    )


def _changed(wrong: Broken, one: Padded) -> str:
    got, want = sides(wrong.got, wrong.want)
    return _told(f"{wrong.entry} is {got} instead of {want} once {one.name} is other numbers", one)


def _told(fault: str, one: Padded) -> str:
    return (
        f"{fault} behind the ends ({one.lengths}).\nThe outputs do not look at {one.name} there, "
        "so no gradient may: read it through the mask, in backward as in the forward."
    )
