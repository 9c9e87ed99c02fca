"""pytest nodes: every file in a folder of cases is a set of gradient tests.

One line of configuration names the folders, ``gradcheck_cases = ["cases"]``; each cell becomes
nodes such as ``cases/lstm.py::lstm::dWf[fd]``.
"""

import time
from collections.abc import Generator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis.errors import InvalidArgument

from gradcheck.cells.cell import Cell, Source
from gradcheck.checking.check import Check, checks
from gradcheck.checking.derived import NOT_YET, SUBJECT, Derived, derived
from gradcheck.checking.explore import Plan, search
from gradcheck.checking.remembered import Remembered
from gradcheck.checking.result import Result, result
from gradcheck.checking.tally import Record
from gradcheck.drawing.given import nearest
from gradcheck.drawing.held import held
from gradcheck.drawing.strategies import PROFILES
from gradcheck.errors import CaseError, WrongGradient, shown_path
from gradcheck.lines import instrument
from gradcheck.lines.blame import Blamer
from gradcheck.oracles import twins
from gradcheck.show import messages, table
from gradcheck.show.numbers import folded
from gradcheck.source.cases import Malformed, read
from gradcheck.source.listing import Listing
from gradcheck.verdicts.verdict import explain, unfinished

_SEED = pytest.StashKey[int | None]()
_SIZES = pytest.StashKey[dict[str, int]]()
_RESULT = "gradcheck"

for _name in PROFILES:
    try:
        hypothesis.settings.get_profile(_name)  # leave alone a profile of the user's
    except InvalidArgument:
        hypothesis.settings.register_profile(_name, max_examples=PROFILES[_name])


def pytest_configure(config: pytest.Config) -> None:
    given = config.getoption("--hypothesis-seed", None)
    if given is not None and not str(given).isdigit():
        raise pytest.UsageError(f"--hypothesis-seed takes a whole number, not {given!r}.")
    try:
        config.stash[_SIZES] = held(config.getoption("--gradcheck-size"))
    except CaseError as error:
        raise pytest.UsageError(f"--gradcheck-size: {error}") from None


def _seed(config: pytest.Config) -> int | None:
    """The seed of a run that explores, the same in all its processes; None if it does not.

    Asked once Hypothesis knows the profile.
    """
    if _SEED not in config.stash:
        given = config.getoption("--hypothesis-seed", None)
        if given is None and _profile() == "thorough":
            worker = getattr(config, "workerinput", {})
            given = worker.get("gradcheck_seed", time.time_ns() % 10**6)
        config.stash[_SEED] = None if given is None else int(given)
    return config.stash[_SEED]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the seed to a worker of pytest-xdist."""
    node.workerinput["gradcheck_seed"] = _seed(node.config) or 0


def _profile() -> str:
    name = hypothesis.settings.get_current_profile_name()
    return name if name in PROFILES else "default"


def pytest_report_header(config: pytest.Config) -> str:
    folders = config.getini("gradcheck_cases")
    seed = _seed(config)
    origin = "derandomised" if seed is None else f"--hypothesis-seed={seed}"
    count = PROFILES[_profile()]
    said = [" ".join(folders), f"profile {_profile()}", f"{count} examples", origin]
    return f"gradcheck: {', '.join([*said, *map('='.join, _held(config))])}"


def _held(config: pytest.Config) -> list[tuple[str, str]]:
    return [(name, str(size)) for name, size in config.stash[_SIZES].items()]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Fail, and check nothing, if a size is to be held that no cell has."""
    cells = [item.parent for item in items if isinstance(item.parent, CellNode)]
    known = list(dict.fromkeys(name for one in cells for name in one.size_names))
    unknown = [name for name in config.stash[_SIZES] if name not in known]
    if unknown and known:
        said = f"No cell has a size {unknown[0]!r}.{nearest(unknown[0], known)}"
        malformed = Malformed("--gradcheck-size", said, cells[0].source)
        items[:] = [MalformedItem.from_parent(cells[0].session, malformed=malformed)]


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Read a case file as cells, and not as a test module."""
    collected = yield
    if not twins.is_case(file_path) or _folder(parent.config, file_path) is None:
        return collected
    return [CaseFile.from_parent(parent, path=file_path)]


def _folder(config: pytest.Config, path: Path) -> Path | None:
    """The configured folder of cases that a file is in."""
    folders = [config.rootpath / name for name in config.getini("gradcheck_cases")]
    return next((folder for folder in folders if folder in path.parents), None)


class CaseFile(pytest.Module):
    """A case file: the cells that it defines."""

    def _getobj(self) -> Any:
        return None  # pytest must not import it: a broken case is one failing test, not an error

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        for cell in read(self.path):
            if isinstance(cell, Malformed):
                yield MalformedItem.from_parent(self, malformed=cell)
            else:
                yield CellNode.from_parent(self, name=cell.name, cell=cell)


class CellNode(pytest.Collector):
    """A cell: its checks."""

    def __init__(self, *, cell: Cell, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        assert cell.source is not None  # it was read from a file
        self.cell, self.source = cell, cell.source
        self.size_names: list[str] = []
        self.blamer = Blamer(cell, partial(instrument.read, self.source.path, cell.name))

    def collect(self) -> Iterator[pytest.Item]:
        folder = _folder(self.config, self.source.path)
        assert folder is not None  # or its file would not have been collected
        reference = self.config.rootpath / self.config.getini("gradcheck_reference")
        wanted = reference / self.source.path.relative_to(folder)
        twin = None
        try:
            twin = twins.find(self.cell, wanted)
        except CaseError as error:
            malformed = Malformed("forward[autograd]", str(error), self.source)
            yield MalformedItem.from_parent(self, malformed=malformed)
        else:
            if twin is None:
                reason = twins.missing(wanted)
                yield NoTwin.from_parent(self, reason=reason, source=self.source)
        every = list(checks(self.cell, twin))
        self.size_names = list(dict.fromkeys(n for one in every for n in one.cell.size_names))
        far = derived(self.cell, partial(Listing.of, self.source.path, self.cell.name))
        if not far.whole:
            yield NotDerived.from_parent(self, derived=far, source=self.source)
        for check in far.judged(every):
            yield CheckItem.from_parent(self, check=check, source=self.source)


class _Item(pytest.Item):
    """A node with a label such as dW[fd], whose failure is a message and not a traceback."""

    def __init__(
        self, *, name: str, parent: pytest.Collector, source: Source, **kwargs: Any
    ) -> None:
        # The id is given whole: pytest would take [fd] for a parameter, and --lf would not find it.
        super().__init__(name=name, parent=parent, nodeid=f"{parent.nodeid}::{name}", **kwargs)
        self.source = source

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.source.path, self.source.line - 1, self.nodeid.split("::", 1)[-1]

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:  # type: ignore[override]
        if not isinstance(excinfo.value, CaseError | WrongGradient):
            return super().repr_failure(excinfo)
        shown = excinfo.getrepr(style="value")
        crash = shown.reprcrash
        if crash is not None:  # what `--tb=line` and the short summary print
            crash.path, crash.lineno = str(self.source.path), self.source.line
            crash.message = str(excinfo.value).splitlines()[0]
        return shown

    def _node(self) -> str:
        return f"{shown_path(self.path)}::{self.nodeid.split('::', 1)[1]}"

    def _command(self) -> str:
        command = f'pytest "{self._node()}"'
        if _profile() != "default":
            command += f" --hypothesis-profile={_profile()}"
        if held := _held(self.config):
            command += f" --gradcheck-size={','.join(map('='.join, held))}"
        seed = _seed(self.config)
        return command if seed is None else f"{command} --hypothesis-seed={seed}"


class MalformedItem(_Item):
    """One failing node for a case or a twin that cannot be read."""

    def __init__(self, *, malformed: Malformed, **kwargs: Any) -> None:
        super().__init__(name=malformed.name, source=malformed.source, **kwargs)
        self.message = malformed.message

    def runtest(self) -> None:
        raise CaseError(folded(self.message))


class NoTwin(_Item):
    """One skipped node that says that autograd had nothing to compare with, and why."""

    def __init__(self, *, reason: str, **kwargs: Any) -> None:
        super().__init__(name="forward[autograd]", **kwargs)
        self.add_marker(pytest.mark.skip(reason=reason))

    def runtest(self) -> None:
        raise AssertionError("a skipped node does not run")


class NotDerived(_Item):
    """One node of a cell that has no backward yet, which is skipped, or one that is half-written.

    The closing table counts it.
    """

    def __init__(self, *, derived: Derived, **kwargs: Any) -> None:
        super().__init__(name=SUBJECT, **kwargs)
        self.derived = derived
        found = derived.result(shown_path(self.path))
        self.user_properties.append((_RESULT, found.packed()))
        if derived.wrong is None:
            self.add_marker(pytest.mark.skip(reason=NOT_YET))

    def runtest(self) -> None:
        verdict = unfinished(self.derived, self._command())
        assert verdict is not None  # or the node is skipped
        raise WrongGradient(messages.text(verdict))


class CheckItem(_Item):
    """One check, over all its examples."""

    def __init__(self, *, check: Check, **kwargs: Any) -> None:
        super().__init__(name=check.label, **kwargs)
        self.check, self.record = check, Record(check)

    def runtest(self) -> None:
        started = time.perf_counter()
        passed = False
        try:
            self.record = search(self.check, self._plan())
            assert isinstance(self.parent, CellNode)
            verdict = explain(self.record, self.parent.blamer, self._command())
            if verdict is not None:
                raise WrongGradient(messages.text(verdict))
            passed = True
        finally:
            seconds = time.perf_counter() - started
            found = replace(result(self.record, shown_path(self.path), seconds), passed=passed)
            self.user_properties.append((_RESULT, found.packed()))

    def _plan(self) -> Plan:
        every = self.config.stash[_SIZES].items()
        sizes = {name: size for name, size in every if name in self.check.cell.size_names}
        database = hypothesis.settings().database
        remembered = Remembered(database, self._node(), sizes) if database else None
        return Plan(_profile(), _seed(self.config), sizes, remembered=remembered)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    found = [
        Result.unpacked(value)
        for reports in terminalreporter.stats.values()
        for reported in reports
        if isinstance(reported, pytest.TestReport)
        and (reported.when == "call" or reported.skipped)  # before the call
        for key, value in reported.user_properties
        if key == _RESULT and isinstance(value, str)
    ]
    if found:
        terminalreporter.section("gradcheck")
        terminalreporter.write(table.text(found, colour=terminalreporter.hasmarkup))
