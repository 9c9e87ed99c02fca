"""Measure gradcheck beside the other gradient checkers and write docs/trust.md: `make trust`."""

import multiprocessing
import os
from collections.abc import Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import clock, page
from benchmarks.alarms import Alarms
from benchmarks.faults import ROOT
from benchmarks.measure import ONE_THREAD, calm
from benchmarks.plan import FULL, QUICK, Key, Plan, jobs


def run(plan: Plan, workers: Executor, alone: Executor, progress: Progress) -> dict[Key, Any]:
    """All measurements by what they are; the times last and alone, so that nothing runs beside."""
    todo = dict(jobs(plan))
    task = progress.add_task("measuring", total=len(todo) + len(plan.sizes))
    pending = {workers.submit(call, *given): key for key, (call, given) in todo.items()}
    found: dict[Key, Any] = {}
    for done in as_completed(pending):
        found[pending[done]] = done.result()
        progress.advance(task)
    skip: frozenset[str] = frozenset()
    for size in plan.sizes:
        times = alone.submit(clock.times, size, plan.rounds, skip).result()
        skip |= {name for name, seconds in times.items() if seconds != seconds}
        found["times", size] = times
        progress.advance(task)
    found["whole run",] = alone.submit(clock.whole_run).result()
    return gathered(found)


def gathered(found: Mapping[Key, Any]) -> dict[Key, Any]:
    """The blocks of draws of one regime and type in one."""
    together: dict[Key, Any] = {}
    for key, value in found.items():
        if key[0] == "own alarms":
            together.setdefault(key[:3], Alarms()).add(value)
        else:
            together[key] = value
    return together


@click.command()
@click.option("--quick", is_flag=True, help="The smallest size and few draws: two minutes.")
@click.option("--draws", type=int, help="Draws of right code in each regime and type.")
@click.option("--workers", default=os.cpu_count(), help="Processes; as a rule one for each core.")
@click.option("--output", type=click.Path(path_type=Path), default=ROOT / "docs" / "trust.md")
def main(quick: bool, draws: int | None, workers: int, output: Path) -> None:
    """Measure, and write the page."""
    os.environ.update(ONE_THREAD)
    spawn = multiprocessing.get_context("spawn")
    plan = QUICK if quick else FULL
    plan = replace(plan, draws=draws or plan.draws)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with (
        Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress,
        ProcessPoolExecutor(workers, mp_context=spawn, initializer=calm) as pool,
        ProcessPoolExecutor(1, mp_context=spawn, initializer=calm) as alone,
    ):
        found = run(plan, pool, alone, progress)
    output.write_text(page.text(plan, found), encoding="utf-8")


if __name__ == "__main__":
    main()
