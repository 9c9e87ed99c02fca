"""The figure docs/speed.svg: ratios to the floor by size, and growth with steps and tensors."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.clock import FLOOR
from benchmarks.measure import OWN
from benchmarks.peers import PEERS


def write(found: Mapping[tuple[Any, ...], Any], path: Path) -> None:
    """Draw the figure; the same measurements give the same file."""
    import matplotlib
    from matplotlib.figure import Figure

    sizes = {key[1]: times for key, times in found.items() if key[0] == "times"}
    with matplotlib.rc_context({"svg.hashsalt": "speed", "svg.fonttype": "none"}):
        figure = Figure(figsize=(9, 4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for name in (OWN, *(peer.name for peer in PEERS)):
            known = _known((max(size), times, name) for size, times in sizes.items())
            width = 3 if name == OWN else 1
            left.loglog(list(known), list(known.values()), marker="o", label=name, linewidth=width)
        left.set_xlabel("H")
        left.set_ylabel("one passing example, over the floor")
        left.legend(frameon=False)
        for what, label in (("steps", "steps of BPTT"), ("tensors", "matrices")):
            points = ((key[1], times, OWN) for key, times in found.items() if key[0] == what)
            known = _known(points)
            right.semilogx(list(known), list(known.values()), marker="o", label=label)
        right.set_ylim(bottom=0)
        right.set_xlabel("how many")
        right.set_ylabel("one passing example, over the floor")
        right.legend(frameon=False)
        figure.savefig(path, metadata={"Date": None})


def _known(points: Iterable[tuple[int, Mapping[str, float], str]]) -> dict[int, float]:
    """Ratios to the floor, without those that took too long or were not measured."""
    ratios = {x: times.get(name, math.nan) / times[FLOOR] for x, times, name in points}
    return {x: ratio for x, ratio in ratios.items() if not math.isnan(ratio)}
