"""What runs cost: the default run of every cell, the commands of a day, and the whole suites.

Seconds are of CPU, of the processes that a run starts as well. Commands are timed by pyperf, each
several times in a process of its own; a suite runs once.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults import ROOT
from gradcheck.cells.cell import Cell
from gradcheck.checking.check import checks
from gradcheck.checking.explore import Plan, search
from gradcheck.oracles import twins
from gradcheck.source import cases
from tools.spent import cpu

PYTHON = [sys.executable, "-m"]
PYTEST = [*PYTHON, "pytest", "-q", "-p", "no:cacheprovider"]
IMPORT, PROOFREAD, COLLECT, LSTM = "start-up", "proofread", "collect", "pytest cases/lstm.py"
COMMANDS = {
    IMPORT: [sys.executable, "-c", "import gradcheck.api"],
    PROOFREAD: [*PYTHON, "gradcheck", "proofread", "cases/lstm.py"],
    COLLECT: [*PYTEST, "cases/lstm.py", "--collect-only"],
    LSTM: [*PYTEST, "cases/lstm.py"],
}
CHECK, TEST = "make check", "make test"
SUITES = {CHECK: [*PYTEST, "cases", "-n", "auto"], TEST: [*PYTEST, "-n", "auto"]}


@dataclass(frozen=True)
class Run:
    """All nodes of a cell, as pytest runs them by default: seconds, and those of law[fresh]."""

    cell: str
    seconds: float
    fresh: float


def default_run(path: Path, *, twin: bool = True) -> list[Run]:
    """The default run of each cell in a file."""
    found = []
    for made in cases.read(path):
        assert isinstance(made, Cell)  # one that cannot be read is no shipped cell
        found.append(_run(made, ROOT / "reference" / path.name if twin else None))
    return found


def _run(made: Cell, reference: Path | None) -> Run:
    begun = cpu()
    spent: dict[str, float] = {}
    for check in checks(made, twins.find(made, reference)):
        before = cpu()
        search(check, Plan(shrink=False))
        spent[check.oracle] = spent.get(check.oracle, 0.0) + cpu() - before
    return Run(made.name, cpu() - begun, spent.get("fresh", 0.0))


def commands(processes: int) -> dict[str, float]:
    """Median seconds of each command; ``processes`` is how often it is run."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "commands.json"
        options = ["--processes", str(processes), "--values", "1", "--warmups", "1"]
        options += ["--loops", "1", "--quiet", "--output", str(output)]
        options += ["--inherit-environ", ",".join(os.environ)]
        timed = [*PYTHON, "benchmarks.commands", *options]
        subprocess.run(timed, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return medians(output)


def medians(path: Path) -> dict[str, float]:
    """The median of each benchmark in a file of pyperf's."""
    import pyperf

    suite = pyperf.BenchmarkSuite.load(str(path))
    return {one.get_name(): float(one.median()) for one in suite.get_benchmarks()}


def of_processes(command: Sequence[str]) -> float:
    """Seconds of a command and of all that it starts and waits for. It must succeed."""
    before = cpu()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return cpu() - before
