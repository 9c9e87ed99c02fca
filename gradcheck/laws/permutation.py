"""Where the forward does not care for the order along an axis, neither does the gradient."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array, Cell
from gradcheck.evidence import Evidence, Examiner
from gradcheck.laws.axes import Axes, Named, alike, close, everywhere, named, outputs_of
from gradcheck.laws.runs import Broken, broken, run, sides, void

Orders = Mapping[str, Array]  # a new order by the name of the size


def indifferent(examiner: Examiner) -> tuple[Named, ...]:
    """The axes whose order the forward keeps: inputs in another order give outputs in it."""
    return tuple(axis for axis in examiner.fact(named) if _keeps(examiner.cell, axis))


def _keeps(cell: Cell, axis: Named) -> bool:
    if not any(axis.inputs.values()):
        return False
    tried = False
    for inputs in everywhere(cell, axis.name):
        length, generator = axis.length(inputs), np.random.default_rng(len(inputs))
        whole = outputs_of(cell, inputs)
        for order in (np.roll(np.arange(length), 1), generator.permutation(length)):
            moved = outputs_of(cell, _inputs(inputs, (axis,), {axis.name: order}))
            if whole is None or moved is None:
                return False
            pairs = zip(whole, moved, axis.outputs, strict=True)
            if not all(close(_moved(out, axes, order), got) for out, got, axes in pairs):
                return False
            tried = True
    return tried


def permutation(evidence: Evidence) -> str | None:
    """Inputs and cotangents in another order give the gradients in that order."""
    if void(evidence):
        return None
    axes = evidence.examiner.fact(indifferent)
    generator = np.random.default_rng([evidence.example.seed, 3])
    orders = {axis.name: _order(generator, axis.length(evidence.inputs)) for axis in axes}
    if all(len(order) < 2 for order in orders.values()):
        return None
    if _wrong(evidence, axes, orders) is None:
        return None
    for axis in axes:  # all at once say that, one by one say which
        wrong = _wrong(evidence, (axis,), orders)
        if wrong is not None:
            return _told(wrong, axis.name)
    return None


def _wrong(evidence: Evidence, axes: tuple[Named, ...], orders: Orders) -> Broken | None:
    before = evidence.run

    def ordered(values: Mapping[str, Array]) -> dict[str, Array]:
        found = dict(values)
        for axis in axes:
            for name in found:
                own = axis.inputs[name.removeprefix("d")]
                found[name] = _moved(found[name], own, orders[axis.name])
        return found

    outputs, cotangents = list(evidence.outputs), list(evidence.cotangents)
    for axis in axes:
        for k, own in enumerate(axis.outputs):
            outputs[k] = _moved(outputs[k], own, orders[axis.name])
            cotangents[k] = _moved(cotangents[k], own, orders[axis.name])
    after = run(evidence, _inputs(evidence.inputs, axes, orders), tuple(cotangents))
    pairs = zip(after.outputs, outputs, strict=True)
    if not all(alike(a, b, evidence.precision) for a, b in pairs):
        return None  # in extreme numbers a sum in another order may be another sum
    terms = {n: [g] for n, g in ordered(before.usable).items() if n in after.usable}

    spreads = (
        lambda name: ordered({name: before.noise(name)})[name],
        after.noise,
    )
    return broken(after.usable, terms, [before, after], spreads, evidence)


def _inputs(inputs: Mapping[str, Any], axes: tuple[Named, ...], orders: Orders) -> dict[str, Any]:
    found = dict(inputs)
    for axis in axes:
        for name, own in axis.inputs.items():
            found[name] = _moved(found[name], own, orders[axis.name])
    return found


def _moved(value: Any, axes: Axes, order: Array) -> Any:
    for k in axes:
        value = np.take(value, order, axis=k)
    return value


def _order(generator: np.random.Generator, length: int) -> Array:
    """A new order with nothing in its old place: one cycle through all, drawn at random."""
    cycle, order = generator.permutation(length), np.empty(length, int)
    order[cycle] = np.roll(cycle, 1)
    return order


def _told(wrong: Broken, size: str) -> str:
    got, want = sides(wrong.got, wrong.want)
    return (
        f"{wrong.entry} is {got} once the order along {size} is another, but {want} stood in its "
        f"place.\nThe forward does not care for the order along {size}, so {wrong.name} may not "
        "either: no index of it may be left out or singled out."
    )
