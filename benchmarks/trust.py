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

from benchmarks import mends, mends_page, page, parts
from benchmarks.alarms import Alarms
from benchmarks.faults import ROOT
from benchmarks.measure import ONE_THREAD, calm
from benchmarks.plan import FULL, QUICK, Job, Key, jobs, mends_jobs
from benchmarks.store import Store


def run(
    todo: Mapping[Key, Job], workers: Executor, store: Store, progress: Progress
) -> dict[Key, Any]:
    """All measurements by what they are; what is in the store is taken from it."""
    task = progress.add_task("measuring", total=len(todo))
    found = {key: store[key] for key in todo if key in store}
    progress.advance(task, len(found))
    left = {key: job for key, job in todo.items() if key not in found}
    pending = {workers.submit(call, *given): key for key, (call, given) in left.items()}
    for done in as_completed(pending):
        key = pending[done]
        found[key] = store[key] = done.result()
        progress.advance(task)
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
@click.option("--only-mends", is_flag=True, help="The mended lines alone, on the page as it is.")
@click.option("--draws", type=int, help="Draws of right code in each regime and type.")
@click.option("--mends", "mutants", type=int, help="Mutants of each cell.")
@click.option("--workers", default=os.cpu_count(), help="Processes; as a rule one for each core.")
@click.option("--anew", is_flag=True, help="Forget what a run that was stopped has measured.")
@click.option("--output", type=click.Path(path_type=Path), default=ROOT / "docs" / "trust.md")
def main(
    quick: bool,
    only_mends: bool,
    draws: int | None,
    mutants: int | None,
    workers: int,
    anew: bool,
    output: Path,
) -> None:
    """Measure, and write the page. A run that was stopped goes on where it stopped."""
    os.environ.update(ONE_THREAD)
    spawn = multiprocessing.get_context("spawn")
    plan = QUICK if quick else FULL
    plan = replace(plan, draws=draws or plan.draws, mends=mutants or plan.mends)
    stores = Store("trust", anew=anew), Store(mends.STORE, anew=anew)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with (
        Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress,
        ProcessPoolExecutor(workers, mp_context=spawn, initializer=calm) as pool,
    ):
        todo = dict(mends_jobs(plan) if only_mends else jobs(plan))
        found = run(todo, pool, stores[0], progress)
    if only_mends:
        part = mends_page.section(page.mends_of(found))
        text = parts.with_part(output.read_text(encoding="utf-8"), part)
    else:
        text = page.text(plan, found)
    output.write_text(text, encoding="utf-8")
    for store in stores:
        store.forget()


if __name__ == "__main__":
    main()
