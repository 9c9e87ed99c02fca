"""Measure how fast gradcheck is, beside the other checkers, and write docs/speed.md: `make bench`.

It prints which budgets of budgets.toml are over. A run that was stopped goes on where it stopped.
"""

import math
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from benchmarks import budgets, speed_page, speed_plot
from benchmarks.clock import times
from benchmarks.faults import ROOT
from benchmarks.growth import peaks, with_steps, with_tensors
from benchmarks.measure import ONE_THREAD, Size, calm, versions
from benchmarks.plan import Key
from benchmarks.runs import CHECK, SUITES, TEST, commands, default_run, of_processes
from benchmarks.store import Store


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    sizes: tuple[Size, ...]
    rounds: int  # of which the time is the median
    cap: float  # seconds that one check may take
    steps: tuple[int, ...]
    tensors: tuple[int, ...]
    cases: tuple[str, ...] | None  # files of cases/, None for all
    alone: int  # of the dearest files, which are run without their twins as well
    commands: int  # times that each command is run
    suites: tuple[str, ...]  # that are run once


FULL = Plan(
    ((2, 3, 4), (4, 32, 32), (16, 256, 256), (16, 512, 512), (16, 1024, 1024)),
    rounds=7,
    cap=60.0,
    steps=(1, 10, 100, 1000),
    tensors=(1, 4, 16, 64, 256),
    cases=None,
    alone=5,
    commands=3,
    suites=(CHECK, TEST),
)
QUICK = Plan(
    ((2, 3, 4), (4, 32, 32)),
    rounds=3,
    cap=5.0,
    steps=(1, 10, 100),
    tensors=(1, 4, 16),
    cases=("rnn", "lstm", "gru"),
    alone=1,
    commands=1,
    suites=(),
)

Run = Callable[..., Any]  # (a function, its arguments) -> what it returns


def measured(plan: Plan, store: Store, run: Run) -> Iterator[tuple[Key, Any]]:
    """Every measurement of a plan, each with what it is of; what is in the store is taken from it.

    Whatever was too slow at one size is left out at the next.
    """

    def kept(key: Key, call: Callable[..., Any], *given: object) -> Any:
        if key not in store:
            begun = time.monotonic()
            store[key] = run(call, *given)
            click.echo(f"{' '.join(map(str, key))}: {time.monotonic() - begun:.0f} s", err=True)
        return store[key]

    yield ("versions",), kept(("versions",), versions)
    skip: frozenset[str] = frozenset()
    for size in plan.sizes:
        found = kept(("times", size), times, size, plan.rounds, plan.cap, skip)
        skip |= {name for name, seconds in found.items() if math.isnan(seconds)}
        yield ("times", size), found
    for steps in plan.steps:
        key: Key = ("steps", steps)
        yield key, kept(key, with_steps, steps, plan.rounds, plan.cap)
    key = ("peaks", plan.steps[-1])
    yield key, kept(key, peaks, plan.steps[-1], plan.cap)
    for count in plan.tensors:
        key = ("tensors", count)
        yield key, kept(key, with_tensors, count, plan.rounds, plan.cap)
    every = sorted((ROOT / "cases").glob("*.py"))
    paths = [path for path in every if plan.cases is None or path.stem in plan.cases]
    spent = {}
    for path in paths:
        runs = kept(("default", path.stem), default_run, path)
        yield ("default", path.stem), runs
        spent[path] = max(run.seconds for run in runs)
    for path in sorted(spent, key=lambda path: -spent[path])[: plan.alone]:
        key = ("alone", path.stem)
        yield key, kept(key, _alone, path)
    yield ("commands",), kept(("commands",), commands, plan.commands)
    for name in plan.suites:
        yield ("suite", name), kept(("suite", name), of_processes, SUITES[name])


def _alone(path: Path) -> Any:
    return default_run(path, twin=False)


@click.command()
@click.option("--quick", is_flag=True, help="Small sizes and three cases: two minutes.")
@click.option("--suites/--no-suites", default=True, help="Run the whole test suite as well.")
@click.option("--anew", is_flag=True, help="Forget what a run that was stopped has measured.")
@click.option("--output", type=click.Path(path_type=Path), default=ROOT / "docs" / "speed.md")
def main(quick: bool, suites: bool, anew: bool, output: Path) -> None:
    """Measure, write the page, and say which budgets are over."""
    os.environ.update(ONE_THREAD)
    plan = QUICK if quick else FULL
    store = Store("speed-quick" if quick else "speed", anew=anew)
    plan = plan if suites else replace(plan, suites=())
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=calm) as alone:
        found = dict(measured(plan, store, lambda *call: alone.submit(*call).result()))
    figures = speed_page.figures(found)
    every = budgets.read()
    output.write_text(speed_page.text(found, every, plan.cap, quick=quick), encoding="utf-8")
    speed_plot.write(found, output.with_suffix(".svg"))
    for budget in every:
        click.echo(budget.line(figures))
    store.forget()


if __name__ == "__main__":
    main()
