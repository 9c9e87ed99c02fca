"""The part of docs/trust.md about false alarms: gradcheck's and the peers' on right code."""

import textwrap

from benchmarks.alarms import FULLY, Alarms
from benchmarks.measure import OWN
from benchmarks.parts import OVER, Found, checkers, shown, table
from benchmarks.plan import PEER_REGIMES, Plan
from gradcheck.drawing.draw import DTYPES, REGIMES


def own_alarms(plan: Plan, found: Found) -> str:
    """gradcheck's, and what it left unjudged."""
    rows = []
    for regime in REGIMES:
        for dtype in DTYPES:
            one: Alarms = found[("own alarms", regime, dtype)]
            shares = [_share(one, oracle) for oracle in ("fd", "autograd", "unrolled")]
            rows.append([regime, dtype, f"{one.draws:,}", str(one.alarms), *shares])
    total = sum(found[key].draws for key in found if key[0] == "own alarms")
    wrong = sum(found[key].alarms for key in found if key[0] == "own alarms")
    at = [[shown(s), *_at(found[("own alarms at", s)])] for s in plan.sizes]
    head = ["regime", "type", "draws", "false alarms", *(f"unjudged, {o}" for o in _ORACLES)]
    cases = [found[key] for key in found if key[0] == "own alarms of"]
    said = (
        f"On all cells of the {len(cases)} files in `cases/`, {plan.case_draws} draws of each "
        f"regime and type, sizes from 1 to 4, all nodes: **{sum(one.alarms for one in cases)} in "
        f"{sum(one.draws for one in cases):,} draws**."
    )
    return f"""\
## False alarms

**gradcheck: {wrong} in {total:,} draws of right code.** Sizes are 1 to 5. A draw is judged by all
[autograd] nodes and laws, and every {FULLY}th by the [fd] and [unrolled] nodes as well, these with
0 to 5 steps. Comparisons that rounding leaves without a verdict are counted as unjudged, not as
passed: a true gradient of 1e-48 beside roundings of 1e-9, as in *huge*, says nothing.

{table(head, rows)}

{textwrap.fill(said, 98) if cases else "The other cells of `cases/` are left out of a quick run."}

At the given sizes, two draws of each regime and two usual ones, above H = 128 one of each:

{table(["size", "draws", "false alarms", "unjudged, fd", "unjudged, autograd"], at)}"""


_ORACLES = ("fd", "autograd", "unrolled")


def _share(one: Alarms, oracle: str) -> str:
    unjudged = one.unjudged.get(oracle, 0)
    asked = unjudged + one.judged.get(oracle, 0)
    if not asked:
        return "-"
    return f"{100 * unjudged / asked:.2g} %" if unjudged else "0"


def _at(one: Alarms) -> list[str]:
    return [str(one.draws), str(one.alarms), _share(one, "fd"), _share(one, "autograd")]


def peer_alarms(plan: Plan, found: Found) -> str:
    """Those of the peers."""
    peers = [one for one in checkers(found) if one[0] != OWN]
    rows = [
        [label, *(_of(found[("alarms", name, best, regime)]) for regime in PEER_REGIMES)]
        for name, best, label in peers
    ]
    sizes = [
        [label, *(_of(found.get(("alarms at", name, best, size))) for size in plan.sizes)]
        for name, best, label in peers
    ]
    return f"""\
The peers, at (2, 3, 4), each on the same {plan.peer_draws} draws of a regime; the last column is
usual inputs in float32, which PyTorch and autograd do not claim to check:

{table(["checker", *PEER_REGIMES], rows)}

And on usual inputs at every size:

{table(["checker", *map(shown, plan.sizes)], sizes)}"""


def _of(one: Alarms | None) -> str:
    return f"{one.alarms} of {one.draws}" if one and one.draws else OVER
