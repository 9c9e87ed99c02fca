"""What programs that draw share: where a picture may go, and at which steps to look."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def milestones(steps: int) -> list[int]:
    """Steps 1, 3, 10, 30, ... and the last."""
    shown = {s for power in range(10) for s in (10**power, 3 * 10**power) if s < steps}
    return sorted(shown | {steps})


def drawable(_: click.Context, __: click.Parameter, path: Path | None) -> Path | None:
    """Refuse before the training, not after it, a picture that could not be written."""
    if path is None:
        return None
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        raise click.ClickException("--plot needs matplotlib: pip install matplotlib.") from None
    kinds = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.lower().removeprefix(".") not in kinds:
        raise click.BadParameter(f"{path} should end in one of .{', .'.join(sorted(kinds))}.")
    if not path.parent.is_dir():
        raise click.BadParameter(f"There is no folder {path.parent}.")
    return path


def save(figure: "Figure", path: Path) -> None:
    """Write a picture; the same one is the same file. Raises ClickException if that cannot be."""
    import matplotlib

    svg = path.suffix.lower() == ".svg"
    try:
        with matplotlib.rc_context({"svg.hashsalt": "gradcheck", "svg.fonttype": "none"}):
            figure.savefig(path, metadata={"Date": None} if svg else None)
    except OSError as error:
        raise click.ClickException(
            f"{path} cannot be written: {error.strerror or error}."
        ) from None
