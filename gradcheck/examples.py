"""What Hypothesis draws: sizes, a seed and a regime; and how many, by profile."""

import itertools
from collections.abc import Sequence

import hypothesis
from hypothesis import strategies as st

from gradcheck import draw
from gradcheck.cell import Cell
from gradcheck.draw import REGIMES, Example

LARGEST = 5

# Examples of each node. `fast` is for a pre-commit hook, `thorough` explores at random.
PROFILES = {"fast": 20, "default": 100, "thorough": 1000}


@st.composite
def examples(draw_from: st.DrawFn, cell: Cell, time: str | None = None) -> Example:
    """Examples for a cell; ``time`` names the size that may be 0, the steps of an unrolled cell.

    Half of them have pairwise different sizes, so that no shape fits by coincidence; the others
    are free, so that sizes coincide and are 1. The order of the draws is the order in which a
    failure shrinks: to the smallest sizes first, then to the plainest regime, then to seed 0.
    """
    names = [name for name in cell.size_names if name != time]
    if len(names) > 1 and draw_from(st.booleans()):
        sizes = draw_from(st.sampled_from(_different(len(names))))
    else:
        sizes = tuple(draw_from(st.integers(1, LARGEST)) for _ in names)
    pairs = list(zip(names, sizes, strict=True))
    if time is not None:
        pairs.append((time, draw_from(st.integers(0, LARGEST))))
    regime = draw_from(st.sampled_from(REGIMES))
    example = Example(tuple(pairs), draw_from(st.integers(0, 2**16 - 1)), regime)
    hypothesis.assume(draw.fits(cell, example))
    return example


def _different(count: int) -> Sequence[tuple[int, ...]]:
    """Tuples of sizes that differ pairwise; with more names than sizes, in all that they can."""
    pool = list(range(1, max(LARGEST, min(count, LARGEST + 2)) + 1))
    if count <= len(pool):
        return list(itertools.permutations(pool, count))
    rotations = [pool[k:] + pool[:k] for k in range(len(pool))]
    return [tuple(itertools.islice(itertools.cycle(r), count)) for r in rotations]
