"""A run in front of a person: progress while it lasts, the report, how to go on after Ctrl-C."""

import os
import sys
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import hypothesis
from hypothesis.database import ExampleDatabase
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from gradcheck.drawing.strategies import PROFILES
from gradcheck.errors import CaseError
from gradcheck.exploring import report
from gradcheck.exploring.cluster import Cluster
from gradcheck.exploring.explore import explore
from gradcheck.exploring.journal import Journal
from gradcheck.exploring.processes import Processes
from gradcheck.exploring.request import Cells, Request, cells
from gradcheck.exploring.unit import Outcome
from gradcheck.mutation.mutate import quiet

FOLDER = Path(".gradcheck")  # of journals that nobody named
INTERRUPTED = 130


def run(workers: int | None, dask: str | None, resume: Path | None, **asked: Any) -> int:
    """Explore what is asked for, or go on with a journal, and print what was found.

    Returns the exit status.
    """
    try:
        if dask and workers:
            raise CaseError("--workers are processes of this machine; a scheduler has its own.")
        request, journal = _resumed(resume, **asked) if resume else _asked(**asked)
        with quiet():
            meant = cells(request)
        journal = journal or Journal.new(asked["journal"] or _unnamed(), request)
        crew = Cluster(dask) if dask else Processes(workers or os.cpu_count() or 1)
    except CaseError as error:
        click.echo(str(error), err=True)
        return 2
    further = f"gradcheck explore --resume {journal.path}" + (f" --dask {dask}" if dask else "")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        with closing(crew), Watch(console, request, meant) as watch:
            found = explore(journal, meant, crew, watch.tell, database())
    except (KeyboardInterrupt, CaseError) as error:
        click.echo(str(error) or "Interrupted.", err=True)
        click.echo(f"What was found is kept. To go on: {further}", err=True)
        return 2 if isinstance(error, CaseError) else INTERRUPTED
    click.echo(report.text(found, colour=sys.stdout.isatty()), nl=False)
    return 2 if found.errors or found.malformed else 0 if found.ok else 1


def database() -> ExampleDatabase | None:
    """Where Hypothesis, and so pytest, looks for examples that failed."""
    return hypothesis.settings().database


def _asked(
    *,
    cases: tuple[str, ...],
    examples: int | None,
    hours: float | None,
    sizes: dict[str, int],
    seed: int | None,
    reference: Path,
    journal: Path | None,
) -> tuple[Request, None]:
    if not cases:
        raise CaseError("There is nothing to explore.\nWrite `gradcheck explore cases`.")
    first = time.time_ns() % 10**6 if seed is None else seed
    most = PROFILES["thorough"] if examples is None and hours is None else examples
    return Request(cases, first, most, hours, tuple(sizes.items()), str(reference)), None


def _resumed(resume: Path, **asked: Any) -> tuple[Request, Journal]:
    """What a journal asks for; only how the work is done can be said anew."""
    names = {"cases": "CASES", "sizes": "--size"}
    for name in ("cases", "examples", "hours", "sizes", "seed", "journal"):
        if asked[name] not in (None, (), {}):
            raise CaseError(
                f"--resume goes on with what {resume} asks for; leave out "
                f"{names.get(name, f'--{name}')}."
            )
    journal = Journal.read(resume)
    return journal.request, journal


def _unnamed() -> Path:
    return FOLDER / f"explore-{datetime.now():%Y%m%d-%H%M%S-%f}.jsonl"


class Watch:
    """Live progress: units and examples so far, and each check as it fails for the first time."""

    def __init__(self, console: Console, request: Request, meant: Cells) -> None:
        self._failed: set[str] = set()
        self._examples = 0
        self._progress = Progress(
            TextColumn("seed {task.fields[seed]}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}{task.fields[of]} units"),
            TextColumn("{task.fields[examples]:,} examples"),
            TextColumn("{task.fields[failed]} failed"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        total = None if request.examples is None else meant.total(request.examples)
        of = "" if total is None else f" of {total}"
        self._task = self._progress.add_task(
            "", total=total, of=of, seed=request.seed, examples=0, failed=0
        )

    def __enter__(self) -> "Watch":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def tell(self, outcome: Outcome) -> None:
        """A unit is done."""
        self._examples += outcome.examples
        for count in outcome.counts:
            node = outcome.unit.node(count.result.label)
            if count.failure and node not in self._failed:
                self._failed.add(node)
                said = count.failure.said.partition("\n")[0]
                self._progress.console.print(f"{node}: {said}", markup=False)
        self._progress.update(
            self._task,
            advance=1,
            seed=outcome.unit.seed,
            examples=self._examples,
            failed=len(self._failed),
        )
