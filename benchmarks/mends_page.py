"""The part of docs/trust.md about lines: which came back, of the slips that were planted."""

import textwrap
from collections import Counter
from collections.abc import Sequence

from benchmarks.asked import BACK, Asked

TITLE = "## Is the wrong line named?"


def section(found: Sequence[Asked]) -> str:
    """How many came back, by kind of slip, and each that did not; nothing if none was asked."""
    if not found:
        return ""
    return f"""\
{TITLE}

{_share(found)}

{_table(found)}

{_missed([one for one in found if one.came != BACK])}"""


def _share(found: Sequence[Asked]) -> str:
    back, cells = sum(one.came == BACK for one in found), {one.cell for one in found}
    slips = {one.slip for one in found}
    return "\n\n".join(
        textwrap.fill(text, 98)
        for text in (
            "One slip of [mutation.md](mutation.md) at a time is planted into a right backward of "
            "`cases/`, and its line is asked for as `gradcheck proofread` asks. It came back if "
            "exactly that line is called wrong, with a mend that makes every gradient right on "
            "draws of many sizes: the author's statement, or one that is equivalent. "
            "`python -m benchmarks.mends` does this alone.",
            f"**{back} of {len(found)} came back ({100 * back / len(found):.0f} %)**, in a sample "
            f"of {len(cells)} cells and {len(slips)} kinds of slip, each kind as often as the "
            f"others as far as the cells have it. It took {sum(o.seconds for o in found):.0f} s of "
            f"CPU, the longest search {max(o.seconds for o in found):.0f} s.",
        )
    )


def _table(found: Sequence[Asked]) -> str:
    asked = Counter(one.slip for one in found)
    back = Counter(one.slip for one in found if one.came == BACK)
    rows = (f"| {slip} | {asked[slip]} | {back[slip]} |" for slip in sorted(asked))
    return "\n".join(["| slip | mutants | came back |", "| --- | --- | --- |", *rows])


def _missed(missed: Sequence[Asked]) -> str:
    if not missed:
        return "None was missed."
    kinds = Counter(one.came for one in missed)
    counted = "; ".join(f"{kind}: {number}" for kind, number in kinds.most_common())
    said = textwrap.fill(f"The {len(missed)} others ({counted}), with what was said instead:", 98)
    return "\n".join([said, "", *(f"- {_told(one)}" for one in missed)])


def _told(one: Asked) -> str:
    said = f": `{one.said.rstrip()}`" if one.said else ""
    return f"{one.cell}, line {one.line}, {one.slip}: `{one.mutant}`; {one.came}{said}"
