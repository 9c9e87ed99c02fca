"""Where the time of a test run went: a pytest plugin that closes the run with a short table.

``pytest -p tools.spent``. pytest's own ``--durations`` tells the slowest phases by the clock, which
counts what other processes did meanwhile; this tells CPU, of the children that a test starts as
well, summed over the workers of pytest-xdist.
"""

import resource
import time
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any

import pytest

MOST = 10  # rows of a list
_CPU = "cpu"


def cpu() -> float:
    """Seconds of CPU of this process and of those that it has started and waited for."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


class Meter:
    """Reads the CPU at each end of a phase; each report carries what was spent since the last."""

    def __init__(self) -> None:
        self._begun, self._mark = time.perf_counter(), cpu()
        self._workers: dict[str, float] = {}

    def pytest_runtest_logstart(self) -> None:
        self._mark = cpu()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self,
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        before, self._mark = self._mark, cpu()
        report.user_properties.append((_CPU, self._mark - before))
        return report

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workeroutput"):  # this is a worker of pytest-xdist
            session.config.workeroutput[_CPU] = cpu()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """What a worker says when it stops; one that crashed says nothing."""
        output = getattr(node, "workeroutput", {})
        if _CPU in output:
            self._workers[node.gateway.id] = output[_CPU]

    @pytest.hookimpl(trylast=True)  # behind the tables of what was checked
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        spent = by_node(report for some in terminalreporter.stats.values() for report in some)
        if spent:
            terminalreporter.section("where the time went")
            clock = time.perf_counter() - self._begun
            for line in lines(spent, self._workers or {"one process": cpu()}, clock):
                terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Meter())


def by_node(reports: Iterable[object]) -> dict[str, float]:
    """Seconds of CPU of each node, over its phases."""
    spent: defaultdict[str, float] = defaultdict(float)
    for report in reports:
        if isinstance(report, pytest.TestReport):
            own = (value for key, value in report.user_properties if key == _CPU)
            spent[report.nodeid] += sum(float(str(value)) for value in own)
    return spent


def lines(
    spent: Mapping[str, float], processes: Mapping[str, float], clock: float
) -> Iterator[str]:
    """The table: the total, then the slowest nodes, case files and test modules."""
    total, inside = sum(processes.values()), sum(spent.values())
    each = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in sorted(processes.items()))
    yield f"{total:.1f} s of CPU ({each}), {clock:.1f} s by the clock."
    yield f"{inside:.1f} s of it in {len(spent)} nodes, the rest to start and to collect."
    files: defaultdict[str, float] = defaultdict(float)
    for node, seconds in spent.items():
        files[node.partition("::")[0]] += seconds
    modules = {file: seconds for file, seconds in files.items() if file.startswith("tests")}
    cases = {file: seconds for file, seconds in files.items() if file not in modules}
    for title, found in (("nodes", spent), ("case files", cases), ("test modules", modules)):
        if found:
            yield ""
            yield f"slowest {title}, seconds of CPU"
            slowest = sorted(found.items(), key=lambda one: -one[1])
            yield from (f"{seconds:9.2f}  {name}" for name, seconds in slowest[:MOST])
