"""The closing table: a line for each cell, with the worst error of each oracle."""

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from gradcheck.checking.check import Check, Tally

ORACLES = ("forward", "fd", "autograd", "unrolled")


@dataclass(frozen=True)
class Result:
    """What one node found, small enough to travel between processes as text."""

    file: str
    cell: str
    subject: str
    oracle: str
    examples: int
    unjudged: int
    error: float
    allowed: float
    seconds: float
    contracts: tuple[str, ...] = ()
    at_kink: int = 0
    dtype: str = "float64"

    def packed(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def unpacked(cls, text: str) -> "Result":
        fields = json.loads(text)
        return cls(**{**fields, "contracts": tuple(fields["contracts"])})

    @property
    def column(self) -> str:
        return "forward" if self.subject == "forward" else self.oracle


def result(check: Check, tally: Tally, file: str, seconds: float) -> Result:
    """What one node found, from its check and its tally."""
    return Result(
        file,
        check.examiner.cell.name,
        check.subject,
        check.oracle,
        tally.examples,
        tally.unjudged,
        *tally.worst,
        seconds,
        tuple(map(str, check.examiner.cell.contracts)),
        tally.at_kink,
        check.examiner.cell.dtype,
    )


def text(results: Iterable[tuple[Result, str]], *, colour: bool) -> str:
    """The table as it is printed; wider than a narrow terminal, so that no number is broken."""
    file = io.StringIO()
    console = Console(file=file, width=120, force_terminal=colour, no_color=not colour)
    console.print(of(results))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def of(results: Iterable[tuple[Result, str]]) -> Table:
    """The table of all nodes that ran, each with pytest's word on it."""
    by_cell: dict[tuple[str, str], list[tuple[Result, str]]] = {}
    for result, outcome in results:
        by_cell.setdefault((result.cell, result.file), []).append((result, outcome))
    names = [cell for cell, _ in by_cell]
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, caption_justify="left"
    )
    for name in ("cell", "gradients", "examples", "unjudged", *ORACLES, "seconds"):
        table.add_column(name, justify="left" if name == "cell" else "right", no_wrap=True)
    for (cell, file), found in sorted(by_cell.items()):
        gradients = {r.subject for r, _ in found if r.subject not in ("forward", "law")}
        wrong = {r.subject for r, outcome in found if outcome != "passed"} & gradients
        count = f"{len(gradients) - len(wrong)} of {len(gradients)}"
        shown = f"[red]{count}[/red]" if wrong else f"[green]{count}[/green]"
        table.add_row(
            cell if names.count(cell) == 1 else f"{file}::{cell}",
            shown if gradients else "-",
            str(sum(result.examples for result, _ in found)),
            str(sum(result.unjudged for result, _ in found)),
            *(_worst([pair for pair in found if pair[0].column == oracle]) for oracle in ORACLES),
            f"{sum(result.seconds for result, _ in found):.1f}",
        )
    table.caption = "\n".join(
        [
            "Under each oracle: the worst error, and below it what was allowed there, "
            "relative to the tensor's largest entry.",
            *_declared(by_cell),
        ]
    )
    return table


def _declared(by_cell: Mapping[tuple[str, str], list[tuple[Result, str]]]) -> Iterator[str]:
    """What the cases declare, so that nobody takes a contract for a plain gradient."""
    for (cell, _), found in sorted(by_cell.items()):
        contracts = dict.fromkeys(text for result, _ in found for text in result.contracts)
        if contracts:
            drawn_again = sum(result.at_kink for result, _ in found)
            kinks = f" ({drawn_again} draws at a kink made again)" if drawn_again else ""
            yield f"{cell} declares {'; '.join(contracts)}{kinks}."
        if (dtype := found[0][0].dtype) != "float64":
            yield f"{cell} computes in {dtype}, and is judged by its rounding."


def _worst(found: list[tuple[Result, str]]) -> str:
    if not found:
        return "-"
    if any(outcome != "passed" for _, outcome in found):
        return "[red]wrong[/red]"
    worst = max((r for r, _ in found), key=lambda r: r.error)
    return f"{worst.error:.0e}\n({worst.allowed:.0e})"
