"""The errors that a user meets, and how a file and what its code raised are shown to them."""

import traceback
from pathlib import Path


class CaseError(ValueError):
    """A case, a twin or a shape string that cannot be read; says where and what to write."""


class WrongGradient(AssertionError):
    """A check that failed; its text is the full report of the smallest example found."""


def shown_path(path: Path) -> str:
    """The path as an editor can follow it: relative to the working directory where possible."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def what_raised(error: BaseException, path: Path | None) -> str:
    """The exception with the line of the author's file that led to it, if there is one."""
    text = str(error).strip() or "no message"
    said = f"{type(error).__name__}: {text}"
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if path is not None and frame.filename == str(path)
    ]
    if not frames or path is None:
        return said
    frame = frames[-1]
    return f"{said}\n    {shown_path(path)}:{frame.lineno}: {(frame.line or '').strip()}"
