"""Numbers as text: arrays on one line, entries with the digits that tell them apart."""

import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

WIDTH = 100


def array(value: Any, threshold: int = 10**6) -> str:
    """A value on one line, large arrays cut in the middle."""
    if not isinstance(value, np.ndarray):
        return repr(value)
    with np.printoptions(threshold=threshold, edgeitems=2, linewidth=10**6, floatmode="unique"):
        text = " ".join(np.array2string(value, separator=", ").split())
    return re.sub(r"(?<=\[) | (?=[,\]])", "", text)


def packed(values: Mapping[str, Any], room: int) -> str:
    """Every value as ``name = array``, several to a line; large arrays are cut if they must be."""
    lines: list[str] = []
    for threshold in (10**6, 40, 12):
        lines = [""]
        for name, value in values.items():
            item = f"{name} = {array(value, threshold)}"
            if lines[-1] and len(lines[-1]) + len(item) + 3 <= WIDTH:
                lines[-1] += f"   {item}"
            else:
                lines += textwrap.wrap(
                    item,
                    WIDTH,
                    initial_indent="  ",
                    subsequent_indent="      ",
                    break_long_words=False,
                )
        if len(lines) <= room:
            break
    return "\n".join(filter(None, lines))


def apart(value: float, values: Sequence[float], error: float) -> str:
    """One of some values, with as many digits as it takes to see the error, 6 at least."""
    size = max(map(abs, values))
    digits = 6
    if math.isfinite(size) and 0 < error < size:
        digits = min(17, max(6, 3 + math.ceil(math.log10(size / error))))
    return f"{value:.{digits}g}"


def folded(said: str) -> str:
    """The text with long lines broken between words; indented lines are code, and left alone."""
    return "\n".join(
        line if line.startswith(" ") or not line else textwrap.fill(line, WIDTH)
        for line in said.splitlines()
    )
