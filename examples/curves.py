"""Loss curves of runs that should be one: a table and a picture of them and of their distance."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from figures import milestones, save
from rich.table import Table

from gradcheck.cells.cell import Array

HAND, AUTOGRAD, ROUNDING = "by hand", "autograd", "rounding alone"
Curves = Mapping[str, Array]  # the loss at each step, (steps,), under these three names


def apart(curves: Curves, other: str) -> Array:
    """How far the losses of a run are from those by hand at each step, (steps,)."""
    distance: Array = np.abs(curves[HAND] - curves[other])
    return distance


def table(curves: Curves) -> Table:
    """Losses and differences at steps 1, 3, 10, 30, ... and at the last."""
    found = Table(box=None)
    for title in ("step", HAND, AUTOGRAD, "difference", ROUNDING):
        found.add_column(title, justify="right")
    distance, alone = apart(curves, AUTOGRAD), apart(curves, ROUNDING)
    for step in milestones(len(curves[HAND])):
        k = step - 1
        losses = (f"{curves[name][k]:.6f}" for name in (HAND, AUTOGRAD))
        found.add_row(str(step), *losses, f"{distance[k]:.1e}", f"{alone[k]:.1e}")
    found.add_row("largest", "", "", f"{distance.max():.1e}", f"{alone.max():.1e}")
    return found


def plot(curves: Curves, unit: str, path: Path) -> None:
    """Draw the curves, and below them their differences."""
    from matplotlib.figure import Figure

    steps = np.arange(1, len(curves[HAND]) + 1)
    figure = Figure(figsize=(6, 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    above.plot(steps, curves[HAND], linewidth=3, color="0.75", label=HAND)
    above.plot(steps, curves[AUTOGRAD], linewidth=1, color="C0", label=AUTOGRAD)
    above.set_ylabel(f"loss, {unit}")
    for other, color in ((ROUNDING, "0.6"), (AUTOGRAD, "C0")):
        largest = np.maximum.accumulate(apart(curves, other))
        largest[largest == 0] = np.nan  # it has no place on a logarithmic axis
        below.semilogy(steps, largest, color=color, label=other)
    below.set_ylabel(f"largest difference\nfrom {HAND} so far")
    below.set_xlabel("step")
    for axes in (above, below):
        axes.legend(frameon=False)
    save(figure, path)
