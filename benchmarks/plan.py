"""What the trust report measures: how much of it, and each measurement as a job."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks import alarms, measure, mends
from benchmarks.draws import USUAL, VALUES, Draw
from benchmarks.faults import FAULTS, ROOT, Fault
from benchmarks.measure import DIFFERENCES, OWN, Size
from benchmarks.peers import BEST, PEERS
from gradcheck.drawing.draw import DTYPES, REGIMES

Key = tuple[Any, ...]  # what is measured, and of what
Job = tuple[Callable[..., Any], tuple[Any, ...]]
FLOAT32 = "float32"  # of the peers' draws: usual ones in that type


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    faults: tuple[Fault, ...]
    sizes: tuple[Size, ...]
    seeds: int  # usual draws of a size, for detection
    tried: int  # seeds on each of which the smallest error must be caught
    draws: int  # of right code in each regime and type, by gradcheck
    peer_draws: int  # of right code in each regime, by each peer
    case_draws: int  # of every cell in cases/, in each regime and type
    mends: int  # mutants of every cell whose line is asked for


FULL = Plan(
    FAULTS,
    ((2, 3, 4), (4, 32, 32), (8, 128, 128), (16, 256, 256), (16, 512, 512)),
    seeds=3,
    tried=3,
    draws=10_000,
    peer_draws=200,
    case_draws=4,
    mends=2,
)
QUICK = Plan(FAULTS, ((2, 3, 4),), seeds=1, tried=1, draws=20, peer_draws=5, case_draws=0, mends=0)

# Two differences for every entry: above this H they are over time, which one measurement at
# the next size shows.
_ENTRYWISE, _MOST, _NEXT = ("torch slow", "CS231n"), 32, 128
LARGE_SEEDS = 2  # of these above H = 128
_BLOCK = 500  # draws of one job

PEER_REGIMES = (USUAL, *VALUES, FLOAT32)


def jobs(plan: Plan) -> Iterator[tuple[Key, Job]]:
    """Every measurement, the longest first: what it is, and the call."""
    checkers = [(one.name, False) for one in PEERS if one.installed]
    checkers += [(one.name, True) for one in BEST if one.installed]
    own = [(f"{OWN} {oracle}", False) for oracle in ("autograd", "fd", DIFFERENCES)]
    for size in reversed(plan.sizes):
        draws = detection_draws(plan, size)
        affordable = [one for one in checkers if one[0] not in _ENTRYWISE or max(size) <= _MOST]
        tried = checkers if max(size) == _NEXT else affordable
        for name, best in [(OWN, False), *tried]:
            call = measure.detection, (name, draws, best, plan.faults)
            yield ("detection", name, best, size), call
        usual = tuple(Draw(size, 1000 + seed) for seed in range(10))
        for name, best in affordable:
            yield ("alarms at", name, best, size), (alarms.alarms, (name, usual, best))
        for (name, best), whole in itertools.product([*own, *affordable], (True, False)):
            given = (name, size, plan.tried, whole, best)
            yield ("smallest", name, best, size, whole), (measure.smallest, given)
        yield (
            ("own alarms at", size),
            (alarms.own_alarms_at, (size, 1 if max(size) > _NEXT else 2)),
        )
    for regime, dtype in itertools.product(REGIMES, DTYPES):
        for first in range(0, plan.draws, _BLOCK):
            last = min(first + _BLOCK, plan.draws)
            block = (regime, dtype, (first, last))
            yield ("own alarms", regime, dtype, first), (alarms.own_alarms, block)
    for path in sorted((ROOT / "cases").glob("*.py")) if plan.case_draws else ():
        yield ("own alarms of", path.stem), (alarms.own_alarms_of, (path, plan.case_draws))
    for (name, best), regime in itertools.product(checkers, PEER_REGIMES):
        dtype, drawn = (FLOAT32, USUAL) if regime == FLOAT32 else ("float64", regime)
        draws = tuple(Draw((2, 3, 4), seed, drawn, dtype) for seed in range(plan.peer_draws))
        yield ("alarms", name, best, regime), (alarms.alarms, (name, draws, best))
    for fault in plan.faults:
        yield ("pytest", fault.name), (measure.as_pytest_runs_it, (fault,))
    yield from mends_jobs(plan)
    yield ("versions",), (measure.versions, ())


def mends_jobs(plan: Plan) -> Iterator[tuple[Key, Job]]:
    """The lines of a sample of mutants of every cell in cases/."""
    paths = sorted((ROOT / "cases").glob("*.py")) if plan.mends else ()
    for path, questions in mends.by_file(mends.sample(paths, plan.mends)).items():
        yield ("mends", path.stem), (mends.kept, (questions,))


def detection_draws(plan: Plan, size: Size) -> tuple[Draw, ...]:
    """Usual draws, and at the smaller sizes one of every other regime.

    Of seed 4: c_prev then has zeros, and its own entries as well, in the regime that is for them.
    """
    large = max(size) > 128
    # Even seeds: some laws look at every second example only, and tell it by its seed.
    usual = tuple(Draw(size, 2 * k) for k in range(LARGE_SEEDS if large else plan.seeds))
    return usual + (tuple(Draw(size, 4, regime) for regime in VALUES) if max(size) < 128 else ())
