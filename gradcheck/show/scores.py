"""What became of the mutants of a cell, as text for a terminal."""

from rich.text import Text

from gradcheck.errors import shown_path
from gradcheck.mutation.mutate import Score


def text(score: Score) -> Text:
    """A score for a terminal: one line, and two for each survivor."""
    out = Text(f"{shown_path(score.path)}::{score.cell}: ")
    if score.reason:
        out.append("not judged", "magenta")
        return out.append(f"\n{score.reason}\n")
    if score.survivors:
        survive = "survives" if len(score.survivors) == 1 else "survive"
        out.append(f"{len(score.survivors)} of {score.mutants} mutants {survive}", "bold red")
    else:
        out.append(f"all {score.mutants} mutants killed", "green")
    more = "is" if score.equivalent == 1 else "are"
    out.append(f"; {score.equivalent} more {more} equivalent\n" if score.equivalent else "\n")
    for survivor in score.survivors:
        out.append(f"{survivor.line:>5}  {survivor.source}\n")
        out.append("   as  ", "dim").append(f"{survivor.mutant}\n", "red")
    return out
