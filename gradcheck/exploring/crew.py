"""Who does the work: a crew takes units and hands back futures, in whichever order they end."""

from collections.abc import Callable, Iterator
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from gradcheck.exploring.unit import Outcome, Unit

TRIES = 3  # for a unit whose worker dies
_PATIENCE = 0.5  # seconds; so long may a worker that has just come be without work


class Future(Protocol):
    """What futures of the standard library and of Dask have in common."""

    def add_done_callback(self, call: Callable[[Any], Any], /) -> Any: ...

    def result(self) -> Any: ...


class Died(Exception):
    """The unit is lost with its worker."""


class Crew(Protocol):
    """Workers that may die and, where others can start them, join."""

    def room(self) -> int:
        """How many units it can have in hand."""

    def submit(self, unit: Unit) -> Future:
        """Give it a unit."""

    def outcome(self, future: Future) -> Outcome:
        """What a future that has ended holds. Raises Died, and CaseError if the crew is no more."""


def stream(crew: Crew, units: Iterator[Unit], closing: Callable[[], bool]) -> Iterator[Outcome]:
    """The outcome of each unit as it comes in, once each.

    Once ``closing`` says so, no unit is begun, and what is in hand is waited for. A unit whose
    worker died is done again, so often as ``TRIES`` says.
    """
    ended: SimpleQueue[tuple[Unit, Future]] = SimpleQueue()
    in_hand: dict[str, Future] = {}
    tries: dict[str, int] = {}

    def begin(unit: Unit) -> None:
        tries[unit.id] = tries.get(unit.id, 0) + 1
        in_hand[unit.id] = future = crew.submit(unit)
        future.add_done_callback(partial(_put, ended, unit))

    while True:
        while len(in_hand) < crew.room() and not closing():
            if (unit := next(units, None)) is None:
                break
            begin(unit)
        if not in_hand:
            return
        try:
            unit, future = ended.get(timeout=_PATIENCE)
        except Empty:
            continue
        del in_hand[unit.id]
        try:
            outcome = crew.outcome(future)
        except Died:
            if tries[unit.id] < TRIES:
                begin(unit)
                continue
            outcome = Outcome(unit, error=killer(unit))
        del tries[unit.id]
        yield outcome


def killer(unit: Unit) -> str:
    """What is said of a unit that no worker lives through."""
    return (
        f"Every worker that was given the examples of seed {unit.seed} died of them.\n"
        "They may need more memory than there is: hold smaller sizes, or start fewer workers."
    )


def _put(ended: SimpleQueue[tuple[Unit, Future]], unit: Unit, future: Future) -> None:
    ended.put((unit, future))
