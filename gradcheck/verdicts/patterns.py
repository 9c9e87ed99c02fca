"""Recognise how a gradient is wrong: by a factor, a sign, a transpose, a mix-up, or only sometimes.

A pattern holds on every fresh draw (fresh.py), and is told as data: show/patterns.py has its
sentence.
"""

import ast
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.cells.returned import Unusable
from gradcheck.cells.shapes import Shape
from gradcheck.drawing.draw import AT_REST, EXTREME, REGIMES, Example
from gradcheck.verdicts.blocks import blocks, permuted, wrong_blocks
from gradcheck.verdicts.factors import factor, named
from gradcheck.verdicts.fresh import Condition, Draw, Inquiry, equal

_MOST = 2  # of one gradient
_EQUAL = 7  # for two sizes that coincide; no generic draw has it
_BLOCKS = 4  # whose orders are all tried


@dataclass(frozen=True)
class Pattern:
    """What is striking about a gradient; ``kind`` is a stable code."""

    kind: str
    name: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def find(inquiry: Inquiry, shown: Example | None = None) -> tuple[Pattern, ...]:
    """What is striking about a gradient; empty if nothing is.

    ``shown`` is the example that is printed: no pattern may contradict it.
    """
    generic = list(inquiry.draws(Condition()))
    wrong = [one for one in generic if not one.right]
    if not generic:
        return ()
    if not wrong:
        return tuple(itertools.islice(_only_wrong(inquiry, shown), _MOST))
    whole = _whole(inquiry, wrong)
    if whole is not None:
        return (whole,)
    found = itertools.chain(_only_right(inquiry), _wrong_blocks(inquiry, wrong))
    return tuple(itertools.islice(found, _MOST))


# Of the whole tensor: each relates it to something true.


def _whole(inquiry: Inquiry, wrong: Sequence[Draw]) -> Pattern | None:
    for look in (_sign, _factor, _transpose, _mixed_up, _interchanged):
        found = look(inquiry, wrong)
        if found is not None:
            return found
    return None


def _sign(inquiry: Inquiry, wrong: Sequence[Draw]) -> Pattern | None:
    flipped = all(equal(one.hand, -one.want) for one in wrong)
    return Pattern("sign", inquiry.gradient) if flipped else None


def _factor(inquiry: Inquiry, wrong: Sequence[Draw]) -> Pattern | None:
    factors = [factor(one.hand, one.want) for one in wrong]
    known = [one for one in factors if one is not None]
    if len(known) < len(factors):
        return None
    facts = named(known, [one.sizes for one in wrong])
    return Pattern("factor", inquiry.gradient, facts)


def _transpose(inquiry: Inquiry, wrong: Sequence[Draw]) -> Pattern | None:
    turned = all(one.want.ndim == 2 and equal(one.hand, one.want.T) for one in wrong)
    return Pattern("transposed", inquiry.gradient) if turned else None


def _mixed_up(inquiry: Inquiry, wrong: Sequence[Draw]) -> Pattern | None:
    """Another argument's gradient in its place, and perhaps its own in that one's."""
    for other in inquiry.cell.arguments:
        if other.name == inquiry.argument:
            continue
        if all(_is_other(inquiry, one, other.name) for one in wrong):
            mutual = all(_has(one, other.name) for one in wrong)
            facts = {"other": f"d{other.name}", "mutual": mutual}
            return Pattern("another", inquiry.gradient, facts)
    return None


def _is_other(inquiry: Inquiry, one: Draw, other: str) -> bool:
    """Whether the gradient by hand is the true gradient of another argument."""
    fits = np.shape(one.evidence.inputs[other]) == one.hand.shape
    return fits and equal(one.hand, inquiry.refer(one.evidence, other).value)


def _has(one: Draw, other: str) -> bool:
    """Whether another gradient by hand is what this one should be."""
    found = one.evidence.hand[other]
    return not isinstance(found, Unusable) and equal(found, one.want)


def _interchanged(inquiry: Inquiry, wrong: Sequence[Draw]) -> Pattern | None:
    for k, axis in enumerate(_shape(inquiry).axes):
        count = len(list(blocks(axis, wrong[0].sizes)))
        multiple = isinstance(axis.tree, ast.BinOp) and isinstance(axis.tree.op, ast.Mult)
        if not multiple or not 1 < count <= _BLOCKS:
            continue
        for order in itertools.permutations(range(count)):
            if all(equal(one.hand, permuted(one.want, k, order)) for one in wrong):
                moved = [place for place, block in enumerate(order) if place != block]
                return Pattern("interchanged", inquiry.gradient, {"blocks": moved, "axis": k})
    return None


def _wrong_blocks(inquiry: Inquiry, wrong: Sequence[Draw]) -> Iterator[Pattern]:
    """Which blocks of a composite axis (4*H, H+D) are wrong, where the others are right."""
    for k, axis in enumerate(_shape(inquiry).axes):
        faulty = wrong_blocks(axis, k, [(one.sizes, one.hand, one.want) for one in wrong])
        if faulty:
            yield Pattern("blocks", inquiry.gradient, {"blocks": faulty, "axis": k})


def _shape(inquiry: Inquiry) -> Shape:
    return next(a.shape for a in inquiry.cell.arguments if a.name == inquiry.argument)


# Only sometimes.


def _conditions(inquiry: Inquiry) -> Iterator[Condition]:
    names = inquiry.cell.size_names
    yield from (Condition({size: 1}) for size in names)
    if inquiry.time is not None:
        yield Condition({inquiry.time: 0})
    if inquiry.cell.states:
        yield Condition(regime=AT_REST)


def _only_right(inquiry: Inquiry) -> Iterator[Pattern]:
    """Conditions under which the gradient is right, unlike on the generic draws."""
    for condition in _conditions(inquiry):
        # A gradient that is zero is right by itself: dU is, at rest, whatever its formula.
        telling = [one for one in inquiry.draws(condition) if one.want.any()]
        if telling and all(one.right for one in telling):
            yield _only("right", inquiry, condition)


def _only_wrong(inquiry: Inquiry, shown: Example | None) -> Iterator[Pattern]:
    """Conditions under which the gradient is wrong, unlike on the generic draws."""
    pairs = itertools.combinations(inquiry.cell.size_names, 2)
    ties = (Condition({one: _EQUAL, other: _EQUAL}) for one, other in pairs)
    for condition in itertools.chain(_conditions(inquiry), ties):
        if _possible(condition.met, shown):
            drawn = list(inquiry.draws(condition))
            if drawn and not any(one.right for one in drawn):
                yield _only("wrong", inquiry, condition)
    for regime in sorted(REGIMES[1:], key=lambda regime: regime not in EXTREME):
        condition = Condition(regime=regime)
        draws = inquiry.draws(condition, count=20)
        if _possible(condition.met, shown) and not all(one.right for one in draws):
            yield _only("wrong", inquiry, condition)


def _possible(met: Callable[[Example], bool], shown: Example | None) -> bool:
    return shown is None or met(shown)


def _only(word: str, inquiry: Inquiry, condition: Condition) -> Pattern:
    facts = {"word": word, "sizes": dict(condition.sizes), "regime": condition.regime}
    return Pattern("only", inquiry.gradient, facts | {"tie": condition.tie})
