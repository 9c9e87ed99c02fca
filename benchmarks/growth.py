"""How a passing example grows: with the steps, with the tensors of a cell, and in memory."""

import math
import multiprocessing
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.clock import FLOOR, Subject, medians
from benchmarks.faults import ROOT
from benchmarks.measure import OWN, calm
from benchmarks.peers import OverTime, within
from gradcheck.cells.cell import Cell
from gradcheck.oracles import autograd, twins
from gradcheck.source import cases
from gradcheck.source.closure import closure

SEQUENCE = {"B": 16, "D": 64, "H": 64}  # of the LSTM over time
LAYER = {"B": 4, "H": 32}  # of each matrix of the sum

TWIN, CASE = "its twin, forward and backward", "the case, forward and backward"


def with_steps(steps: int, rounds: int, cap: float) -> dict[str, float]:
    """Median seconds of CPU of the floor and of a passing example, for an LSTM of so many steps;
    nan for what takes longer than ``cap``.
    """
    return _own(Subject.of(*_bptt(), {"T": steps, **SEQUENCE}), rounds, cap)


def with_tensors(count: int, rounds: int, cap: float) -> dict[str, float]:
    """The same for a sum of so many layers beside each other, each with a matrix of its own."""
    return _own(Subject.of(*_sum(count), LAYER), rounds, cap)


def _own(subject: Subject, rounds: int, cap: float) -> dict[str, float]:
    return medians({FLOOR: subject.floor(), OWN: subject.example()}, rounds, cap)


def peaks(steps: int, cap: float) -> dict[str, float]:
    """The most memory that each takes at a time over that of the process before, in MiB: the twin
    and the case forward and backward, and a passing example. In a new process each; nan for
    what takes longer than ``cap`` seconds.
    """
    spawn = multiprocessing.get_context("spawn")
    found = {}
    for name in (TWIN, CASE, OWN):
        with ProcessPoolExecutor(1, mp_context=spawn, initializer=calm) as alone:
            found[name] = alone.submit(_peak, name, steps, cap).result()
    return found


def _peak(name: str, steps: int, cap: float) -> float:
    _memory(name, 2)()  # what is imported or kept at a first run is no part of it
    body = _memory(name, steps)
    Path("/proc/self/clear_refs").write_text("5")  # forget the most so far
    before = _most_memory()
    try:
        with within(cap):
            body()
    except OverTime:
        return math.nan
    return max(0.0, _most_memory() - before)  # Linux counts in pages of each thread


def _memory(name: str, steps: int) -> Callable[[], object]:
    made, its_twin = _bptt()
    subject = Subject.of(made, its_twin, {"T": steps, **SEQUENCE})
    if name == OWN:
        return subject.example()()
    facts = subject.evidence()
    given = facts.inputs
    if name == CASE:
        return lambda: facts.hand
    d = subject.evidence().cotangents
    return lambda: autograd.run(its_twin, made, given, lambda _: d)


def _most_memory() -> float:
    """The most that this process has had in memory at a time, in MiB; Linux tells it."""
    told = Path("/proc/self/status").read_text(encoding="utf-8")
    (kilobytes,) = re.findall(r"^VmHWM:\s+(\d+) kB$", told, flags=re.M)
    return int(kilobytes) / 1024


@cache
def _bptt() -> tuple[Cell, autograd.Twin]:
    path = ROOT / "cases" / "bptt.py"
    made = next(cell for cell in cases.read(path) if cell.name == "lstm_bptt")
    assert isinstance(made, Cell)  # it is one of the shipped cells
    found = twins.find(made, ROOT / "reference" / path.name)
    assert found is not None
    return made, found


def _sum(count: int) -> tuple[Cell, autograd.Twin]:
    """tanh(x W0) + tanh(x W1) + ..., in NumPy with its backward and in PyTorch."""
    names = [f"W{k}" for k in range(count)]
    space: dict[str, Any] = {}
    shaped = ", ".join(f'{name}: "H H"' for name in names)
    exec(_SUM.format(arguments=", ".join(names), shaped=shaped), space)
    made = closure(space["layers"])
    return made, twins.of(made, space["twin"])


_SUM = """\
import numpy as np
import torch


def layers(x: "B H", {shaped}):
    Ws = ({arguments},)
    hs = [np.tanh(x @ W) for W in Ws]
    y = sum(hs)

    def backward(dy):
        das = [dy * (1 - h**2) for h in hs]
        dx = sum(da @ W.T for da, W in zip(das, Ws))
        return dx, *[x.T @ da for da in das]

    return y, backward


def twin(x, {arguments}):
    return sum(torch.tanh(x @ W) for W in ({arguments},))
"""
