"""Unroll a cell over time: the same weights at every step, the state handed on.

The result is again a cell, so that everything that judges one step judges T of them: its
backward is BPTT made of the author's own steps. An argument that carries the batch axis of the
states (or is called x) has one value a step; the others are weights, tied over time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from gradcheck.cells.cell import Argument, Array, Backward, Cell, Point
from gradcheck.cells.returned import Gradient, Unusable, gradients
from gradcheck.cells.shapes import Axis, Shape, parse

LAST = "_last"  # the state after the last step is an output of its own: at T=0 it is h_prev


@dataclass(frozen=True)
class Unrolled:
    """The cell over T steps, and the name of the size that counts the steps."""

    cell: Cell
    time: str


def unroll(cell: Cell) -> Unrolled | None:
    """The cell over time.

    None if it has no recurrent state, or if its backward is declared not to hold for every
    cotangent of one: that which the next step hands back is none that may be chosen.
    """
    recurrent = {output for _, output in cell.states}
    if not recurrent or any(c.on_cotangent and c.name in recurrent for c in cell.contracts):
        return None
    time = next(name for name in ("T", "steps", "unroll_steps") if name not in cell.size_names)
    stepped = per_step(cell)
    arguments = tuple(_stepped(a, time) if a.name in stepped else a for a in cell.arguments)
    constants = tuple(_stepped(a, time) if a.name in stepped else a for a in cell.constants)
    if not stepped:  # nothing else would say how many steps there are
        constants += (Argument(CLOCK, parse(f"{time} in {{0}}")),)
    outputs = cell.outputs + tuple(output + LAST for _, output in cell.states)

    def run(inputs: Mapping[str, Any]) -> tuple[tuple[Array, ...], Backward]:
        backwards: list[Backward] = []

        def step(values: Mapping[str, Any]) -> tuple[Array, ...]:
            step_outputs, backward = cell.run(values)
            backwards.append(backward)
            return step_outputs

        def backward(cotangents: Sequence[Array]) -> object:
            return _through_time(cell, stepped, inputs, backwards, cotangents)

        return forward(cell, stepped, step, inputs, np.stack, np.zeros), backward

    around = partial(_around, cell, stepped) if cell.contracts else None
    finer = unroll(cell.finer) if cell.finer else None
    over_time = replace(
        cell,
        arguments=arguments,
        constants=constants,
        outputs=outputs,
        run=run,
        around=around,
        finer=finer.cell if finer else None,
    )
    return Unrolled(over_time, time)


def _around(cell: Cell, stepped: frozenset[str], inputs: Mapping[str, Any]) -> Point:
    """The unrolled forward around ``inputs``: each step around what reaches it there."""
    points: list[Point] = []

    def noting(values: Mapping[str, Any]) -> tuple[Array, ...]:
        points.append(cell.at(values))
        return points[-1].forward(values)

    forward(cell, stepped, noting, inputs, np.stack, np.zeros)

    def held(values: Mapping[str, Any]) -> tuple[Array, ...]:
        steps = iter(points)

        def step(one: Mapping[str, Any]) -> tuple[Array, ...]:
            return next(steps).forward(one)

        return forward(cell, stepped, step, values, np.stack, np.zeros)

    margin = min((point.margin for point in points), default=float("inf"))
    return Point(held, margin, any(point.clipped for point in points))


def per_step(cell: Cell) -> frozenset[str]:
    """The arguments and constants that have a value of their own at every step."""
    states = dict(cell.states)
    shapes = {a.name: a.shape for a in cell.arguments + cell.constants if a.value is None}
    axes = {name: {axis.text for axis in shape.axes} for name, shape in shapes.items()}
    shared = set.intersection(*(axes[name] for name in states))
    batch = None
    if any(len(shapes[name].names) > 1 for name in states):
        # The first axis of the states that every x has, and that is no axis of units: those
        # come twice in a recurrent matrix, and in sums and multiples such as H+D and 4*H.
        streams = [axes[name] for name in shapes if _is_x(name) and name not in states]
        units = {name for shape in shapes.values() for name in _units(shape)}
        ordered = [a.text for a in shapes[next(iter(states))].axes if a.text in shared]
        fitting = [text for text in ordered if all(text in found for found in streams)]
        batch = next((text for text in fitting if text not in units), None)
    return frozenset(
        name
        for name in shapes
        if name not in states and (_is_x(name) or (batch is not None and batch in axes[name]))
    )


def _is_x(name: str) -> bool:
    return name == "x" or name.startswith("x_")


def _units(shape: Shape) -> Iterator[str]:
    """Names that the shape has in two axes, or in arithmetic."""
    plain = [axis.text for axis in shape.axes if axis.names == (axis.text,)]
    yield from (text for text in plain if plain.count(text) > 1)
    yield from (n for axis in shape.axes if axis.names != (axis.text,) for n in axis.names)


def forward(
    cell: Cell,
    stepped: frozenset[str],
    step: Callable[[Mapping[str, Any]], tuple[Any, ...]],
    inputs: Mapping[str, Any],
    stack: Callable[[list[Any]], Any],
    zeros: Callable[[int], Any],
) -> tuple[Any, ...]:
    """Run ``step`` T times: every output stacked over time, then the last states.

    The same lines serve NumPy and PyTorch, which differ in ``stack`` and ``zeros``.
    """
    state = {name: inputs[name] for name, _ in cell.states}
    clock = inputs[next(iter(stepped), CLOCK)]
    history: list[tuple[Any, ...]] = []
    for t in range(len(clock)):
        values = {
            name: value[t] if name in stepped else value
            for name, value in inputs.items()
            if name != CLOCK
        }
        outputs = step({**values, **state})
        history.append(outputs)
        by_name = dict(zip(cell.outputs, outputs, strict=True))
        state = {name: by_name[output] for name, output in cell.states}
    columns = zip(*history, strict=True) if history else ()
    stacked = [stack(list(column)) for column in columns] or [zeros(0) for _ in cell.outputs]
    return (*stacked, *(state[name] for name, _ in cell.states))


CLOCK = "clock"


def _stepped(argument: Argument, time: str) -> Argument:
    shape = argument.shape
    axis = parse(time).axes[0]
    text = f"{time} {shape.text}".strip()
    return Argument(
        argument.name, Shape(text, (Axis(axis.text, axis.tree), *shape.axes), shape.domain)
    )


def _through_time(
    cell: Cell,
    stepped: frozenset[str],
    inputs: Mapping[str, Any],
    backwards: Sequence[Backward],
    cotangents: Sequence[Array],
) -> tuple[Gradient, ...]:
    """Backpropagation through time, made of the author's steps, in the order of the arguments."""
    per_output = dict(zip(cell.outputs, cotangents, strict=False))
    last = cotangents[len(cell.outputs) :]
    carried: dict[str, Any] = {
        output: cotangent for (_, output), cotangent in zip(cell.states, last, strict=True)
    }
    total: dict[str, Any] = {a.name: np.zeros(np.shape(inputs[a.name])) for a in cell.arguments}
    for t in reversed(range(len(backwards))):
        given = [per_output[output][t] + carried.get(output, 0.0) for output in cell.outputs]
        one_step = [
            inputs[a.name][t] if a.name in stepped else inputs[a.name] for a in cell.arguments
        ]
        found = gradients(cell, backwards[t](given), one_step)
        for name, gradient in found.items():
            if isinstance(total[name], Unusable) or isinstance(gradient, Unusable):
                total[name] = gradient if isinstance(gradient, Unusable) else total[name]
            elif name in stepped:
                total[name][t] = gradient
            else:
                total[name] = total[name] + gradient
        for name, output in cell.states:
            if isinstance(found[name], Unusable):
                return tuple(found[name] for _ in cell.arguments)
            carried[output] = found[name]
    for name, output in cell.states:
        total[name] = np.array(carried[output])
    return tuple(total[a.name] for a in cell.arguments)
