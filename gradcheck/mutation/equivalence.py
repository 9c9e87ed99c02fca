"""What tells a mutant from the author's backward: its gradients, and what else it does.

Both run on generic numbers: whatever agrees there is no mistake that a check could see.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.arrays import close
from gradcheck.cells.cell import Array, Cell
from gradcheck.cells.returned import Gradient, Unusable, gradients
from gradcheck.drawing import draw, sizes
from gradcheck.drawing.draw import Example
from gradcheck.evidence import Evidence, Examiner

SAME = 1e-9  # of a gradient's largest entry: what is nearer to the author's is no mistake
_ROUNDING = 1e-13  # of the largest gradient of all: what one that is zero in truth may be off
_ORDINARY, _HUGE = 6, 6  # examples with ordinary and with large numbers


@dataclass(frozen=True)
class Generic:
    """Generic numbers, and the author's gradients of them."""

    evidence: Evidence
    gradients: dict[str, Array]


EQUIVALENT = frozenset({"equivalent"})


def differing(cell: Cell, examples: Sequence[Generic]) -> frozenset[str] | None:
    """The arguments whose gradients are not the author's, on the first example that tells.

    EQUIVALENT if none tells anything, empty if all gradients agree and yet something is done that
    should not be: an array written into, handed out, or changed for the next call. None if the
    mutant fails, or returns what is no gradient.
    """
    for example in examples:
        try:
            found, trespasses = _behaviour(cell, example)
        except Exception:
            return None
        if any(isinstance(g, Unusable) and not g.overflows for g in found.values()):
            return None
        if wrong := _unlike(found, example.gradients):
            return wrong
        if trespasses:
            return frozenset()
    return EQUIVALENT


def _unlike(found: dict[str, Gradient], wanted: dict[str, Array]) -> frozenset[str]:
    largest = max(float(np.max(np.abs(want), initial=0.0)) for want in wanted.values())

    def same(gradient: Gradient, want: Array) -> bool:
        if isinstance(gradient, Unusable):
            return False
        rounding = np.abs(gradient - want) <= _ROUNDING * largest
        return close(gradient, want, SAME) or bool(np.all(rounding))

    return frozenset(name for name, want in wanted.items() if not same(found[name], want))


def _behaviour(cell: Cell, example: Generic) -> tuple[dict[str, Gradient], bool]:
    """The gradients, and whether the backward touches what is not its own, or what it was told."""
    evidence = example.evidence
    given = draw.writable(evidence.inputs)
    outputs, backward = cell.run(given)
    before = [*evidence.inputs.values(), *(output.copy() for output in outputs)]
    cotangents = [cotangent.copy() for cotangent in evidence.cotangents]
    arguments = [evidence.inputs[argument.name] for argument in cell.arguments]
    found = gradients(cell, backward(cotangents), arguments)
    kept = {n: g if isinstance(g, Unusable) else g.copy() for n, g in found.items()}
    theirs = [*given.values(), *outputs, *cotangents]
    writes = any(
        not np.array_equal(now, then)
        for now, then in zip(theirs, [*before, *evidence.cotangents], strict=True)
    )
    own = [g for g in found.values() if not isinstance(g, Unusable)]
    shares = any(np.shares_memory(g, other) for g in own for other in theirs) or any(
        np.shares_memory(one, other) for one, other in itertools.combinations(own, 2)
    )
    try:
        again = gradients(cell, backward([d.copy() for d in evidence.cotangents]), arguments)
    except Exception:  # it has used up what the forward kept
        return kept, True
    return kept, writes or shares or bool(_unlike(again, example.gradients))


def generic(cell: Cell) -> Iterator[Generic]:
    """Examples with pairwise different sizes, each of which is large and small in turn.

    Some have large numbers, which show what is clipped.
    """
    names, examiner = cell.size_names, Examiner(cell)
    for k in range(_ORDINARY + _HUGE):
        drawn = sizes.turned(names, k, least=4)
        example = Example(tuple(drawn.items()), k, "ordinary" if k < _ORDINARY else "huge")
        if not draw.fits(cell, example):
            continue
        evidence = examiner.evidence(example)
        found = evidence.hand
        if evidence.run.finite and not any(isinstance(g, Unusable) for g in found.values()):
            yield Generic(evidence, {n: np.asarray(g) for n, g in found.items()})
