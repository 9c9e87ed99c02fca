"""The command line: ``gradcheck proofread``, ``watch``, ``mutate`` and ``new``."""

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from gradcheck import new
from gradcheck.errors import CaseError
from gradcheck.lines.proofread import RIGHT, UNJUDGED, WRONG, Proof, proofread
from gradcheck.mutation import mutate
from gradcheck.mutation.mutate import Score
from gradcheck.show.proofs import text

_STATUS = {RIGHT: 0, WRONG: 1, UNJUDGED: 2}


@click.group()
@click.version_option(package_name="gradcheck")
def main() -> None:
    """Check gradients that were derived by hand."""


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
    try:
        proofs = _proofs(target)
    except CaseError as error:
        if as_json:
            click.echo(json.dumps({"cells": [], "error": str(error)}, indent=2))
        else:
            click.echo(str(error), err=True)
        sys.exit(_STATUS[UNJUDGED])
    if as_json:
        click.echo(json.dumps({"cells": [record(proof) for proof in proofs]}, indent=2))
    else:
        _print(proofs, numbers)
    sys.exit(status(proofs))


@main.command()
@click.argument("target", metavar="FILE[::CELL]")
def watch(target: str) -> None:
    """Proofread a file again at every save. Ctrl-C ends it."""
    from watchfiles import watch as changes

    path = _split(target)[0]
    if not path.is_file():
        raise click.ClickException(f"{path} is not a file.")
    _again(target)
    # The folder, because editors replace a file rather than write into it.
    for changed in changes(path.parent):
        if any(Path(name).name == path.name for _, name in changed):
            click.clear()
            _again(target)


@main.command("mutate")
@click.argument("target", metavar="FILE[::CELL]")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the scores as JSON (docs/mutation.md)."
)
@click.option(
    "--most",
    default=mutate.MOST,
    show_default=True,
    type=click.IntRange(min=1),
    help="Judge at most so many mutants of a cell, of all lines and kinds in fair shares.",
)
@click.option(
    "--reference",
    default="reference",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The folder of the twins, beside that of the cases.",
)
def mutate_command(target: str, as_json: bool, most: int, reference: Path) -> None:
    """Plant mistakes into a right backward, and count those that its checks see.

    Each mutant has one mistake, and is checked as pytest checks the cell; those that pass are
    printed. The file is not changed.

    Exit status: 0 all killed, 1 some survive, 2 cannot be judged.
    """
    error = ""
    scores: tuple[Score, ...] = ()
    try:
        console = Console(stderr=True)
        hidden = not console.is_terminal
        with Progress(console=console, transient=True, disable=hidden) as progress:
            task = progress.add_task("")
            scores = mutate.mutate(
                *_split(target),
                reference=reference,
                most=most,
                tell=lambda name, done, total: progress.update(
                    task, description=name, completed=done, total=total
                ),
            )
    except CaseError as refused:
        error = str(refused)
    if as_json:
        click.echo(json.dumps(mutate.record(scores, error), indent=2))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for score in scores:
            console.print(mutate.text(score), end="")
        if error:
            click.echo(error, err=True)
    sys.exit(mutate.status(scores))


@main.command("new")
@click.argument("name")
@click.option("--cases", default="cases", show_default=True, type=click.Path(path_type=Path))
@click.option(
    "--reference", default="reference", show_default=True, type=click.Path(path_type=Path)
)
def new_command(name: str, cases: Path, reference: Path) -> None:
    """Write a case and its twin to start from; they pass at once."""
    try:
        case, twin = new.write(name, cases, reference)
    except CaseError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Wrote {case} and {twin}. To check them: pytest {case}")


def _again(target: str) -> None:
    try:
        _print(_proofs(target), numbers=False)
    except CaseError as error:
        click.echo(str(error))


def _split(target: str) -> tuple[Path, str | None]:
    path, _, name = target.partition("::")
    return Path(path), name or None


def _proofs(target: str) -> tuple[Proof, ...]:
    return proofread(*_split(target))


def status(proofs: Sequence[Proof]) -> int:
    """The exit status: wrong if any cell is, else unjudged if any is."""
    verdicts = {proof.verdict for proof in proofs}
    return _STATUS[next(v for v in (WRONG, UNJUDGED, RIGHT) if v in verdicts)]


def record(proof: Proof) -> dict[str, object]:
    """A proof as plain data, in the form that docs/proofreading.md gives."""
    lines = [dataclasses.asdict(line) for line in proof.lines]
    return {
        "cell": proof.cell,
        "file": str(proof.path),
        "verdict": proof.verdict,
        "reason": proof.reason,
        "hint": proof.hint,
        "missing": list(proof.missing),
        "absent": list(proof.absent),
        "lines": [{**line, "mends": list(line["mends"])} for line in lines],
    }


def _print(proofs: Sequence[Proof], numbers: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for proof in proofs:
        console.print(text(proof, numbers=numbers), end="")
