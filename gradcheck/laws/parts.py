"""An axis taken in two parts, and how what they give makes what the whole gives.

An output with the axis is that of the parts, one behind the other. One without it comes of them
by a rule that is asked of the forward.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.laws import forward
from gradcheck.laws.axes import Axes, Named, cut
from gradcheck.running.precision import Precision


class Rule(StrEnum):
    """How an output of the whole comes of those of two parts."""

    JOINED = "joined"  # one behind the other
    SUM = "sum"
    MEAN = "mean"  # weighted by length
    LATER = "later"  # that of the later part alone


@dataclass(frozen=True)
class Parts:
    """An axis along which the forward can be taken in parts; ``rules`` say how outputs join."""

    axis: Named
    rules: tuple[Rule, ...]

    def cotangents(
        self, whole: Sequence[Array], start: int, stop: int | None, share: float
    ) -> tuple[Array, ...]:
        """What the outputs of one part get from outside; it is a ``share`` of the whole."""
        found = []
        for cotangent, axes, rule in zip(whole, self.axis.outputs, self.rules, strict=True):
            weight = {Rule.MEAN: share, Rule.LATER: float(stop is None)}.get(rule, 1.0)
            part = cut(cotangent, axes, start, stop)
            found.append(np.array(part * np.asarray(weight, part.dtype)))
        return tuple(found)

    def make(
        self,
        whole: Sequence[Array],
        one: Sequence[Array],
        two: Sequence[Array],
        share: float,
        precision: Precision,
    ) -> bool:
        """Whether the outputs of two parts make the whole's: in extreme numbers they may not."""
        joint = zip(self.rules, one, two, self.axis.outputs, whole, strict=True)
        return all(
            forward.alike(join(rule, first, second, axes, share), want, precision)
            for rule, first, second, axes, want in joint
        )

    def summands(self, argument: str, one: Array, two: Array) -> list[Array]:
        """What the gradient of an argument is the sum of, from those of two parts."""
        axes = self.axis.inputs[argument]
        return [joined(one, two, axes)] if axes else [one, two]


def joined(one: Array, two: Array, axes: Axes) -> Array:
    """Two parts one behind the other along an axis."""
    return np.concatenate([one, two], axis=axes[0])


def join(rule: Rule, one: Array, two: Array, axes: Axes, share: float) -> Array:
    """The output of the whole by a rule; ``share`` is that of the first part."""
    match rule:
        case Rule.JOINED:
            fits = one.ndim == two.ndim and all(
                m == n
                for k, (m, n) in enumerate(zip(one.shape, two.shape, strict=True))
                if k not in axes
            )
            return joined(one, two, axes) if fits else np.empty(0)
        case Rule.LATER:
            return two
        case Rule.MEAN:
            return np.asarray(share * one + (1 - share) * two)
        case Rule.SUM:
            return np.asarray(one + two)


@dataclass(frozen=True)
class Trial:
    """The outputs of two parts of ordinary inputs and those of the whole."""

    one: Sequence[Array]
    two: Sequence[Array]
    whole: Sequence[Array]
    share: float


def rules(
    axis: Named, without: frozenset[Rule], trials: Iterable[Trial | None]
) -> tuple[Rule, ...] | None:
    """How outputs join, those without the axis by one of some rules; None if they do not.

    A trial is None where the forward failed.
    """
    left, tried = [{Rule.JOINED} if axes else set(without) for axes in axis.outputs], False
    for trial in trials:
        if trial is None:
            return None
        joint = zip(trial.one, trial.two, trial.whole, axis.outputs, left, strict=True)
        for one, two, want, axes, fitting in joint:
            fitting &= {
                rule
                for rule in fitting
                if forward.close(join(rule, one, two, axes, trial.share), want)
            }
            if not fitting:
                return None
        tried = True
    return tuple(min(fitting) for fitting in left) if tried else None
