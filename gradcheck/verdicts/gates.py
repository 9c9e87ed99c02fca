"""Which arguments belong to which gate: by the letter at the end of a name, or by block."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array, Cell
from gradcheck.verdicts.blocks import blocks, permuted

_BLOCKS = 4  # whose orders are all tried

# Inputs by name, given in the place of some.
Inputs = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """A change of a cell's inputs that other conventions ask for; ``kind`` and ``facts`` say it."""

    kind: str
    facts: Mapping[str, Any]
    apply: Callable[[Inputs], Inputs] = field(repr=False)


def changes(cell: Cell, sizes: Mapping[str, int]) -> Iterator[Change]:
    """Gates in the place of each other, and gates that are 1 minus what they are."""
    gates = dict(_gates(cell))
    for one, other in itertools.combinations(gates, 2):
        common = [stem for stem in gates[one] if stem in gates[other]]
        pairs = tuple((gates[one][stem], gates[other][stem]) for stem in common)
        if pairs and all(_shape(cell, a) == _shape(cell, b) for a, b in pairs):
            yield Change("gates-exchanged", {"gates": (one, other), "pairs": pairs}, _swap(pairs))
    for gate, members in gates.items():
        names = tuple(members.values())
        yield Change("gate-flipped", {"gate": gate, "names": names}, _negated(names))
    yield from _of_blocks(cell, sizes)


def _gates(cell: Cell) -> Iterator[tuple[str, dict[str, str]]]:
    """The arguments that end in one letter, by what stands before it, where others end in another
    behind the same: Wf and Wi.
    """
    states = {name for name, _ in cell.states}
    names = [a.name for a in cell.arguments if a.name not in states and len(a.name) > 1]
    stems = [name[:-1] for name in names]
    for letter in dict.fromkeys(name[-1] for name in names):
        members = {n[:-1]: n for n in names if n[-1] == letter and stems.count(n[:-1]) > 1}
        if members:
            yield letter, members


def _of_blocks(cell: Cell, sizes: Mapping[str, int]) -> Iterator[Change]:
    axes = dict.fromkeys(a.text for argument in cell.arguments for a in argument.shape.axes)
    for text in axes:
        places = [
            (argument.name, k, axis)
            for argument in cell.arguments
            for k, axis in enumerate(argument.shape.axes)
            if axis.text == text
        ]
        count = len(list(blocks(places[0][2], sizes)))
        if not 1 < count <= _BLOCKS or "*" not in text:
            continue
        where = [(name, k) for name, k, _ in places]
        for order in itertools.permutations(range(count)):
            if order != tuple(range(count)):
                facts = {"axis": text, "order": order}
                yield Change("blocks-exchanged", facts, _ordered(where, order))
        for block in range(count):
            flipped = {"axis": text, "block": block}
            yield Change("block-flipped", flipped, _block_negated(where, block, count))


def _swap(pairs: tuple[tuple[str, str], ...]) -> Callable[[Inputs], Inputs]:
    taken = dict([*pairs, *((b, a) for a, b in pairs)])
    return lambda inputs: {name: inputs[taken.get(name, name)] for name in inputs}


def _negated(names: tuple[str, ...]) -> Callable[[Inputs], Inputs]:
    return lambda inputs: {n: -v if n in names else v for n, v in inputs.items()}


def _ordered(places: list[tuple[str, int]], order: tuple[int, ...]) -> Callable[[Inputs], Inputs]:
    return _along(places, lambda array, axis: permuted(array, axis, order))


def _block_negated(
    places: list[tuple[str, int]], block: int, count: int
) -> Callable[[Inputs], Inputs]:
    def negated(array: Array, axis: int) -> Array:
        parts = np.split(array, count, axis=axis)
        parts[block] = -parts[block]
        return np.concatenate(parts, axis=axis)

    return _along(places, negated)


def _along(
    places: list[tuple[str, int]], change: Callable[[Array, int], Array]
) -> Callable[[Inputs], Inputs]:
    def apply(inputs: Inputs) -> Inputs:
        changed = dict(inputs)
        for name, axis in places:
            changed[name] = change(changed[name], axis)
        return changed

    return apply


def _shape(cell: Cell, name: str) -> str:
    return next(a.shape.text for a in cell.arguments if a.name == name)
