"""The speed page: its code on tiny inputs, and its budgets; no clock decides."""

import math
import re
from functools import partial

import pytest

from benchmarks import budgets, clock, growth, runs, speed, speed_page, speed_plot
from benchmarks.budgets import Budget
from benchmarks.faults import ROOT
from benchmarks.growth import CASE, TWIN
from benchmarks.measure import OWN
from benchmarks.parts import shown
from benchmarks.peers import PEERS
from benchmarks.runs import COMMANDS, Run
from gradcheck.checking.explore import Plan

PAGE = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
CHECKERS = {"floor", OWN, clock.CLOSELY, clock.LAWS, clock.DRAWING}


@pytest.mark.filterwarnings("ignore")
def test_times_are_taken_of_every_checker():
    found = clock.times((2, 3, 4), 1, 30.0, frozenset({"CS231n"}))
    assert set(found) == CHECKERS | {peer.name for peer in PEERS if peer.installed}
    assert math.isnan(found.pop("CS231n"))
    assert all(seconds > 0 for seconds in found.values())


def test_what_takes_too_long_has_no_time():
    def endless():
        while True:
            pass

    found = clock.medians({"quick": lambda: list, "endless": lambda: endless}, 3, cap=0.05)
    assert found["quick"] >= 0
    assert math.isnan(found["endless"])


@pytest.mark.parametrize("grown", [growth.with_steps, growth.with_tensors])
def test_growth_is_of_a_right_cell_that_passes(grown):
    found = grown(3, 1, math.inf)
    assert set(found) == {"floor", OWN}
    assert all(seconds > 0 for seconds in found.values())


@pytest.mark.parametrize("made", [growth._bptt, partial(growth._sum, 3)])
def test_the_cells_that_grow_are_right_on_the_examples_that_are_timed(made):
    subject = clock.Subject.of(*made(), {"T": 3, **growth.SEQUENCE})
    facts = subject.evidence()
    findings = [
        check.judge(facts) for check in subject.checks if check.oracle in ("fd", "autograd")
    ]
    assert len(findings) > 3
    assert {type(finding).__name__ for finding in findings} == {"Right"}


@pytest.mark.parametrize("name", [TWIN, CASE, OWN])
def test_memory_is_told_of_each(name):
    assert growth._peak(name, 3, 30.0) >= 0


def test_a_default_run_is_of_every_cell_of_a_file(monkeypatch):
    monkeypatch.setattr(runs, "Plan", partial(Plan, most=2))
    found = runs.default_run(ROOT / "cases" / "embedding.py")
    assert [run.cell for run in found] == ["embedding", "embedding_padded"]
    assert all(run.seconds > run.fresh > 0 for run in found)


def test_pyperf_tells_the_median_of_each_command(tmp_path):
    pyperf = pytest.importorskip("pyperf", reason="`make bench` installs it")
    told = [
        pyperf.Benchmark(
            [pyperf.Run([value], metadata={"name": name}) for value in (1.0, 2.0, 4.0)]
        )
        for name in COMMANDS
    ]
    pyperf.BenchmarkSuite(told).dump(str(tmp_path / "commands.json"))
    assert runs.medians(tmp_path / "commands.json") == dict.fromkeys(COMMANDS, 2.0)


@pytest.mark.parametrize("name", runs.SUITES)
def test_a_suite_is_run_as_the_makefile_runs_it(name):
    quietly = ("-q", "-p", "no:cacheprovider")
    given = " ".join(word for word in runs.SUITES[name][3:] if word not in quietly)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace(" -q", "")
    assert f"$(BIN)/pytest {given}" in makefile


def test_a_command_that_fails_is_no_figure():
    with pytest.raises(runs.subprocess.CalledProcessError):
        runs.of_processes([runs.sys.executable, "-c", "raise SystemExit(3)"])


class Store(dict):
    """A store that is gone with the test."""


def made_up(call, *given):
    """A figure for each measurement that is planned."""
    name = getattr(call, "__name__", "")
    if name == "times":
        size, _, _, skip = given
        slow = {"torch slow": math.nan if max(size) > 32 else 2.0}
        assert skip <= {"torch slow"}
        return dict.fromkeys([*CHECKERS, *(p.name for p in PEERS)], 0.25) | slow
    if name in ("with_steps", "with_tensors"):
        return {"floor": 0.5, OWN: 0.75}
    if name == "peaks":
        return {TWIN: 100.0, CASE: 50.0, OWN: 250.0}
    if name in ("default_run", "_alone"):
        return [Run(given[0].stem, 2.0, 0.5)]
    if name == "commands":
        return dict.fromkeys(COMMANDS, 1.0)
    return {"Python": "3", "CPUs": "2"} if name == "versions" else 400.0


def all_found(plan):
    return dict(speed.measured(plan, Store(), made_up))


def test_what_was_measured_is_not_measured_again():
    kept, calls = Store(), []

    def run(call, *given):
        if len(calls) == 5:
            raise KeyboardInterrupt
        calls.append(call)
        return made_up(call, *given)

    with pytest.raises(KeyboardInterrupt):
        list(speed.measured(speed.FULL, kept, run))
    assert len(kept) == 5
    calls.clear()
    assert len(dict(speed.measured(speed.QUICK, kept, made_up))) > 5


def test_the_page_is_written_from_what_is_measured():
    every = budgets.read()
    written = speed_page.text(all_found(speed.FULL), every, 60.0, quick=False)
    assert "| a passing example at (2, 3, 4) | 1.00 | 3 floors | kept |" in written
    assert "| a passing example with the laws at (2, 3, 4) | 1.25 | 5 floors | kept |" in written
    assert "| memory of 1000 steps | 2.50 | 1.5 times its twin's | OVER |" in written
    assert "| pytest cases/lstm.py | 0.00 | 4 s | kept |" in written
    cheapest = "a passing example beside the cheapest peer at (4, 32, 32)"
    assert f"| {cheapest} | 1.00 | 1 times its time | kept |" in written
    assert "| make check | 400 | 200 s | OVER |" in written
    assert "| torch slow | 8.00 | 8.00 | over time | over time | over time |" in written
    assert "| 1,000 | 500 ms | 1.50 |" in written
    assert "| a passing example, both oracles | 250 | 2.50 |" in written
    assert re.search(r"^\d+ cells take \d+ s of CPU, 2\.0 s each", written, flags=re.M)
    assert "nan" not in written
    assert "quick run" not in written


def test_a_quick_page_says_so_and_what_it_has_not_measured():
    written = speed_page.text(all_found(speed.QUICK), budgets.read(), 5.0, quick=True)
    assert "**This page is of a quick run**" in written
    assert "| make test | - | 600 s | not measured |" in written


def test_every_budget_is_about_something_that_is_measured():
    known = speed_page.figures(all_found(speed.FULL))
    assert {(one.what, one.size) for one in budgets.read()} <= set(known)


def test_a_budget_is_told_with_its_figure():
    one = Budget("a walk", "(2, 3)", 1.5, "s", "it is short")
    at = ("a walk", "(2, 3)")
    assert one.line({at: 1.25}) == "a walk at (2, 3): 1.25, may be 1.5 s: kept"
    assert one.line({at: 1500.0}) == "a walk at (2, 3): 1,500, may be 1.5 s: OVER"
    assert one.line({at: math.nan}) == "a walk at (2, 3): over time, may be 1.5 s: OVER"
    assert one.line({}) == "a walk at (2, 3): -, may be 1.5 s: not measured"


def test_a_budget_without_a_reason_is_none(tmp_path):
    file = tmp_path / "budgets.toml"
    file.write_text('[[budget]]\nwhat = "a walk"\nmost = 1\nunit = "s"\n', encoding="utf-8")
    said = re.escape("A budget has because, most, unit, what; a walk has ['most', 'unit', 'what'].")
    with pytest.raises(ValueError, match=said):
        budgets.read(file)


def test_the_figure_is_the_same_for_the_same_measurements(tmp_path):
    found = all_found(speed.FULL)
    for name in ("one.svg", "two.svg"):
        speed_plot.write(found, tmp_path / name)
    written = (tmp_path / "one.svg").read_text(encoding="utf-8")
    assert written == (tmp_path / "two.svg").read_text(encoding="utf-8")
    assert "steps of BPTT" in written


def test_the_page_is_of_these_budgets_and_sizes():
    for one in budgets.read():
        at = f" at {one.size}" if one.size else ""
        assert f"| {one.what}{at} | " in PAGE
    assert (ROOT / "docs" / "speed.svg").is_file()
    if "quick run" not in PAGE:
        for size in speed.FULL.sizes:
            assert shown(size) in PAGE
