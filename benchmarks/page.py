"""The page docs/trust.md: its sentences are written here, its figures are measured."""

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks import mends_page
from benchmarks.alarms import FULLY, Alarms
from benchmarks.faults import Fault
from benchmarks.measure import CAP, DIFFERENCES, KINDS, OWN, Detected, Size
from benchmarks.mends import Asked
from benchmarks.peers import BEST, PEERS
from benchmarks.plan import LARGE_SEEDS, PEER_REGIMES, QUICK, Key, Plan
from gradcheck.drawing.draw import DTYPES, REGIMES
from gradcheck.oracles.numeric import MOST_ENTRIES
from gradcheck.oracles.reference import DIRECTIONS

Found = Mapping[Key, Any]
_OVER = f"over {CAP:.0f} s"


_QUICK = """\
**This page is of a quick run** (`python -m benchmarks.trust --quick`): the smallest size, one or
two draws, few draws of right code. `make trust` measures at five sizes up to (16, 512, 512).
"""


def text(plan: Plan, found: Found) -> str:
    """The whole page."""
    parts = [
        _HEAD,
        _versions(found),
        _QUICK * (plan == QUICK),
        _settings(),
        _pytest(plan, found),
        _detection(plan, found),
    ]
    parts += [_every_fault(plan, found), _smallest(plan, found), _own_alarms(plan, found)]
    parts += [_peer_alarms(plan, found), mends_page.section(mends_of(found)), _limits()]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


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


_HEAD = """\
# How far to trust it

gradcheck beside four other gradient checkers and a well-known recipe, on one cell with planted
faults. `make trust` measures all of it in one run and writes this page; its sentences stand in
`benchmarks/page.py`, and the faults in `benchmarks/faults.py`, one line of code each.

The cell is the LSTM step of `cases/lstm.py` with its twin `reference/lstm.py`. A size (B, D, H)
has B sequences, D inputs and H units. Every checker is given the same NumPy code, through the
form that it documents for a backward written by hand: `torch.autograd.Function`, `jax.custom_vjp`
around `pure_callback`, autograd's `primitive` with `defvjp_argnums`. Inputs are *usual* (standard
normal, weights over the root of their fan-in), or one of gradcheck's [regimes](deciding.md). The
checkers of PyTorch, JAX and autograd draw their own cotangents; gradcheck and CS231n's recipe are
given gradcheck's.

Nothing here says that a peer is bad: they are made for code that is mostly right by construction,
and most of them take one point and one direction on purpose. It says what is left to be seen
after they have passed."""


def _versions(found: Found) -> str:
    listed = ", ".join(f"{name} {number}" for name, number in found[("versions",)].items())
    return f"Measured with {listed.replace('CPUs ', 'CPUs: ')}; one thread for each process."


def _settings() -> str:
    best = {peer.name: peer.settings for peer in BEST}
    rows = [[peer.name, _code(peer.settings), _code(best.get(peer.name, ""))] for peer in PEERS]
    return f"""\
## Settings

{table(["checker", "defaults", "sharper"], rows)}

`f` is the step. The sharper settings were chosen by hand, not searched for, and have false alarms
of their own below; autograd has none to set. CS231n's recipe prints relative errors and leaves
the verdict to its reader; it is read as "any relative error of 1e-6 or more is a fault".
gradcheck has no settings. PyTorch's fast mode runs the slow one to print a failure; that part is
left out here, since the verdict is known by then."""


def _code(text: str) -> str:
    return f"`{text}`" if text else "-"


def _pytest(plan: Plan, found: Found) -> str:
    reds = {fault.name: found[("pytest", fault.name)] for fault in plan.faults}
    caught = [name for name, kinds in reds.items() if any(kinds.values())]
    by = {kind: sum(kinds[kind] for kinds in reds.values()) for kind in KINDS}
    missed = [name for name in reds if name not in caught]
    said = f" Missed: {', '.join(missed)}." if missed else ""
    return f"""\
## As pytest runs it

With the faulty code in `cases/`, 100 examples for each node, `pytest` turns red for
**{len(caught)} of {len(reds)}** faults: {by["autograd"]} turn a node of autograd's red, {by["fd"]}
one of finite differences or the complex step, and {by["law"]} a law alone.{said}
It draws sizes from 1 to 5 and all regimes by itself, so this counts the faults as well that need
one sample, equal sizes, a zero state or a saturated gate."""


_AGAINST = {
    "autograd": "against autograd",
    "fd": "against the complex step",
    DIFFERENCES: "against finite differences",
}
_NODES = {"fd": "[fd] nodes", "autograd": "[autograd] nodes", "law": "laws"}


def _detection(plan: Plan, found: Found) -> str:
    rows = []
    for name, best, label in _checkers(found):
        cells = [_caught(found.get(("detection", name, best, size))) for size in plan.sizes]
        rows.append([label, *cells])
    return f"""\
## At a given size

Here each checker judges the same usual draws of a size, {plan.seeds} up to H = 128 and
{LARGE_SEEDS} above, and below H = 128 one draw of every other regime as well. A fault counts at a
size if it shows there: some gradient of some draw is off by more than 1e-9 of its largest entry,
or a call changes what it must not change. It counts as caught if the checker complains on every
draw on which it shows, of those on which the checker accepts right code. What gradcheck leaves
unjudged counts as missed. The first figure is of usual draws alone, the second of all draws.

{table(["checker", *map(shown, plan.sizes)], rows)}

"{_OVER}": one check takes longer than that; larger sizes were then not tried."""


def _checkers(found: Found) -> list[tuple[str, bool, str]]:
    """gradcheck, the peers, and the peers at their best: those that were run."""
    run = {(key[1], key[2]) for key in found if key[0] == "detection"}
    every = [(OWN, False, OWN), *((peer.name, False, peer.name) for peer in PEERS)]
    every += [(peer.name, True, f"{peer.name}, sharper") for peer in BEST]
    return [one for one in every if one[:2] in run]


def _caught(results: Sequence[Detected] | None) -> str:
    if results is None or any(result.over for result in results):
        return _OVER
    usual = [r.usual for r in results if r.usual.shown]
    total = [r.total for r in results if r.total.shown]
    first = f"{sum(r.all_caught for r in usual)} of {len(usual)}"
    return f"{first}, {sum(r.all_caught for r in total)} of {len(total)}"


def _every_fault(plan: Plan, found: Found) -> str:
    checkers = [one for one in _checkers(found) if not one[1]]
    rows = [
        [
            f"{fault.name}: {fault.what}" + (f" (needs {fault.when})" if fault.when else ""),
            "+" if any(found[("pytest", fault.name)].values()) else "x",
            *(_marks(plan, found, name, fault) for name, _, _ in checkers),
        ]
        for fault in plan.faults
    ]
    return f"""\
### Fault by fault

One mark for each size, from the smallest: `+` caught on every draw on which the fault shows, `~`
on some of them, `x` on none, `.` it does not show at this size, `t` over time. Usual draws decide
where the fault shows on one of them, otherwise those of the other regimes. All at their defaults.

{table(["fault", "pytest", *(label for _, _, label in checkers)], rows)}"""


def _marks(plan: Plan, found: Found, name: str, fault: Fault) -> str:
    marks = ""
    for size in plan.sizes:
        results = found.get(("detection", name, False, size))
        one = next((r for r in results or () if r.fault == fault.name), None)
        if one is None or one.over:
            marks += "t"
            continue
        seen = one.usual if one.usual.shown else one.total
        marks += "." if not seen.shown else "+" if seen.all_caught else "~" if seen.caught else "x"
    return f"`{marks}`"


def _smallest(plan: Plan, found: Found) -> str:
    checkers = [(f"{OWN} {kind}", False, f"{OWN}, {label}") for kind, label in _AGAINST.items()]
    checkers += [one for one in _checkers(found) if one[0] != OWN]

    def rows(whole: bool) -> list[list[str]]:
        return [
            [label, *(_power(found, ("smallest", name, best, s, whole)) for s in plan.sizes)]
            for name, best, label in checkers
        ]

    head = ["checker", *map(shown, plan.sizes)]
    return f"""\
## The smallest error that is seen

The smallest power of ten that is caught on each of {plan.tried} usual draws, when dWf is off by
that share of itself; first the whole of dWf, then only its entry of median magnitude.

{table(["the whole of dWf", *head[1:]], rows(True))}

{table(["one entry of dWf", *head[1:]], rows(False))}

"never": not even an error of a million times the value is seen. "false alarm": right code is not
accepted on one of the draws."""


def _power(found: Found, key: Key) -> str:
    value = found.get(key, math.nan)
    if value is None:
        return "false alarm"
    if math.isnan(value):
        return _OVER
    return "never" if math.isinf(value) else f"{value:.0e}"


def _own_alarms(plan: Plan, found: Found) -> str:
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


def _peer_alarms(plan: Plan, found: Found) -> str:
    checkers = [one for one in _checkers(found) if one[0] != OWN]
    rows = [
        [label, *(_of(found[("alarms", name, best, regime)]) for regime in PEER_REGIMES)]
        for name, best, label in checkers
    ]
    sizes = [
        [label, *(_of(found.get(("alarms at", name, best, size))) for size in plan.sizes)]
        for name, best, label in checkers
    ]
    return f"""\
The peers, at (2, 3, 4), each on the same {plan.peer_draws} draws of a regime; the last column is
usual inputs in float32, which PyTorch and autograd do not claim to check:

{table(["checker", *PEER_REGIMES], rows)}

And on usual inputs at every size:

{table(["checker", *map(shown, plan.sizes)], sizes)}"""


def _of(one: Alarms | None) -> str:
    return f"{one.alarms} of {one.draws}" if one and one.draws else _OVER


def mends_of(found: Found) -> list[Asked]:
    """What came of each mutant."""
    return [one for key, some in found.items() if key[0] == "mends" for one in some]


def _limits() -> str:
    return f"""\
## Limits

- One cell. What holds for the other cells is in [gallery.md](gallery.md), and what people really
  wrote wrongly in [sources.md](sources.md).
- The faults were chosen by the authors of gradcheck. They follow a catalogue of published
  mistakes and the faults that other checkers were tried with; a fault that nobody thought of is
  not among them.
- A peer judges one point; `pytest` asks 100 examples for each node, unrolling included. What an
  example costs beside a check of a peer's, and a run of all, is in [speed.md](speed.md).
- Of an argument with more than {MOST_ENTRIES} entries, [fd] nodes know the slopes along
  {DIRECTIONS} random directions only, as JAX and autograd do along one; [autograd] nodes compare
  every entry at every size. A case without a twin has [fd] nodes alone.
- An unjudged comparison says nothing. The tables above give their share; a node with less than a
  quarter of its examples judged fails.
- A fault below the smallest error above is not seen, and neither is one that needs inputs outside
  the regimes.
- The comparison with autograd is as good as the twin. A misreading that is in both the case and
  its twin is right to every checker on this page.
- JAX's arrays are immutable, so code that writes into what it is given raises there; that counts
  as caught. Its adapter runs the forward anew for each backward, as arrays are all that it may
  keep, so what is spoilt between two calls cannot show."""
