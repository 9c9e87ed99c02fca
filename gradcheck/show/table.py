"""The closing table: a line for each cell, with the worst error of each oracle."""

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from gradcheck.checking.derived import SUBJECT
from gradcheck.checking.result import Result
from gradcheck.finding import Reason

ORACLES = ("forward", "fd", "autograd", "unrolled")
_IDLE = {reason.value for reason in Reason if reason.idle}


def text(results: Iterable[Result], *, colour: bool) -> str:
    """The table as it is printed; wider than a narrow terminal, so that no number is broken."""
    file = io.StringIO()
    console = Console(file=file, width=120, force_terminal=colour, no_color=not colour)
    console.print(of(results))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def of(results: Iterable[Result]) -> Table:
    """The table of all nodes that ran."""
    by_cell: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        by_cell.setdefault((result.cell, result.file), []).append(result)
    names = [cell for cell, _ in by_cell]
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, caption_justify="left"
    )
    for name in ("cell", "gradients", "examples", "unjudged", *ORACLES, "seconds"):
        table.add_column(name, justify="left" if name == "cell" else "right", no_wrap=True)
    for (cell, file), found in sorted(by_cell.items()):
        table.add_row(
            cell if names.count(cell) == 1 else f"{file}::{cell}",
            _gradients(found),
            str(sum(result.examples for result in found)),
            _unjudged(found),
            *(_worst([r for r in found if r.column == oracle]) for oracle in ORACLES),
            f"{sum(result.seconds for result in found):.1f}",
        )
    table.caption = "\n".join(
        [
            "Under each oracle: the worst error, and below it what was allowed there, "
            "relative to the tensor's largest entry.",
            *_declared(by_cell),
        ]
    )
    return table


def _gradients(found: Sequence[Result]) -> str:
    gradients = {r.subject for r in found if r.subject not in ("forward", "law", SUBJECT)}
    wrong = {r.subject for r in found if not r.passed} & gradients
    missing = sum(r.unjudged[Reason.NOT_DERIVED.value] for r in found if r.subject == SUBJECT)
    if not gradients and not missing:
        return "-"
    count = f"{len(gradients) - len(wrong)} of {len(gradients) + missing}"
    colour = "red" if wrong else "yellow" if missing else "green"
    return f"[{colour}]{count}[/{colour}]"


def _unjudged(found: Sequence[Result]) -> str:
    """How many examples said nothing, and why, the most frequent reason first.

    What a law did not look at at all is no example that was lost.
    """
    reasons = Counter[str]()
    for result in found:
        reasons.update({r: n for r, n in result.unjudged.items() if r not in _IDLE})
    return "\n".join(f"{count} {reason}" for reason, count in reasons.most_common()) or "0"


def _declared(by_cell: Mapping[tuple[str, str], Sequence[Result]]) -> Iterator[str]:
    """What the cases declare, so that nobody takes a contract for a plain gradient."""
    for (cell, _), found in sorted(by_cell.items()):
        contracts = dict.fromkeys(text for result in found for text in result.contracts)
        if contracts:
            drawn_again = sum(result.at_kink for result in found)
            kinks = f" ({drawn_again} draws at a kink made again)" if drawn_again else ""
            yield f"{cell} declares {'; '.join(contracts)}{kinks}."
        if (dtype := found[0].dtype) != "float64":
            yield f"{cell} computes in {dtype}, and is judged by its rounding."


def _worst(found: Sequence[Result]) -> str:
    if not found:
        return "-"
    if not all(result.passed for result in found):
        return "[red]wrong[/red]"
    worst = max(found, key=lambda result: result.error)
    return f"{worst.error:.0e}\n({worst.allowed:.0e})"
