"""A crew of the workers that a Dask scheduler has, which may die, and join at any time."""

import logging
from concurrent.futures import CancelledError
from typing import Any

from gradcheck.errors import CaseError
from gradcheck.exploring.crew import killer
from gradcheck.exploring.judge import judge
from gradcheck.exploring.unit import Outcome, Unit

NO_DASK = "Dask is not installed.\nWrite `pip install 'gradcheck[dask]'`."
SECONDS = 10  # for a scheduler to answer


class Cluster:
    """The workers of the scheduler at an address; a unit whose worker dies is given to another.

    Raises CaseError if there is no such scheduler, or no Dask.
    """

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ImportError:
            raise CaseError(NO_DASK) from None
        self._address = address
        for name in ("distributed", "distributed.client"):  # what they tell of lost connections
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # is said here in a sentence
        try:
            distributed.comm.resolve_address(address)  # a client of none takes long to end
            self._client = distributed.Client(address, timeout=SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise CaseError(
                f"No Dask scheduler answers at {address!r}: {error}\n"
                "Start one with `dask scheduler`, which prints its address, such as "
                "tcp://10.0.0.1:8786."
            ) from None
        self._units: dict[Any, Unit] = {}

    def room(self) -> int:
        """Two units for each worker, so that none waits for its next; those that join count."""
        try:
            return max(1, 2 * len(self._client.nthreads()))
        except (OSError, CancelledError):
            raise self._gone() from None

    def submit(self, unit: Unit) -> Any:
        future = self._client.submit(judge, unit, key=unit.id, pure=False)
        self._units[future] = unit
        return future

    def outcome(self, future: Any) -> Outcome:
        unit = self._units.pop(future)
        try:
            outcome: Outcome = future.result()
        except CancelledError:
            raise self._gone() from None
        except ImportError as error:
            raise CaseError(
                f"A worker has no gradcheck, or another one: {error}\n"
                "Install the same version wherever workers run."
            ) from None
        except Exception as error:
            if type(error).__name__ != "KilledWorker":
                raise
            return Outcome(unit, error=killer(unit))
        return outcome

    def close(self) -> None:
        """Let the workers go; what they are at is not waited for."""
        self._client.cancel(list(self._units), force=True)
        self._client.close()

    def _gone(self) -> CaseError:
        return CaseError(f"The Dask scheduler at {self._address!r} is gone.")
