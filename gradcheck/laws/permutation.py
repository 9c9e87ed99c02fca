"""Where the forward does not care for the order along an axis, neither does the gradient."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array, Cell
from gradcheck.evidence import Evidence, Examiner
from gradcheck.finding import Finding, Reason, Right, Unjudged, Wrong
from gradcheck.laws import forward
from gradcheck.laws.axes import Axes, Named, named
from gradcheck.laws.runs import all_of, equal, obstacle, run

Orders = Mapping[str, Array]  # a new order by the name of the size


def indifferent(examiner: Examiner) -> tuple[Named, ...]:
    """The axes whose order the forward keeps: inputs in another order give outputs in it."""
    return tuple(axis for axis in examiner.fact(named) if _keeps(examiner.cell, axis))


def _keeps(cell: Cell, axis: Named) -> bool:
    if not any(axis.inputs.values()):
        return False
    tried = False
    for inputs in forward.everywhere(cell, axis.name):
        length, generator = axis.length(inputs), np.random.default_rng(len(inputs))
        whole = forward.outputs_of(cell, inputs)
        for order in (np.roll(np.arange(length), 1), generator.permutation(length)):
            moved = forward.outputs_of(cell, _inputs(inputs, (axis,), {axis.name: order}))
            if whole is None or moved is None:
                return False
            pairs = zip(whole, moved, axis.outputs, strict=True)
            if not all(forward.close(_moved(out, axes, order), got) for out, got, axes in pairs):
                return False
            tried = True
    return tried


def permutation(evidence: Evidence) -> Finding:
    """Inputs and cotangents in another order give the gradients in that order."""
    if reason := obstacle(evidence):
        return Unjudged(reason)
    axes = evidence.examiner.fact(indifferent)
    generator = np.random.default_rng([evidence.example.seed, 3])
    orders = {axis.name: _order(generator, axis.length(evidence.inputs)) for axis in axes}
    if all(len(order) < 2 for order in orders.values()):
        return Unjudged(Reason.NOTHING_TO_TRY)
    found = _moved_along(evidence, axes, orders)
    if not isinstance(found, Wrong):
        return found
    # All at once say that something is wrong, one by one say along which.
    found = all_of(_moved_along(evidence, (axis,), orders) for axis in axes)
    return Unjudged(Reason.ROUNDING) if isinstance(found, Right) else found


def _moved_along(evidence: Evidence, axes: tuple[Named, ...], orders: Orders) -> Finding:
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
    if not all(forward.alike(a, b, evidence.precision) for a, b in pairs):
        # In extreme numbers a sum in another order may be another sum.
        return Unjudged(Reason.ROUNDING)
    return equal(
        after.usable,
        {n: [g] for n, g in ordered(before.usable).items() if n in after.usable},
        [before, after],
        [lambda name: ordered({name: before.noise(name)})[name], after.noise],
        partial(Wrong, "permutation", facts={"size": axes[0].name}),
    )


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
