"""What a training of the translator shows: its curve, what it writes, and where it looks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from figures import milestones, save
from rich.table import Table

from gradcheck.cells.cell import Array


def table(losses: Sequence[float]) -> Table:
    """The loss at steps 1, 3, 10, 30, ... and at the last."""
    found = Table(box=None)
    for title in ("step", "loss"):
        found.add_column(title, justify="right")
    for step in milestones(len(losses)):
        found.add_row(str(step), f"{losses[step - 1]:.4f}")
    return found


SHOWN = 5  # strings


def sample(said: Sequence[str], strings: Sequence[str]) -> Table:
    """Some strings and what was written for them."""
    found = Table(box=None)
    for title in ("string", "written", ""):
        found.add_column(title)
    for one, string in list(zip(said, strings, strict=True))[:SHOWN]:
        found.add_row(string, one, "" if one == string[::-1] else f"not {string[::-1]}")
    return found


def plot(losses: Sequence[float], string: str, said: str, a: Array, path: Path) -> None:
    """Draw where the model looked, ``a`` being (T, S), and the curve."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.6), layout="constrained")
    looked, curve = figure.subplots(1, 2)
    written = [*said, "end"]
    shades = looked.pcolormesh(a[: len(written), : len(string)], cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(shades, ax=looked, label="weight")
    looked.set_xticks(np.arange(len(string)) + 0.5, list(string))
    looked.set_yticks(np.arange(len(written)) + 0.5, written)
    looked.invert_yaxis()
    looked.set_xlabel("read")
    looked.set_ylabel("written")
    curve.semilogy(np.arange(1, len(losses) + 1), losses, linewidth=1)
    curve.set_xlabel("step")
    curve.set_ylabel("loss, nats per token")
    save(figure, path)
