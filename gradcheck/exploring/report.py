"""What a run found, as text: each fault with the command that repeats it, the table, a sum."""

from collections.abc import Iterator
from pathlib import Path

from gradcheck.errors import shown_path
from gradcheck.exploring.explore import Exploration, Fault
from gradcheck.exploring.unit import BLOCK, Outcome, Unit
from gradcheck.show import table
from gradcheck.show.numbers import folded


def text(found: Exploration, *, colour: bool) -> str:
    """The whole report."""
    said = [folded(one.message) for one in found.malformed]
    said += [folded(one) for one in _errors(found.errors)]
    said += [fault(one) for one in found.faults]
    if found.results:
        said.append(table.text(found.results, colour=colour).rstrip("\n"))
    said.append(_sum(found))
    return "\n\n".join(said) + "\n"


def fault(one: Fault) -> str:
    """A fault: what is wrong, on which example, how often, and how to see all of it."""
    lines = [f"{one.unit.node(one.label)}: {one.failure.said}"]
    if one.failure.example:
        lines.append(f"The smallest cell that shows it: {one.failure.example}")
        lines.append(f"It fails from {one.failing} of {_many(one.units, 'seed')}.")
    return folded("\n".join(lines)) + f"\nTo repeat it: {command(one.unit, one.label)}"


def command(unit: Unit, label: str) -> str:
    """The command that repeats what a unit found of one check, with lines and numbers."""
    said = [f'gradcheck check "{shown_path(Path(unit.file))}::{unit.cell}" --only "{label}"']
    said.append(f"--seed {unit.seed}")
    if unit.examples != BLOCK:
        said.append(f"--examples {unit.examples}")
    if unit.sizes:
        said.append(f"--size {','.join(f'{name}={size}' for name, size in unit.sizes)}")
    if unit.reference != "reference":
        said.append(f"--reference {unit.reference}")
    return " ".join(said)


def _errors(errors: tuple[Outcome, ...]) -> Iterator[str]:
    """Each reason once for each cell."""
    by_cell: dict[tuple[str, str], list[str]] = {}
    for one in errors:
        by_cell.setdefault((one.unit.file, one.unit.cell), []).append(one.error)
    for (file, cell), said in by_cell.items():
        more = f"\nAnd so for {_many(len(said) - 1, 'more seed')}." if said[1:] else ""
        yield f"{shown_path(Path(file))}::{cell} could not be explored.\n{said[0]}{more}"


def _sum(found: Exploration) -> str:
    examples = sum(one.examples for one in found.results)
    checks = _many(len(found.results), "check")
    faults = f"{len(found.faults)} failed" if found.faults else "none failed"
    return (
        f"{examples:,} examples of {checks} in {_many(found.units, 'unit')} and "
        f"{time(found.seconds)}: {faults}."
    )


def _many(number: int, name: str) -> str:
    return f"{number:,} {name}{'s' * (number != 1)}"


def time(seconds: float) -> str:
    """Seconds, minutes or hours, whichever says it shortest."""
    minutes, hours = seconds / 60, seconds / 3600
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if hours < 2 else f"{hours:.1f} h"
