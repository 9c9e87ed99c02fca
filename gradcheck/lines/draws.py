"""The draws on which a derivation is proofread."""

import itertools
from collections.abc import Iterator, Mapping

from gradcheck.drawing.draw import AT_REST, Example
from gradcheck.drawing.sizes import turned
from gradcheck.lines.instrument import Script


def examples(script: Script) -> Iterator[Example]:
    """Draws that make faults show: ordinary ones, single and equal sizes, and each regime."""
    names = script.cell.size_names

    def example(
        seed: int, regime: str = "ordinary", fixed: Mapping[str, int] | None = None
    ) -> Example:
        drawn = {**turned(names, seed), **(fixed or {})}
        return Example(tuple(drawn.items()), seed, regime)

    yield from (example(seed) for seed in (1, 2))
    yield example(3, AT_REST)
    yield example(4, "zeros")
    yield example(5, fixed=dict.fromkeys(names, 1))
    for k, name in enumerate(names):
        yield example(6 + k, fixed={name: 1})
    for k, (one, other) in enumerate(itertools.combinations(names[:4], 2)):
        yield example(20 + k, fixed={one: 3, other: 3})
    regimes = ["saturated", "saturated", *["huge"] * 8, "tiny", "fortran", "strided"]
    yield from (example(30 + k, regime) for k, regime in enumerate(regimes))


def probes(script: Script) -> Iterator[Example]:
    """Draws on which the gradients tell the most of what every line computes.

    The size that most shapes have, of the units, is the smallest: what two or three units do
    shows in the gradients of more inputs than that.
    """
    cell = script.cell
    shapes = [argument.shape for argument in cell.arguments]
    often = {name: sum(name in shape.names for shape in shapes) for name in cell.size_names}
    names = sorted(cell.size_names, key=lambda name: -often[name])
    for seed, sizes in enumerate(((2, 4, 3), (2, 3, 4))):
        drawn = dict(zip(names, [*sizes, *[2 + seed] * len(names)], strict=False))
        yield Example(tuple((name, drawn[name]) for name in cell.size_names), 101 + seed)
