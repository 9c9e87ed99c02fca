"""A verdict as text: what disagrees, who is wrong, in which line, the numbers, how to repeat it."""

from collections.abc import Iterator

import numpy as np

from gradcheck.arrays import entry
from gradcheck.cells.cell import Array
from gradcheck.errors import shown_path
from gradcheck.finding import Wrong
from gradcheck.show import hints, patterns, witnesses
from gradcheck.show.numbers import apart, folded, packed
from gradcheck.show.sentences import sentence
from gradcheck.verdicts.verdict import Verdict

_LINES = 30  # of a whole message, about
_ROWS = 5


def text(verdict: Verdict) -> str:
    """The whole message, at most about 30 lines, each paragraph apart."""
    fault, _, advice = sentence(verdict.finding).partition("\n")  # a sentence, then what to write
    headline = f"{verdict.cell}: {fault}"
    repeat = f"To repeat it: {verdict.command}"
    if verdict.example is None:
        return f"{folded(headline)}\n{folded(advice)}\n\n{repeat}"
    said = "\n".join([*_judgement(verdict, advice), *_beside(verdict)]).strip("\n")
    paragraphs = [folded(headline), folded(said), "\n".join(_lines(verdict)), _table(verdict)]
    shown = "\n\n".join(filter(None, paragraphs))
    example = f"The smallest cell that shows it: {verdict.example}"
    numbers = packed({**verdict.inputs, **verdict.cotangents}, _LINES - shown.count("\n") - 5)
    return f"{shown}\n\n{example}\n{numbers}\n\n{repeat}"


def _judgement(verdict: Verdict, advice: str) -> Iterator[str]:
    """What the finding asks to be written, or who is wrong and what is striking."""
    if verdict.finding.comparison is not None:
        heard = verdict.witnesses
        yield witnesses.sentence(heard) if heard else witnesses.OTHER_FORWARD
    elif advice:
        yield advice
    if verdict.special:
        yield (
            "Not on ordinary inputs in float64 of the same sizes: only on "
            f"{' '.join(verdict.special)} ones."
        )
    yield from map(patterns.sentence, verdict.patterns)


def _beside(verdict: Verdict) -> Iterator[str]:
    """What to consider beside the lines that are named."""
    if verdict.hint is not None:
        yield hints.sentence(verdict.hint)
    if verdict.cut is not None:
        yield hints.unfinished(verdict.cut)


def _lines(verdict: Verdict) -> Iterator[str]:
    """The wrong lines as path:line, which editors follow, and what each should have been."""
    path = shown_path(verdict.path) if verdict.path else ""
    for line in verdict.lines:
        where = f"{path}:{line.number}: "
        missing = "a line is missing at the head of the backward"
        yield f"{where}{missing if line.absent else line.source}"
        if line.mends:
            yield f"{'write ':>{len(where)}}{line.mends[0]}"
        else:
            yield f"{'':>{len(where)}}is wrong: its true value makes more come out right"


def _table(verdict: Verdict) -> str:
    """The wrong entries, worst first, with what each witness says of them."""
    finding = verdict.finding
    columns = witnesses.columns(finding, verdict.witnesses)
    if not columns:
        return ""
    wrong = _wrong_entries(finding)
    rows = [_row(finding, columns, index) for index in wrong[:_ROWS]]
    body = [["", *columns, "error", "allowed"], *rows]
    widths = [max(len(row[k]) for row in body) for k in range(len(body[0]))]
    lines = [
        "  " + "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
        for row in body
    ]
    hidden = len(wrong) - len(rows)
    return "\n".join([*lines, *([f"  and {hidden} more"] if hidden else [])])


def _wrong_entries(finding: Wrong) -> list[tuple[int, ...]]:
    comparison = finding.comparison
    assert comparison is not None  # or there are no columns
    error = np.nan_to_num(comparison.error, nan=np.inf)
    wrong = [tuple(int(k) for k in index) for index in np.argwhere(comparison.wrong)]
    return sorted(wrong, key=lambda index: -float(error[index]))


def _row(finding: Wrong, columns: dict[str, Array], index: tuple[int, ...]) -> list[str]:
    comparison = finding.comparison
    assert comparison is not None
    error = float(np.nan_to_num(comparison.error, nan=np.inf)[index])
    values = [float(column[index]) for column in columns.values()]
    shown = [apart(value, values, error) for value in values]
    name = entry(finding.name, index)
    return [name, *shown, f"{error:.1e}", f"{float(comparison.allowed[index]):.1e}"]
