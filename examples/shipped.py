"""The functions of cases/ and reference/, to be called as plain NumPy and plain PyTorch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck.source import execute

ROOT = Path(__file__).resolve().parent.parent


def function(name: str, folder: str = "cases") -> Callable[..., Any]:
    """The function of the file that has its name. Raises CaseError if it cannot be read."""
    module = execute.module(ROOT / folder / f"{name}.py")
    # In a sigmoid of -1000 exp overflows to inf, and the sigmoid is 0 by right.
    found: Callable[..., Any] = np.errstate(over="ignore")(getattr(module, name))
    return found
