"""How long a check takes, gradcheck's and the other checkers' by turns in one process."""

import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np

from benchmarks.draws import Draw, cotangents, inputs
from benchmarks.faults import RIGHT, cell, step, twin
from benchmarks.measure import CAP, KINDS, OWN, Size, evidence, nodes
from benchmarks.peers import PEERS, OverTime, Peer, clear, within
from gradcheck.checking.check import checks
from gradcheck.checking.explore import Plan, search
from gradcheck.oracles import autograd


def times(size: Size, rounds: int, skip: frozenset[str] = frozenset()) -> dict[str, float]:
    """Median seconds of a check of right code by each checker, side by side, and of the floor;
    nan for what is over time, or in ``skip`` as it was over time at a smaller size.

    The floor is what no check can do without: the case once forward and backward, its twin once
    forward and backward, and two more forwards.
    """
    drawn, right, made = Draw(size, 0), step(RIGHT), cell(RIGHT)
    given, d = inputs(drawn), cotangents(drawn)
    named = dict(zip((a.name for a in made.arguments), given, strict=True))

    def floor() -> None:
        right(*given)[1](*d)
        autograd.run(twin(), made, named, lambda _: d)
        right(*given)
        right(*given)

    def own(oracle: str) -> Callable[[], Callable[[], object]]:
        found = nodes(RIGHT, (oracle,))

        def prepared() -> Callable[[], object]:
            facts = evidence(found[0], drawn)
            return lambda: [check.judge(facts) for check in found]

        return prepared

    def other(one: Peer) -> Callable[[], Callable[[], object]]:
        def prepared() -> Callable[[], object]:
            clear()
            return lambda: one.judge(right, drawn)

        return prepared

    ready: dict[str, Callable[[], Callable[[], object]]] = {"floor": lambda: floor}
    ready |= {f"{OWN} {kind}": own(kind) for kind in KINDS}
    ready |= {one.name: other(one) for one in PEERS if one.installed and one.name not in skip}
    return dict(_medians(ready, rounds)) | dict.fromkeys(skip, float("nan"))


def whole_run() -> float:
    """Seconds for every node of the right cell, as pytest runs them."""
    begun = time.perf_counter()
    for check in checks(cell(RIGHT), twin()):
        search(check, Plan(shrink=False))
    return time.perf_counter() - begun


def _medians(
    ready: dict[str, Callable[[], Callable[[], object]]], rounds: int
) -> Iterator[tuple[str, float]]:
    taken: dict[str, list[float]] = {name: [] for name in ready}
    for turn in range(rounds + 1):
        for name, prepared in ready.items():
            kept = taken[name]
            if kept and (np.isnan(kept[-1]) or (kept[-1] > 2 and turn > 2)):
                continue  # over time; or so long that two rounds must do
            body = prepared()
            begun = time.perf_counter()
            try:
                with within(CAP):
                    body()
                kept.append(time.perf_counter() - begun)
            except OverTime:
                kept.append(float("nan"))
    for name, kept in taken.items():
        warm = kept[1:] or kept  # the first one warms up
        yield name, float("nan") if np.isnan(kept).any() else median(warm)
