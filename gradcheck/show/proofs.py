"""A proof as text for a terminal: one line for each line of the derivation."""

import re
from collections.abc import Iterator

from rich.cells import cell_len
from rich.text import Text

from gradcheck.errors import shown_path
from gradcheck.lines.proof import (
    FED,
    NOT_FOLLOWED,
    NOT_REACHED,
    RIGHT,
    UNJUDGED,
    WRONG,
    Judged,
    Proof,
    Worked,
)
from gradcheck.show import hints
from gradcheck.show.numbers import array

_SAID = {
    RIGHT: ("✓", "right", "green"),
    WRONG: ("✗", "wrong", "bold red"),
    FED: ("·", "fed by a wrong line", "yellow"),
    NOT_REACHED: ("-", "not reached", "dim"),
    NOT_FOLLOWED: ("?", "not followed", "magenta"),
}
_VERDICT = {
    RIGHT: ("every line is right", "green"),
    WRONG: ("wrong", "bold red"),
    UNJUDGED: ("not judged", "magenta"),
}


def text(proof: Proof, *, numbers: bool) -> Text:
    """The whole proof; styles show on a terminal only."""
    words, style = _VERDICT[proof.verdict]
    out = Text(f"{shown_path(proof.path)}::{proof.cell}: ")
    out.append(words, style)
    out.append("\n")
    if proof.reason:
        out.append(f"{proof.reason}\n")
    width = max((cell_len(_bare(line.source)) for line in proof.lines), default=0)
    for line in proof.lines:
        out.append_text(_line(line, min(width, 76), proof))
    for statement in proof.absent:
        out.append("  A line is missing at the head of the backward:\n", "bold red")
        out.append(f"          {statement}\n", "green")
    if proof.missing:
        out.append(f"  Still missing: {', '.join(proof.missing)}\n", "magenta")
    beside = [hints.sentence(proof.hint)] if proof.hint is not None else []
    beside += [hints.unfinished(proof.cut)] if proof.cut is not None else []
    for said in beside:
        out.append(f"  {said}\n", "magenta")
    if numbers and proof.example is not None:
        out.append("".join(f"{line}\n" for line in _numbers(proof.example)))
    return out


def _line(line: Judged, width: int, proof: Proof) -> Text:
    sign, words, style = _SAID[line.verdict]
    out = Text(f"{line.line:>5}  ")
    out.append(sign, style)
    source = _bare(line.source)
    out.append(f" {source}{' ' * max(width - cell_len(source), 0)}  ")
    out.append(words, style)
    if line.error is not None and line.verdict == WRONG:
        out.append(f", by {line.error:.1e} of its largest entry")
    if line.reason:
        out.append(f": {line.reason}")
    out.append("\n")
    for k, statement in enumerate(line.mends):
        out.append("    write  " if k == 0 else "       or  ", "dim")
        out.append(f"{statement}\n", "green")
    if line.verdict == WRONG:
        out.append(f"       at  {shown_path(proof.path)}:{line.line}\n", "dim")
    return out


def _bare(source: str) -> str:
    """A line without the comment behind it."""
    return re.sub(r"\s+#.*$", "", source)


def _numbers(worked: Worked) -> Iterator[str]:
    """The worked example: what goes in, every forward value, every gradient by hand and true."""
    yield f"  A worked example: {worked.example}"
    for name, value in {**worked.inputs, **worked.cotangents}.items():
        yield f"    {name} = {array(value)}"
    yield "  forward"
    for name, value in worked.values.items():
        yield f"    {name} = {array(value)}"
    yield "  backward, by hand and true"
    for name, by_hand, true in worked.gradients:
        known = "" if true is None else f"   true {array(true)}"
        given = "not derived" if by_hand is None else array(by_hand)
        yield f"    {name} = {given}{known}"
