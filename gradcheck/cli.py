"""``gradcheck check``, ``proofread``, ``watch``, ``show``, ``mutate``, ``explore`` and ``new``."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from gradcheck import api, new
from gradcheck.api import Mutation, Proofreading
from gradcheck.drawing.held import held
from gradcheck.drawing.strategies import PROFILES
from gradcheck.errors import CaseError
from gradcheck.lines.proof import UNJUDGED, WRONG
from gradcheck.mutation.mutate import MOST
from gradcheck.show import messages, proofs, record, scores, table
from gradcheck.show import steps as steps_shown
from gradcheck.tracing import Trace, trace

_REFERENCE = click.option(
    "--reference",
    default="reference",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The folder of the twins, beside that of the cases.",
)


@click.group()
@click.version_option(package_name="gradcheck")
def main() -> None:
    """Check gradients that were derived by hand."""


def _sizes(_: Any, __: Any, given: tuple[str, ...]) -> dict[str, int]:
    """``H=8,D=8`` as names and their sizes."""
    try:
        return held(given)
    except CaseError as error:
        raise click.BadParameter(str(error)) from None


_SIZES = click.option(
    "--size", "sizes", multiple=True, callback=_sizes, help="Hold sizes, as in H=512,D=512."
)


@main.command("check")
@click.argument("target", metavar="FILE[::CELL]")
@click.option("--only", multiple=True, help="A gradient, oracle or node: dWf, fd, law[purity].")
@click.option("--profile", default="default", type=click.Choice(list(PROFILES)), show_default=True)
@click.option("--seed", type=int, help="Where examples are drawn from.")
@_SIZES
@click.option("--examples", type=click.IntRange(min=1), help="So many of each check.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON (docs/api.md).")
@_REFERENCE
def check_command(
    target: str,
    only: tuple[str, ...],
    profile: str,
    seed: int | None,
    sizes: dict[str, int],
    examples: int | None,
    as_json: bool,
    reference: Path,
) -> None:
    """Check every gradient of a file, as pytest does.

    Exit status: 0 right, 1 wrong, 2 cannot be read, or not derived yet.
    """

    def checked() -> api.Report:
        return api.check(
            target,
            reference,
            profile=profile,
            seed=seed,
            sizes=sizes,
            examples=examples,
            only=only,
        )

    report = _asked(checked, lambda error: {"schema": record.SCHEMA, "error": error}, as_json)
    if as_json:
        click.echo(json.dumps(report.to_dict(), indent=2))
    else:
        for one in report.malformed:
            click.echo(f"{one.message}\n")
        for verdict in report.verdicts:
            click.echo(f"{messages.text(verdict)}\n")
        if report.results:
            # click takes the colours out again where no terminal shows them.
            click.echo(table.text(report.results, colour=True), nl=False)
    unread = report.malformed or not (report.ok or report.verdicts)
    sys.exit(2 if unread else 0 if report.ok else 1)


def _asked(ask: Callable[[], Any], refused: Callable[[str], Any], as_json: bool) -> Any:
    """What was asked for; what cannot be read ends the command with status 2."""
    try:
        return ask()
    except CaseError as error:
        if as_json:
            click.echo(json.dumps(refused(str(error)), indent=2))
        else:
            click.echo(str(error), err=True)
        sys.exit(2)


@main.command("proofread")
@click.argument("target", metavar="FILE[::CELL]")
@click.option("--numbers", is_flag=True, help="Add a worked example at the smallest sizes.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print everything as JSON (docs/proofreading.md)."
)
def proofread_command(target: str, numbers: bool, as_json: bool) -> None:
    """Judge every line of a derivation, and mend the wrong ones.

    Exit status: 0 right, 1 wrong, 2 cannot be judged.
    """
    found: Proofreading = _asked(
        lambda: api.proofread(target), lambda error: record.proofs((), error), as_json
    )
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2))
    else:
        _print(found, numbers)
    verdicts = {proof.verdict for proof in found}
    sys.exit(1 if WRONG in verdicts else 2 if UNJUDGED in verdicts else 0)


@main.command("show")
@click.argument("target", metavar="FILE::CELL")
@click.option("--steps", type=click.IntRange(min=0), help="Unroll over so many steps.")
@click.option(
    "--inputs",
    type=click.Path(path_type=Path),
    help="An .npz file with an array for each argument, and perhaps cotangents such as dh.",
)
@click.option("--size", "sizes", multiple=True, callback=_sizes, help="Hold a size, as in H=3.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--full", is_flag=True, help="Leave out no number, however long the lines are.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON (docs/api.md).")
@_REFERENCE
def show_command(
    target: str,
    steps: int | None,
    inputs: Path | None,
    sizes: dict[str, int],
    seed: int,
    full: bool,
    as_json: bool,
    reference: Path,
) -> None:
    """Work a cell through on some numbers: every value, every gradient by hand and true.

    Exit status: 0 right, 1 wrong, 2 cannot be read or judged.
    """

    def traced() -> Trace:
        return trace(target, inputs, reference=reference, steps=steps, sizes=sizes, seed=seed)

    found = _asked(traced, lambda error: {"schema": record.SCHEMA, "error": error}, as_json)
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2))
    else:
        steps_shown.printed(found, full=full)
    sys.exit(1 if found.wrong else 0 if found.ok else 2)


@main.command()
@click.argument("target", metavar="FILE[::CELL]")
def watch(target: str) -> None:
    """Proofread a file again at every save. Ctrl-C ends it."""
    from watchfiles import watch as changes

    path = Path(target.partition("::")[0])
    if not path.is_file():
        raise click.ClickException(f"{path} is not a file.")
    _again(target)
    # The folder, because editors replace a file rather than write into it.
    for changed in changes(path.parent):
        if any(Path(name).name == path.name for _, name in changed):
            click.clear()
            _again(target)


def _again(target: str) -> None:
    try:
        _print(api.proofread(target), numbers=False)
    except CaseError as error:
        click.echo(str(error))


def _print(found: Proofreading, numbers: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for proof in found:
        console.print(proofs.text(proof, numbers=numbers), end="")


@main.command("mutate")
@click.argument("target", metavar="FILE[::CELL]")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the scores as JSON (docs/mutation.md)."
)
@click.option(
    "--most",
    default=MOST,
    show_default=True,
    type=click.IntRange(min=1),
    help="Judge at most so many mutants of a cell, of all lines and kinds in fair shares.",
)
@_REFERENCE
def mutate_command(target: str, as_json: bool, most: int, reference: Path) -> None:
    """Plant mistakes into a right backward, and count those that its checks see.

    Each mutant has one mistake, and is checked as pytest checks the cell; those that pass are
    printed. The file is not changed.

    Exit status: 0 all killed, 1 some survive, 2 cannot be judged.
    """
    found: Mutation = _asked(
        lambda: _mutated(target, reference, most), lambda error: record.scores((), error), as_json
    )
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=2))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for score in found:
            console.print(scores.text(score), end="")
    survive = any(score.survivors for score in found)
    sys.exit(1 if survive else 0 if found.ok else 2)


def _mutated(target: str, reference: Path, most: int) -> Mutation:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("")

        def tell(name: str, done: int, total: int) -> None:
            progress.update(task, description=name, completed=done, total=total)

        return api.mutate(target, reference, most=most, tell=tell)


@main.command("explore")
@click.argument("cases", nargs=-1, metavar="CASES...")
@click.option("--examples", type=click.IntRange(min=1), help="So many of each gradient.")
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), help="For so long.")
@_SIZES
@click.option("--seed", type=click.IntRange(min=0), help="The first seed; by default, any.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes; by default, one a core.")
@click.option("--dask", metavar="ADDRESS", help="A scheduler's, whose workers do the work.")
@click.option("--journal", type=click.Path(path_type=Path), help="Where each unit is noted.")
@click.option("--resume", metavar="JOURNAL", type=click.Path(path_type=Path), help="Go on.")
@_REFERENCE
def explore_command(workers: int | None, dask: str | None, **asked: Any) -> None:
    """Check cells from seed after seed, on all cores or on a Dask cluster.

    CASES are folders, files, or FILE::CELL. Without --examples and --hours each gradient has 1000
    examples. What fails is told at once, and again at the end with the command that repeats it;
    the next run of pytest tries it first.

    Exit status: 0 right, 1 wrong, 2 cannot be judged, 130 interrupted.
    """
    from gradcheck.exploring import terminal

    sys.exit(terminal.run(workers, dask, **asked))


@main.command("new")
@click.argument("name")
@click.option("--cases", default="cases", show_default=True, type=click.Path(path_type=Path))
@click.option(
    "--reference", default="reference", show_default=True, type=click.Path(path_type=Path)
)
@click.option(
    "--like",
    metavar="CELL",
    help="Start from another: lstm, or FILE::CELL. A forward alone gets a stub for each line.",
)
def new_command(name: str, cases: Path, reference: Path, like: str | None) -> None:
    """Write a case and its twin to start from; they pass at once."""
    try:
        written = new.write(name, cases, reference, like)
    except CaseError as error:
        raise click.ClickException(str(error)) from None
    them = "it" if len(written) == 1 else "them"
    click.echo(f"Wrote {' and '.join(map(str, written))}. To check {them}: pytest {written[0]}")
