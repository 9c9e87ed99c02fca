"""A crew of processes on this machine."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from typing import Any

from gradcheck.exploring.crew import Died
from gradcheck.exploring.judge import judge
from gradcheck.exploring.unit import Outcome, Unit

# Read by the libraries as they are imported; the cores belong to the processes.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Processes:
    """So many processes, each in a pool of its own: one that dies takes no more than its unit."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._idle: list[ProcessPoolExecutor] = []
        self._busy: dict[Future[Outcome], ProcessPoolExecutor] = {}
        self._pids: dict[ProcessPoolExecutor, Future[int]] = {}

    @property
    def pids(self) -> list[int]:
        """Of the processes that have started."""
        return [one.result() for one in self._pids.values() if one.done() and not one.exception()]

    def room(self) -> int:
        return self.count

    def submit(self, unit: Unit) -> Future[Outcome]:
        pool = self._idle.pop() if self._idle else self._started()
        try:
            future = pool.submit(judge, unit)
        except BrokenProcessPool:  # it died while it had nothing to do
            self._end(pool)
            return self.submit(unit)
        self._busy[future] = pool
        return future

    def outcome(self, future: Any) -> Outcome:
        pool = self._busy.pop(future)
        try:
            outcome: Outcome = future.result()
        except BrokenProcessPool:
            self._end(pool)
            raise Died from None
        self._idle.append(pool)
        return outcome

    def close(self) -> None:
        """End all processes, whatever they are at."""
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        for pool in list(self._pids):
            self._end(pool)

    def _started(self) -> ProcessPoolExecutor:
        # Not forked: threads of this process, and of its libraries, would be lost half-way.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(1, context, initializer=_deaf)
        with _single_threaded():
            self._pids[pool] = pool.submit(os.getpid)
        return pool

    def _end(self, pool: ProcessPoolExecutor) -> None:
        del self._pids[pool]
        pool.shutdown(wait=False, cancel_futures=True)


def _deaf() -> None:
    """Ctrl-C reaches all processes of a terminal; the first one ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Processes that start in here have one thread, unless the user has said another number."""
    unsaid = [name for name in _THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(unsaid, "1"))
    try:
        yield
    finally:
        for name in unsaid:
            del os.environ[name]
