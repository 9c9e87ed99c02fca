"""Where a case and its twin agree although their forwards differ: what tells conventions apart.

At zero states, at zero biases, without one of the arguments; with gates exchanged, or flipped to
1 minus what they are. Whatever is said holds on fresh draws of different sizes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array, Cell
from gradcheck.cells.shapes import Shape
from gradcheck.drawing.draw import Example, fits
from gradcheck.drawing.sizes import turned
from gradcheck.errors import CaseError
from gradcheck.evidence import Evidence, Examiner
from gradcheck.running.run import Crash
from gradcheck.verdicts.fresh import equal
from gradcheck.verdicts.gates import Inputs, changes
from gradcheck.verdicts.patterns import Pattern

_DRAWS = 3


@dataclass(frozen=True)
class _Draw:
    """One draw of a cell with a twin: what both compute from it, changed for one or for both."""

    examiner: Examiner
    example: Example
    inputs: Inputs

    def case(self, inputs: Inputs) -> tuple[Array, ...]:
        return self._evidence(inputs).outputs

    def twin(self, inputs: Inputs) -> tuple[Array, ...]:
        return self._evidence(inputs).beside.outputs

    def _evidence(self, inputs: Inputs) -> Evidence:
        return Evidence(self.examiner, self.example, inputs)


def find(examiner: Examiner) -> tuple[Pattern, ...]:
    """Where the forwards agree, the most telling first; nothing if they agree on every draw."""
    draws = list(_draws(examiner))
    if not draws or all(_agree(one, one.inputs, one.inputs) for one in draws):
        return ()
    exchanged = next(_exchanged(examiner.cell, draws), None)
    if exchanged is not None:
        return (exchanged,)
    return tuple(_where_zero(examiner.cell, draws))[:2]


def _draws(examiner: Examiner) -> Iterator[_Draw]:
    for seed in range(_DRAWS):
        example = Example(tuple(turned(examiner.cell.size_names, seed).items()), seed + 1)
        if fits(examiner.cell, example):
            yield _Draw(examiner, example, examiner.evidence(example).inputs)


def _agree(draw: _Draw, case: Inputs, twin: Inputs) -> bool:
    """Whether the outputs are the same, and not only because they are all zero."""
    with suppress(Crash, CaseError):
        ours, theirs = draw.case(case), draw.twin(twin)
        told = any(np.any(one) for one in theirs)
        return told and all(equal(a, b) for a, b in zip(ours, theirs, strict=True))
    return False


def _exchanged(cell: Cell, draws: Sequence[_Draw]) -> Iterator[Pattern]:
    """A change of the case's inputs after which it computes what the twin does."""
    sizes = [dict(one.example.sizes) for one in draws]
    for change in changes(cell, sizes[0]):
        if all(_agree(one, change.apply(one.inputs), one.inputs) for one in draws):
            yield Pattern(change.kind, "", change.facts)


def _where_zero(cell: Cell, draws: Sequence[_Draw]) -> Iterator[Pattern]:
    """Groups of arguments without which both compute the same, single ones first."""
    states = [name for name, _ in cell.states]
    biases = [a.name for a in cell.arguments if a.name[0] == "b" and _is_vector(a.shape)]
    others = [a.name for a in cell.arguments if a.name not in states + biases]
    for kind, names in (("states", states), ("biases", biases), ("", others)):
        alone = [name for name in names if _without(draws, [name])]
        yield from (Pattern("agree-at-zero", "", {"names": (name,), "kind": ""}) for name in alone)
        if not alone and kind and len(names) > 1 and _without(draws, names):
            yield Pattern("agree-at-zero", "", {"names": tuple(names), "kind": kind})


def _without(draws: Sequence[_Draw], names: Sequence[str]) -> bool:
    def zeroed(inputs: Inputs) -> Mapping[str, Any]:
        return {n: np.zeros_like(v) if n in names else v for n, v in inputs.items()}

    return all(_agree(one, zeroed(one.inputs), zeroed(one.inputs)) for one in draws)


def _is_vector(shape: Shape) -> bool:
    """Whether it is one axis, or a column."""
    return len([axis for axis in shape.axes if axis.text != "1"]) == 1
