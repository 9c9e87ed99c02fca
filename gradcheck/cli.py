"""The command line: ``gradcheck proofread FILE[::CELL]`` and ``gradcheck watch FILE[::CELL]``."""

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from gradcheck import printed
from gradcheck.errors import CaseError
from gradcheck.proofread import RIGHT, UNJUDGED, WRONG, Proof, proofread

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
        console.print(printed.text(proof, numbers=numbers), end="")
