"""What a wrong derivation would be right for, if that were declared: a contract to consider.

A backward that drops a term on purpose (a stabiliser, a truncated state, a normaliser whose part
cancels) is wrong until it says so. Whatever is suggested here makes every wrong gradient right on
fresh draws.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from gradcheck.arrays import close, is_number
from gradcheck.cells.cell import Array, Cell, Contract, Point
from gradcheck.cells.contracts import CONSTANT, ORTHOGONAL, ZERO
from gradcheck.cells.returned import Unusable
from gradcheck.drawing import draw, sizes
from gradcheck.drawing.draw import Example
from gradcheck.errors import CaseError
from gradcheck.evidence import Examiner
from gradcheck.lines.hint import Hint
from gradcheck.lines.instrument import Script
from gradcheck.running.run import Crash

_CLOSE = 1e-7  # what differences know of a gradient; a dropped term is far larger


def contract(script: Script, wrong: Sequence[str]) -> Hint | None:
    """What would make the ``wrong`` gradients, by argument, right if it were declared."""
    cell = script.cell
    if all(_holds(script.examiner, wrong, example) for example in _examples(cell)):
        return None  # wrong in a corner only, which no contract explains
    for declared in _candidates(script):
        other = replace(cell, contracts=(*cell.contracts, declared))
        if declared.kind == CONSTANT:
            other = replace(other, around=partial(_holding, script, declared.name))
        examiner = Examiner(other)
        if all(_holds(examiner, wrong, example) for example in _examples(cell)):
            return Hint(declared, cell.outputs)
    return None


def _candidates(script: Script) -> Iterator[Contract]:
    outputs = script.cell.outputs
    values, _ = script.cell.run(draw.inputs(script.cell, next(_examples(script.cell))))
    seen = dict(script.hooks.scope)
    if len(outputs) > 1:  # a loss without a cotangent would be no loss
        arrays = [name for name, value in zip(outputs, values, strict=True) if np.ndim(value)]
        yield from (Contract(ZERO, name, "zero", 0) for name in arrays)
    yield from (Contract(ORTHOGONAL, name, f"orthogonal to {name}", 0) for name in outputs)
    held = [n for n in script.quantities if n not in outputs and is_number(seen.get(n))]
    yield from (Contract(CONSTANT, name, "constant", 0) for name in held)


def _holding(script: Script, name: str, inputs: Mapping[str, Any]) -> Point:
    """The forward around ``inputs`` with a quantity held at the value it has there."""
    point = script.cell.at(inputs)
    script.cell.run(inputs)
    value = script.hooks.scope[name]

    def forward(values: Mapping[str, Any]) -> tuple[Array, ...]:
        script.hooks.held = {name: value}
        try:
            return point.forward(values)
        finally:
            script.hooks.held = {}

    return replace(point, forward=forward)


def _examples(cell: Cell) -> Iterator[Example]:
    names = cell.size_names
    for seed in range(3):
        yield Example(tuple(sizes.turned(names, seed).items()), seed + 1)


def _holds(examiner: Examiner, wrong: Sequence[str], example: Example) -> bool:
    """Whether the wrong gradients are right on an example, and the truth is not nothing."""
    evidence = examiner.evidence(example)
    try:
        pairs = [(evidence.hand[name], evidence.numeric.best(name).value) for name in wrong]
    except (Crash, CaseError):
        return False
    told = any(bool(np.any(true)) for _, true in pairs)
    return told and all(_right(by_hand, true) for by_hand, true in pairs)


def _right(by_hand: Array | Unusable, true: Array) -> bool:
    return not isinstance(by_hand, Unusable) and close(by_hand, true, _CLOSE)
