"""The blocks of a composite axis, such as the gates of 4*H or the two parts of H+D."""

import ast
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.cells.shapes import Axis
from gradcheck.verdicts.fresh import CLOSE


def blocks(axis: Axis, sizes: Mapping[str, int]) -> Iterator[tuple[str, slice]]:
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


def wrong_blocks(
    axis: Axis, k: int, draws: Sequence[tuple[Mapping[str, int], Array, Array]]
) -> list[str]:
    """The labels of the blocks along axis ``k`` that are wrong on some draw, if others are right.

    A draw is its sizes, the gradient by hand and the true one.
    """
    labels = [label for label, _ in blocks(axis, draws[0][0])]
    faulty = set()
    for sizes, hand, want in draws:
        scale = np.max(np.abs(want))
        for label, cut in blocks(axis, sizes):
            index = (slice(None),) * k + (cut,)
            if np.max(np.abs(hand[index] - want[index]), initial=0.0) > CLOSE * scale:
                faulty.add(label)
    return [label for label in labels if label in faulty] if len(faulty) < len(labels) else []


def permuted(want: Array, axis: int, order: tuple[int, ...]) -> Array:
    """The blocks in another order."""
    parts = np.split(want, len(order), axis=axis)
    return np.concatenate([parts[k] for k in order], axis=axis)
