"""Recognise how a gradient is wrong: by a factor, a sign, a transpose, a mix-up, or only sometimes.

A pattern is looked for on fresh ordinary draws with sizes from 2 up, all different, and must
hold on every one of them; the shrunk example is too small to tell B from 1/B.
"""

import ast
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.arrays import close
from gradcheck.cells.cell import Array
from gradcheck.cells.returned import Unusable
from gradcheck.cells.shapes import Axis
from gradcheck.drawing.draw import AT_REST, Example, fits
from gradcheck.drawing.sizes import turned
from gradcheck.errors import CaseError
from gradcheck.evidence import Evidence, Examiner
from gradcheck.oracles.reference import Reference
from gradcheck.running import precision
from gradcheck.running.precision import DOUBLE
from gradcheck.running.run import Crash

_MOST = 2  # sentences
_CLOSE = 1e-9  # relative; far above rounding on ordinary draws, far below any real difference

_EQUAL = 7  # for two sizes that coincide; no generic draw has it
_REGIMES = {
    "saturated": "where gates saturate",
    "huge": "on huge inputs",
    "tiny": "on tiny inputs",
    "zeros": "where some states or cotangents are zero",
    "fortran": "on arrays in Fortran order",
    "strided": "on arrays that are not contiguous",
}

_POWERS = {1.0: "{}", -1.0: "1/{}", 0.5: "sqrt({})", -0.5: "1/sqrt({})"}

Refer = Callable[[Evidence, str], Reference]


@dataclass(frozen=True)
class _Draw:
    """One fresh draw: the sizes, and the gradient by hand beside the true one."""

    sizes: dict[str, int]
    evidence: Evidence
    hand: Array
    want: Array

    @property
    def right(self) -> bool:
        return _equal(self.hand, self.want)


def find(
    examiner: Examiner, name: str, refer: Refer, time: str | None, shown: Example | None = None
) -> tuple[str, ...]:
    """What is striking about d``name``, as sentences; empty if nothing is.

    ``shown`` is the example that is printed: no sentence may contradict it.
    """
    generic = list(_draws(examiner, name, refer, time))
    if not generic:
        return ()
    if all(one.right for one in generic):
        found = _only_at(examiner, name, refer, time, "wrong", lambda one: not one.right, shown)
    else:
        wrong = [one for one in generic if not one.right]
        whole = tuple(_algebra(examiner, name, refer, wrong))
        if whole:
            return whole
        found = itertools.chain(
            _only_at(examiner, name, refer, time, "right", lambda one: one.right, None),
            _only_blocks(examiner, name, wrong),
        )
    return tuple(itertools.islice(found, _MOST))


def _draws(
    examiner: Examiner,
    name: str,
    refer: Refer,
    time: str | None,
    fixed: dict[str, int] | None = None,
    regime: str = "ordinary",
    count: int = 3,
) -> Iterator[_Draw]:
    """Draws with different sizes, some of them ``fixed``; draws that fail are left out."""
    names = examiner.cell.size_names
    for seed in range(count):
        sizes = turned(names, seed)
        if time is not None:
            sizes[time] = 3
        sizes |= fixed or {}
        example = Example(tuple(sizes.items()), seed + 1, regime)
        if not fits(examiner.cell, example):
            continue
        evidence = examiner.evidence(example)
        try:
            hand = evidence.hand[name]
            if isinstance(hand, Unusable) or not evidence.run.finite:
                continue
            yield _Draw(sizes, evidence, hand, refer(evidence, name).value)
        except (Crash, CaseError):
            continue


def _algebra(examiner: Examiner, name: str, refer: Refer, wrong: Sequence[_Draw]) -> Iterator[str]:
    """Patterns of the whole tensor: each relates it to something true."""
    gradient = f"d{name}"
    if all(_equal(one.hand, -one.want) for one in wrong):
        yield f"{gradient} has the wrong sign."
        return
    factors = [_factor(one.hand, one.want) for one in wrong]
    if None not in factors:
        yield _factor_sentence(gradient, [f for f in factors if f is not None], wrong)
        return
    if all(one.want.ndim == 2 and _equal(one.hand, one.want.T) for one in wrong):
        yield f"{gradient} is transposed."
        return
    for other in examiner.cell.arguments:
        if other.name == name or not all(_is_other(one, other.name, refer) for one in wrong):
            continue
        mutual = all(_has(one, other.name, one.want) for one in wrong)
        if mutual:
            yield f"{gradient} and d{other.name} are swapped: each holds the other's value."
        else:
            yield f"{gradient} is the true d{other.name}."
        return
    shape = next(a.shape for a in examiner.cell.arguments if a.name == name)
    for k, axis in enumerate(shape.axes):
        count = len(list(_blocks(axis, wrong[0].sizes)))
        multiple = isinstance(axis.tree, ast.BinOp) and isinstance(axis.tree.op, ast.Mult)
        if not multiple or not 1 < count <= 4:
            continue
        for order in itertools.permutations(range(count)):
            if all(_equal(one.hand, _permuted(one.want, k, order)) for one in wrong):
                moved = [place for place, block in enumerate(order) if place != block]
                listed = " and ".join(map(str, moved))
                yield f"Blocks {listed} (from 0) of {gradient} along axis {k} are interchanged."
                return


def _only_at(
    examiner: Examiner,
    name: str,
    refer: Refer,
    time: str | None,
    word: str,
    holds: Callable[[_Draw], bool],
    shown: Example | None,
) -> Iterator[str]:
    """Conditions under which the gradient is ``word``, unlike on the generic draws."""
    names = examiner.cell.size_names
    conditions: list[tuple[str, dict[str, int], str]] = []
    conditions += [(f"where {size} = 1", {size: 1}, "ordinary") for size in names]
    if time is not None:
        conditions.append((f"where {time} = 0", {time: 0}, "ordinary"))
    if examiner.cell.states:
        conditions.append(("where the states are zero", {}, AT_REST))
    if word == "wrong":
        conditions += [
            (f"where {one} = {other}", {one: _EQUAL, other: _EQUAL}, "ordinary")
            for one, other in itertools.combinations(names, 2)
        ]
    for text, fixed, regime in conditions:
        if shown is not None and not _fulfils(shown, fixed, regime):
            continue
        drawn = list(_draws(examiner, name, refer, time, fixed, regime))
        # A gradient that is zero is right by itself: dU is, at rest, whatever its formula.
        telling = [one for one in drawn if one.want.any() or word == "wrong"]
        if telling and all(holds(one) for one in telling):
            yield f"It is {word} only {text}."
    if word == "wrong":
        for regime, text in _REGIMES.items():
            if shown is not None and shown.regime != regime:
                continue
            if any(map(holds, _draws(examiner, name, refer, time, {}, regime, count=20))):
                yield f"It is wrong only {text}."


def _fulfils(example: Example, fixed: dict[str, int], regime: str) -> bool:
    """Whether an example has the sizes that a condition fixes (1, or equal) and its regime."""
    sizes = dict(example.sizes)
    alike = len({sizes[name] for name in fixed}) <= 1
    as_said = all(size == _EQUAL or sizes[name] == size for name, size in fixed.items())
    return alike and as_said and regime in ("ordinary", example.regime)


def _only_blocks(examiner: Examiner, name: str, wrong: Sequence[_Draw]) -> Iterator[str]:
    """Which blocks of a composite axis (4*H, H+D) are wrong, where the others are right."""
    shape = next(a.shape for a in examiner.cell.arguments if a.name == name)
    for k, axis in enumerate(shape.axes):
        faulty = []
        labels = [label for label, _ in _blocks(axis, wrong[0].sizes)]
        for number, label in enumerate(labels):
            parts = []
            for one in wrong:
                _, cut = list(_blocks(axis, one.sizes))[number]
                index = (slice(None),) * k + (cut,)
                scale = np.max(np.abs(one.want))
                off = np.max(np.abs(one.hand[index] - one.want[index]), initial=0.0)
                parts.append(bool(off > _CLOSE * scale))
            if any(parts):
                faulty.append(label)
        if 0 < len(faulty) < len(labels):
            colons = ":, " * k
            listed = " and ".join(f"d{name}[{colons}{label}]" for label in faulty)
            yield f"Only {listed} {'is' if len(faulty) == 1 else 'are'} wrong."


def _equal(got: Array, want: Array) -> bool:
    finest = precision.of(got.dtype)
    return close(got, want, _CLOSE if finest is DOUBLE else finest.widest)


def _factor(hand: Array, want: Array) -> float | None:
    """k where hand = k * want and that says something; None elsewhere."""
    square = float(np.sum(want * want))
    if want.size < 2 or square == 0:
        return None
    factor = float(np.sum(hand * want)) / square
    return factor if factor != 0 and _equal(hand, factor * want) else None


def _factor_sentence(gradient: str, factors: Sequence[float], wrong: Sequence[_Draw]) -> str:
    names = list(wrong[0].sizes)
    groups = [(name,) for name in names] + list(itertools.combinations(names, 2))
    for group, (power, form) in itertools.product(groups, _POWERS.items()):
        values = [_product(one.sizes, group) ** power for one in wrong]
        told_apart = len(wrong) == 1 or len(set(values)) > 1
        if told_apart and np.allclose(factors, values, rtol=_CLOSE, atol=0):
            hint = ": a mean where a sum belongs" if power == -1 else ""
            size = "*".join(group)
            factor = form.format(f"({size})" if power == -1 and len(group) > 1 else size)
            return f"{gradient} is {factor} times what it should be{hint}."
    if np.allclose(factors, factors[0], rtol=_CLOSE, atol=0):
        digits = 6 if abs(factors[0] - 1) > 1e-5 else 12
        return f"{gradient} is {factors[0]:.{digits}g} times what it should be."
    listed = ", ".join(f"{factor:.4g}" for factor in factors)
    return f"{gradient} is a multiple of what it should be, by factors that vary: {listed}."


def _product(sizes: dict[str, int], group: Sequence[str]) -> float:
    return float(np.prod([sizes[name] for name in group]))


def _is_other(one: _Draw, other: str, refer: Refer) -> bool:
    """Whether the gradient by hand is the true gradient of another argument."""
    if np.shape(one.evidence.inputs[other]) != one.hand.shape:
        return False
    return _equal(one.hand, refer(one.evidence, other).value)


def _has(one: _Draw, other: str, value: Array) -> bool:
    found = one.evidence.hand[other]
    return not isinstance(found, Unusable) and _equal(found, value)


def _blocks(axis: Axis, sizes: dict[str, int]) -> Iterator[tuple[str, slice]]:
    """The parts of an axis such as 4*H or H+D, as label and slice; nothing for a plain one."""
    match axis.tree:
        case ast.BinOp(left=ast.Constant(value=int() as count), op=ast.Mult(), right=unit):
            part = ast.unparse(unit)
            length = Axis(part, unit).size(sizes)
            for k in range(count):
                start = "" if k == 0 else (part if k == 1 else f"{k}*{part}")
                stop = part if k == 0 else f"{k + 1}*{part}"
                yield f"{start}:{stop}", slice(k * length, (k + 1) * length)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first, second = Axis(ast.unparse(left), left), Axis(ast.unparse(right), right)
            middle = first.size(sizes)
            yield f":{first.text}", slice(0, middle)
            yield f"{first.text}:", slice(middle, middle + second.size(sizes))


def _permuted(want: Array, axis: int, order: tuple[int, ...]) -> Array:
    parts = np.split(want, len(order), axis=axis)
    return np.concatenate([parts[k] for k in order], axis=axis)
