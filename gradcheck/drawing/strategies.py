"""What Hypothesis draws: sizes, a seed, a regime and a type; and how many, by profile."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import hypothesis
from hypothesis import strategies as st

from gradcheck.cells.cell import Cell
from gradcheck.drawing import draw
from gradcheck.drawing.draw import DTYPES, REGIMES, Example

LARGEST = 5

# One example in six is in float32: the types differ in little but their rounding.
_DTYPES = 5 * DTYPES[:1] + DTYPES[1:]

# Examples of each node. `fast` is for a pre-commit hook, `thorough` explores at random.
PROFILES = {"fast": 20, "default": 100, "thorough": 1000}


@st.composite
def examples(
    draw_from: st.DrawFn,
    cell: Cell,
    time: str | None = None,
    held: Mapping[str, int] = MappingProxyType({}),
    regimes: Sequence[str] = REGIMES,
) -> Example:
    """Examples for a cell; ``time`` names the size that may be 0, the steps of an unrolled cell.

    Half of them have pairwise different sizes, so that no shape fits by coincidence; the others
    are free, so that sizes coincide and are 1. The order of the draws is the order in which a
    failure shrinks: to the smallest sizes first, then to the plainest regime, to seed 0, and to
    float64. Sizes that are ``held`` stay what they are.
    """
    names = cell.size_names
    # What Hypothesis draws after the simplest example seldom begins as that does.
    draw_from(st.integers(0, 2**16 - 1))
    sizes = [draw_from(st.integers(0 if name == time else 1, LARGEST)) for name in names]
    if draw_from(st.booleans()):
        sizes = _different(sizes)
    regime = draw_from(st.sampled_from(regimes))
    seed = draw_from(st.integers(0, 2**16 - 1))
    dtype = draw_from(st.sampled_from(_DTYPES))
    drawn = [(name, held.get(name, size)) for name, size in zip(names, sizes, strict=True)]
    example = Example(tuple(drawn), seed, regime, dtype)
    hypothesis.assume(draw.fits(cell, example))
    return example


def _different(sizes: Sequence[int]) -> list[int]:
    """The same sizes with each repetition moved on to the next that is free.

    A function of the free sizes, so that Hypothesis can shrink from one kind to the other.
    """
    moved: list[int] = []
    for size in sizes:
        free = [n for k in range(LARGEST) if (n := (size - 1 + k) % LARGEST + 1) not in moved]
        moved.append(size if size == 0 or not free else free[0])
    return moved
