"""The measurements of the trust report, each a function that a worker process can run alone."""

import os
import platform
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.metadata import version

import numpy as np

from benchmarks.draws import USUAL, Draw, cotangents, inputs, trace
from benchmarks.faults import FAULTS, RIGHT, Fault, cell, step, twin
from benchmarks.peers import BEST, PEERS, OverTime, Peer, within
from gradcheck.checking.check import Check, checks
from gradcheck.checking.explore import Plan, search
from gradcheck.drawing import draw
from gradcheck.evidence import Evidence
from gradcheck.finding import Wrong

Size = tuple[int, int, int]

CAP = 30.0  # seconds that one check of a peer may take
OWN = "gradcheck"
KINDS = ("autograd", "law", "fd")  # of nodes of one step
DIFFERENCES = "differences"  # finite differences where the complex step is better

# One thread each: the cores belong to the workers. Read when NumPy, PyTorch and XLA are loaded.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


def versions() -> dict[str, str]:
    """What the figures were measured with; no name or path of a machine."""
    names = ("numpy", "torch", "jax", "autograd", "gradcheck")
    found = {"Python": platform.python_version(), **{name: version(name) for name in names}}
    return {**found, platform.system(): platform.machine(), "CPUs": str(os.cpu_count())}


def calm() -> None:
    """One thread; and no warning of an overflow, which is part of some draws, or of a type."""
    import torch

    torch.set_num_threads(1)
    np.seterr(all="ignore")
    warnings.simplefilter("ignore")


def peer(name: str, *, best: bool = False) -> Peer:
    """A peer by its name, at its defaults or at sharper settings."""
    return next(one for one in (BEST if best else PEERS) if one.name == name)


# gradcheck on one draw.


def evidence(check: Check, drawn: Draw, *, closely: bool = False) -> Evidence:
    """The evidence on a draw; on usual inputs they replace what the example draws."""
    found = Evidence(check.examiner, replace(drawn.example, closely=closely))
    if drawn.regime == USUAL:
        found.inputs = dict(zip(found.inputs, map(draw.read_only, inputs(drawn)), strict=True))
    return found


def nodes(fault: Fault, oracles: tuple[str, ...]) -> list[Check]:
    """The checks of one step by these oracles, or laws; unrolling draws a length as well."""
    return [check for check in checks(cell(fault), twin()) if kind(check) in oracles]


def kind(check: Check) -> str:
    """fd, autograd, unrolled or law."""
    return "law" if check.subject == "law" else check.oracle


def complains(found: Iterable[Check], drawn: Draw) -> bool:
    """Whether one of the checks finds a fault on the draw."""
    facts: Evidence | None = None
    for check in found:
        facts = facts or evidence(check, drawn)
        if isinstance(check.judge(facts), Wrong):
            return True
    return False


# Detection.


@dataclass(frozen=True)
class Count:
    """Draws on which a fault shows, and those of them on which the checker complains."""

    shown: int = 0
    caught: int = 0

    @property
    def all_caught(self) -> bool:
        return self.caught == self.shown

    def plus(self, caught: bool) -> "Count":
        return Count(self.shown + 1, self.caught + caught)


@dataclass(frozen=True)
class Detected:
    """A fault on usual draws and on all; ``over`` if the checker was stopped for its time."""

    fault: str
    usual: Count = Count()
    total: Count = Count()
    over: bool = False


def as_pytest_runs_it(fault: Fault) -> dict[str, bool]:
    """Which kinds of node turn red, on the examples that pytest draws.

    The laws are asked only where both oracles are content: they take long to stay green.
    """
    every = _telling_first(fault, nodes(fault, KINDS), Draw((3, 2, 4), 0))

    def any_red(wanted: str) -> bool:
        return any(red(check) for check in every if kind(check) == wanted)

    found = {wanted: any_red(wanted) for wanted in ("autograd", "fd")}
    return {**found, "law": not any(found.values()) and any_red("law")}


def caught_by_pytest(fault: Fault) -> bool:
    """Whether any node turns red; stops at the first."""
    return any(map(red, _telling_first(fault, nodes(fault, KINDS), Draw((3, 2, 4), 0))))


def _telling_first(fault: Fault, found: list[Check], drawn: Draw) -> list[Check]:
    """The nodes that should complain of the fault on this draw first, as one complaint is enough;
    among them finite differences, which take longest, last.
    """
    seen = trace(fault, drawn)

    def late(check: Check) -> tuple[bool, bool]:
        telling = seen.otherwise if kind(check) == "law" else check.argument in seen.gradients
        return not telling, kind(check) == "fd"

    return sorted(found, key=late)


def red(check: Check) -> bool:
    return search(check, Plan(shrink=False)).wrong is not None


def detection(
    checker: str, draws: tuple[Draw, ...], best: bool = False, faults: tuple[Fault, ...] = FAULTS
) -> list[Detected]:
    """Every fault on every draw on which the checker accepts right code."""
    found = {fault.name: Detected(fault.name) for fault in faults}
    try:
        accepted = [drawn for drawn in draws if not _judged(checker, best, RIGHT, drawn)]
    except OverTime:
        return [replace(one, over=True) for one in found.values()]
    for drawn in accepted:  # all faults on one draw: what the peers know of its forward is kept
        for fault in faults:
            caught, one = _judged(checker, best, fault, drawn), found[fault.name]
            # One-hot cotangents may show what random ones do not.
            if caught or trace(fault, drawn).shows:
                usual = one.usual.plus(caught) if drawn.regime == USUAL else one.usual
                found[fault.name] = replace(one, usual=usual, total=one.total.plus(caught))
    return list(found.values())


def _judged(checker: str, best: bool, fault: Fault, drawn: Draw) -> bool:
    """Whether a checker complains of a fault on a draw; raises OverTime."""
    if checker != OWN:
        with within(CAP):
            return peer(checker, best=best).judge(step(fault), drawn) is not None
    return complains(_telling_first(fault, nodes(fault, KINDS), drawn), drawn)


# The smallest detectable error.


def smallest(checker: str, size: Size, seeds: int, whole: bool, best: bool = False) -> float | None:
    """The smallest power of ten that is caught on every seed, if added to dWf relatively: to the
    whole of it, or to one entry of median magnitude. ``checker`` may name one oracle of
    gradcheck's. Infinite if even 1e6 is not caught, nan over time; None if right code is not
    accepted on each seed.
    """
    try:
        found = [_smallest(checker, Draw(size, seed), whole, best) for seed in range(seeds)]
    except OverTime:
        return float("nan")
    known = [power for power in found if power is not None]
    return max(known) if len(known) == len(found) else None


def _smallest(checker: str, drawn: Draw, whole: bool, best: bool) -> float | None:
    right = step(RIGHT)(*inputs(drawn))[1](*cotangents(drawn))[3]
    at = np.argsort(np.abs(right), axis=None)[right.size // 2]
    row, column = (int(k) for k in np.unravel_index(at, right.shape))

    def caught(fault: Fault) -> bool:
        if checker.startswith(OWN):
            return _complains_of_wf(fault, drawn, checker.removeprefix(OWN).strip())
        with within(CAP):
            return peer(checker, best=best).judge(step(fault), drawn) is not None

    def off(power: int) -> Fault:
        change = "dWf" if whole else f"dWf[{row}, {column}]"
        old = "dWi, dbi = z.T @ dai, dai.sum(axis=0)"
        return Fault(f"1e{power}", "", old, f"{old}; {change} *= 1 + 1e{power}")

    if caught(RIGHT):
        return None
    low, high = -17, 6  # not caught, caught
    if not caught(off(high)):
        return float("inf")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if caught(off(middle)) else (middle, high)
    return float(f"1e{high}")


def _complains_of_wf(fault: Fault, drawn: Draw, oracle: str) -> bool:
    """The dWf node of an oracle, or finite differences alone, where the node has better."""
    kind = "fd" if oracle == DIFFERENCES else oracle
    (check,) = [found for found in nodes(fault, (kind,)) if found.argument == "Wf"]
    if oracle != DIFFERENCES:
        return complains([check], drawn)
    facts = evidence(check, drawn)
    return not facts.compared("Wf", facts.numeric.differences("Wf")).agrees
