"""Ordinary sizes for a question asked of a cell: small, and pairwise different.

So that no shape fits by coincidence, and a factor such as 1/B is told from 1/T.
"""

from collections.abc import Sequence


def rising(names: Sequence[str], first: int = 2) -> dict[str, int]:
    """``first``, the next, and so on, in the order of the names."""
    return {name: first + k for k, name in enumerate(names)}


def turned(names: Sequence[str], turn: int, least: int = 3) -> dict[str, int]:
    """2, 3, ... handed on by one name at each ``turn``, so that each is small and large once.

    ``least`` numbers go round, so that one or two names get several sizes too.
    """
    return {name: 2 + (k + turn) % max(len(names), least) for k, name in enumerate(names)}


def beside(names: Sequence[str], one: str, size: int) -> dict[str, int]:
    """``size`` for one name, and for the others 2, 3, ... without it."""
    others = (k for k in range(2, len(names) + 3) if k != size)
    return {name: size if name == one else next(others) for name in names}
