"""How chunks of time compose: the first steps, then the rest from the state that they leave.

The forward says where: along which axis, and from where each state is handed on, an output or
the last entry of an output or of an input (such as the x before the first).
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.cells import contracts
from gradcheck.cells.cell import Array, Cell
from gradcheck.evidence import Examiner
from gradcheck.laws import forward, parts
from gradcheck.laws.axes import Axes, Named, named
from gradcheck.laws.parts import Parts, Rule, Trial

_MOST = 2000  # ways to hand the states on that are tried
_RULES = frozenset({Rule.LATER, Rule.SUM, Rule.MEAN})


@dataclass(frozen=True)
class Origin:
    """Where a state comes from: an output or an input, whole or its last entry along an axis."""

    name: str
    output: bool
    axes: Axes = ()  # of which the last entry is taken; none if it is handed on whole

    @property
    def place(self) -> tuple[Any, ...]:
        return (slice(None),) * self.axes[0] + (-1,) if self.axes else (...,)

    def __str__(self) -> str:
        return f"{self.name}[{':, ' * self.axes[0]}-1]" if self.axes else self.name


@dataclass(frozen=True)
class Composed(Parts):
    """A time axis, how the outputs join, and from where each state is handed on."""

    states: Mapping[str, Origin]

    def handed_on(
        self, inputs: Mapping[str, Any], outputs: Mapping[str, Array], k: int
    ) -> dict[str, Any]:
        """The inputs of the second chunk, with the states that the first one leaves."""
        earlier, later = self.axis.part(inputs, 0, k), self.axis.part(inputs, k, None)
        for state, source in self.states.items():
            value = (outputs if source.output else earlier)[source.name]
            later[state] = np.array(value[source.place])
        return later

    def summands(self, argument: str, one: Array, two: Array) -> list[Array]:
        """The gradient of a state is that of the first chunk, which has what the second gives."""
        return [one] if argument in self.states else super().summands(argument, one, two)


def composed(examiner: Examiner) -> Composed | None:
    """How chunks compose over time, if they do.

    None where the backward is declared not to be the gradient of its forward throughout: what
    it holds constant, or does not take as a cotangent, may lie between the chunks.
    """
    if any(c.on_cotangent or c.kind == contracts.CONSTANT for c in examiner.cell.contracts):
        return None
    found = (_found(examiner.cell, axis) for axis in examiner.fact(named) if axis.single)
    return next((one for one in found if one is not None), None)


def _found(cell: Cell, axis: Named) -> Composed | None:
    ordinary = forward.everywhere(cell, axis.name)
    trials = [_Begun.of(cell, axis, inputs, k) for inputs in ordinary for k in (-1, 1)]
    known = [trial for trial in trials if trial is not None]
    if not known or len(known) < len(trials):
        return None
    candidates = _candidates(cell, axis, known[0])
    if math.prod(len(sources) for sources in candidates.values()) > _MOST:
        return None
    for chosen in itertools.product(*candidates.values()):
        pairs = zip(candidates, chosen, strict=True)
        states = {name: source for name, source in pairs if source is not None}
        draft = Composed(axis, (), states)
        rules = parts.rules(axis, _RULES, _continued(cell, draft, known))
        if rules is not None:
            # Where nothing has to be handed on, there is no time: batch.py has the law.
            return Composed(axis, rules, states) if states else None
    return None


@dataclass(frozen=True)
class _Begun:
    """Ordinary inputs, their outputs, and those of the first ``k`` steps."""

    inputs: Mapping[str, Any]
    k: int
    whole: tuple[Array, ...]
    first: tuple[Array, ...]

    @classmethod
    def of(cls, cell: Cell, axis: Named, inputs: Mapping[str, Any], k: int) -> "_Begun | None":
        k %= axis.length(inputs)
        whole = forward.outputs_of(cell, inputs)
        first = forward.outputs_of(cell, axis.part(inputs, 0, k))
        return None if whole is None or first is None else cls(inputs, k, whole, first)


def _continued(cell: Cell, draft: Composed, begun: Sequence[_Begun]) -> Iterator[Trial | None]:
    """What was begun, continued with the states handed on as in the draft."""
    for one in begun:
        first = dict(zip(cell.outputs, one.first, strict=True))
        second = forward.outputs_of(cell, draft.handed_on(one.inputs, first, one.k))
        share = one.k / draft.axis.length(one.inputs)
        yield None if second is None else Trial(one.first, second, one.whole, share)


def _candidates(cell: Cell, axis: Named, trial: _Begun) -> dict[str, tuple[Origin | None, ...]]:
    """Whatever has the shape of an argument, for each; first of all, that it is kept."""
    shapes = {argument.name: np.shape(trial.inputs[argument.name]) for argument in cell.arguments}
    known = [
        (Origin(name, True, axes), output.shape)
        for name, output, axes in zip(cell.outputs, trial.whole, axis.outputs, strict=True)
    ]
    streams = [name for name in shapes if axis.inputs[name]]
    known += [(Origin(name, False, axis.inputs[name]), shapes[name]) for name in streams]
    return {
        name: (None, *(source for source, whole in known if shape == _left(whole, source.axes)))
        for name, shape in shapes.items()
        if name not in streams
    }


def _left(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    """The shape of one entry along an axis."""
    return tuple(size for k, size in enumerate(shape) if k not in axes)
