"""What the parts of the pages are made of: tables, sizes, and who was run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.measure import CAP, OWN, Size
from benchmarks.peers import BEST, PEERS

Found = Mapping[tuple[Any, ...], Any]  # every measurement by what it is
OVER = f"over {CAP:.0f} s"


def with_part(text: str, part: str) -> str:
    """A page with one of its parts, from "## " to the next, written anew."""
    title = part.partition("\n")[0]
    before, found, rest = text.partition(f"{title}\n")
    if not found:
        raise ValueError(f"The page has no part {title!r}: make it whole with `make trust`.")
    _, following, after = rest.partition("\n## ")
    return f"{before}{part.strip()}\n{following}{after}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown(size: Size) -> str:
    return f"({', '.join(map(str, size))})"


def checkers(found: Found) -> list[tuple[str, bool, str]]:
    """gradcheck, the peers, and the peers at their best: those that were run."""
    run = {(key[1], key[2]) for key in found if key[0] == "detection"}
    every = [(OWN, False, OWN), *((peer.name, False, peer.name) for peer in PEERS)]
    every += [(peer.name, True, f"{peer.name}, sharper") for peer in BEST]
    return [one for one in every if one[:2] in run]
