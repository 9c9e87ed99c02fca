"""What one search for wrong lines may spend: a count, so that a verdict is the same everywhere."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

MOST = 1_000_000  # statements: about 15 s of an ordinary machine
_SHARE = MOST // 4  # of one way to explain the gradients: the others are to be tried as well
_SECONDS = 150.0  # of the processor: an emergency, as where one statement takes a second


@dataclass(frozen=True)
class Cut:
    """Where a search ended: of these ``lines``, by their numbers, not every edit was tried.

    ``spent`` counts the statements that were run. ``by_clock``: another machine may get further.
    """

    lines: tuple[int, ...]
    spent: int
    by_clock: bool = False


class Budget:
    """The statements that a search has run, and how many more it may."""

    def __init__(self, most: int = MOST, seconds: float = _SECONDS) -> None:
        self.spent = 0
        self._most, self._end = most, time.process_time() + seconds
        self._left: set[int] = set()
        self._by_clock = False

    def spend(self, statements: int) -> None:
        self.spent += statements

    def allows(self, lines: Iterable[int], since: int | None = None) -> bool:
        """Whether to go on with these lines, in what has begun at a count of ``since``."""
        self._by_clock = self._by_clock or time.process_time() > self._end
        share = self.spent if since is None else since
        if self.spent < min(self._most, share + _SHARE) and not self._by_clock:
            return True
        self._left.update(lines)
        return False

    @property
    def cut(self) -> Cut | None:
        """What was left, if anything."""
        return Cut(tuple(sorted(self._left)), self.spent, self._by_clock) if self._left else None
