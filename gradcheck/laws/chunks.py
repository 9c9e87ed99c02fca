"""Chunks compose over time: the first steps, then the rest from the state that they leave.

The forward says where: along which axis, and from where each state is handed on, an output or
the last entry of an output or of an input (such as the x before the first). Where two chunks give
the outputs of the whole, the chain rule says that the second one's gradient of a state is a
cotangent of the first one, and that gradients of what both chunks see add up.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.cells import contracts
from gradcheck.cells.cell import Array, Cell
from gradcheck.cells.returned import Unusable
from gradcheck.evidence import Evidence, Examiner
from gradcheck.laws.axes import (
    JOINED,
    LATER,
    MEAN,
    SUM,
    Axes,
    Named,
    alike,
    close,
    cut,
    everywhere,
    join,
    joined,
    named,
    outputs_of,
)
from gradcheck.laws.runs import Broken, broken, run, sides, void
from gradcheck.running.run import Run

_MOST = 2000  # ways to hand the states on that are tried


@dataclass(frozen=True)
class Source:
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
class Composed:
    """A time axis, from where each state is handed on, and how the outputs join."""

    axis: Named
    states: Mapping[str, Source]
    rules: tuple[str, ...]

    def handed_on(
        self, inputs: Mapping[str, Any], outputs: Mapping[str, Array], k: int
    ) -> dict[str, Any]:
        """The inputs of the second chunk, with the states that the first one leaves."""
        earlier, later = self.axis.part(inputs, 0, k), self.axis.part(inputs, k, None)
        for state, source in self.states.items():
            value = (outputs if source.output else earlier)[source.name]
            later[state] = np.array(value[source.place])
        return later

    def cotangents(
        self, whole: Sequence[Array], start: int, stop: int | None, share: float
    ) -> list[Array]:
        """What the outputs of a chunk get from outside."""
        found = []
        for cotangent, axes, rule in zip(whole, self.axis.outputs, self.rules, strict=True):
            weight = {MEAN: share, LATER: float(stop is None)}.get(rule, 1.0)
            part = cut(cotangent, axes, start, stop)
            found.append(np.array(part * np.asarray(weight, part.dtype)))
        return found


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
    trials = [_Trial.of(cell, axis, i, k) for i in everywhere(cell, axis.name) for k in (-1, 1)]
    known = [trial for trial in trials if trial is not None]
    if not known or len(known) < len(trials):
        return None
    candidates = _candidates(cell, axis, known[0])
    if math.prod(len(sources) for sources in candidates.values()) > _MOST:
        return None
    for chosen in itertools.product(*candidates.values()):
        pairs = zip(candidates, chosen, strict=True)
        states = {name: source for name, source in pairs if source is not None}
        rules = _rules(cell, axis, states, known)
        if rules is not None:
            # Where nothing has to be handed on, there is no time: batch.py has the law.
            return Composed(axis, states, rules) if states else None
    return None


@dataclass(frozen=True)
class _Trial:
    """Ordinary inputs, their outputs, and those of the first ``k`` steps."""

    inputs: Mapping[str, Any]
    k: int
    whole: tuple[Array, ...]
    first: tuple[Array, ...]

    @classmethod
    def of(cls, cell: Cell, axis: Named, inputs: Mapping[str, Any], k: int) -> "_Trial | None":
        k %= axis.length(inputs)
        whole, first = outputs_of(cell, inputs), outputs_of(cell, axis.part(inputs, 0, k))
        return None if whole is None or first is None else cls(inputs, k, whole, first)


def _candidates(cell: Cell, axis: Named, trial: _Trial) -> dict[str, tuple[Source | None, ...]]:
    """Whatever has the shape of an argument, for each; first of all, that it is kept."""
    shapes = {argument.name: np.shape(trial.inputs[argument.name]) for argument in cell.arguments}
    known = [
        (Source(name, True, axes), output.shape)
        for name, output, axes in zip(cell.outputs, trial.whole, axis.outputs, strict=True)
    ]
    streams = [name for name in shapes if axis.inputs[name]]
    known += [(Source(name, False, axis.inputs[name]), shapes[name]) for name in streams]
    return {
        name: (None, *(source for source, whole in known if shape == _left(whole, source.axes)))
        for name, shape in shapes.items()
        if name not in streams
    }


def _left(shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    """The shape of one entry along an axis."""
    return tuple(size for k, size in enumerate(shape) if k not in axes)


def _rules(
    cell: Cell, axis: Named, states: Mapping[str, Source], trials: Sequence[_Trial]
) -> tuple[str, ...] | None:
    """How the outputs of two chunks make those of the whole, if they do."""
    left = [{JOINED} if axes else {LATER, SUM, MEAN} for axes in axis.outputs]
    draft = Composed(axis, states, ())
    for trial in trials:
        first = dict(zip(cell.outputs, trial.first, strict=True))
        second = outputs_of(cell, draft.handed_on(trial.inputs, first, trial.k))
        if second is None:
            return None
        share = trial.k / axis.length(trial.inputs)
        joint = zip(trial.first, second, trial.whole, axis.outputs, left, strict=True)
        for one, two, want, axes, rules in joint:
            rules &= {rule for rule in rules if close(join(rule, one, two, axes, share), want)}
            if not rules:
                return None
    return tuple(min(rules) for rules in left)


def chunks(evidence: Evidence) -> str | None:
    """The backwards of two chunks, the cotangents of the states handed back, give the whole."""
    found = evidence.examiner.fact(composed)
    assert found is not None  # or the law does not apply
    length = found.axis.length(evidence.inputs)
    if length < 2 or void(evidence):
        return None
    k = 1 + evidence.example.seed % (length - 1)
    parts = _two(evidence, found, k, length)
    if parts is None:
        return None
    first, second, carried = parts
    whole = evidence.run
    terms = {}
    for name in whole.usable:
        own = name.removeprefix("d")
        if name not in carried or name not in second.usable:
            continue
        one, two = carried[name], second.usable[name]
        if axes := found.axis.inputs[own]:
            terms[name] = [joined([one, two], axes)]
        else:
            terms[name] = [one] if own in found.states else [one, two]

    def of_chunks(name: str) -> Array:
        own, axes = name.removeprefix("d"), found.axis.inputs[name.removeprefix("d")]
        one, two = first.noise(name), second.noise(name)
        return one if own in found.states else joined([one, two], axes) if axes else one + two

    # The two chunks are the computation of the whole once more, rounded in other places.
    spreads = (lambda name: 2 * whole.noise(name), of_chunks)
    wrong = broken(whole.usable, terms, [whole, first, second], spreads, evidence)
    return None if wrong is None else _told(wrong, found, length, k)


def _two(
    evidence: Evidence, found: Composed, k: int, length: int
) -> tuple[Run, Run, dict[str, Array]] | None:
    """Both chunks, and the gradients of the first with what is handed back to its inputs."""
    names = evidence.cell.outputs
    inputs = found.axis.part(evidence.inputs, 0, k)
    outputs = dict(zip(names, (o.copy() for o in evidence.caller.forward(inputs)[0]), strict=True))
    share = k / length
    second = run(
        evidence,
        found.handed_on(evidence.inputs, outputs, k),
        found.cotangents(evidence.cotangents, k, None, 1 - share),
    )
    joint = zip(found.rules, outputs.values(), second.outputs, strict=True)
    for (rule, one, two), axes, want in zip(
        joint, found.axis.outputs, evidence.outputs, strict=True
    ):
        if not alike(join(rule, one, two, axes, share), want, evidence.precision):
            return None
    cotangents = found.cotangents(evidence.cotangents, 0, k, share)
    for state, source in found.states.items():
        gradient = second.gradients[state]
        if isinstance(gradient, Unusable):
            return None  # its own nodes tell
        if source.output:
            cotangents[names.index(source.name)][source.place] += gradient
    first = run(evidence, inputs, cotangents)
    carried = {name: gradient.copy() for name, gradient in first.usable.items()}
    for state, source in found.states.items():
        if not source.output and f"d{source.name}" in carried:
            carried[f"d{source.name}"][source.place] += second.usable[f"d{state}"]
    return first, second, carried


def _told(wrong: Broken, found: Composed, length: int, k: int) -> str:
    got, want = sides(wrong.got, wrong.want)
    time = found.axis.name
    handed = ", ".join(f"{state} from {source}" for state, source in found.states.items())
    return (
        f"{wrong.entry} is {got} over {time}={length}, but {want} over {time}={k} and then "
        f"{time}={length - k} ({handed}).\nThe forward composes, so backward must: carry the "
        "gradient of each state through all steps, from the cotangents of the last, and add up "
        "what is shared at each step."
    )
