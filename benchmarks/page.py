"""The page docs/trust.md: its sentences are written here, its figures are measured."""

import math
from collections.abc import Sequence

from benchmarks import alarms_page, mends_page
from benchmarks.asked import Asked
from benchmarks.faults import Fault
from benchmarks.measure import DIFFERENCES, KINDS, OWN, Detected
from benchmarks.parts import OVER, Found, checkers, shown, table
from benchmarks.peers import BEST, PEERS
from benchmarks.plan import LARGE_SEEDS, QUICK, Key, Plan
from gradcheck.oracles.numeric import MOST_ENTRIES
from gradcheck.oracles.reference import DIRECTIONS

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
    parts += [
        _every_fault(plan, found),
        _smallest(plan, found),
        alarms_page.own_alarms(plan, found),
    ]
    parts += [alarms_page.peer_alarms(plan, found), mends_page.section(mends_of(found)), _limits()]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


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
    for name, best, label in checkers(found):
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

"{OVER}": one check takes longer than that; larger sizes were then not tried."""


def _caught(results: Sequence[Detected] | None) -> str:
    if results is None or any(result.over for result in results):
        return OVER
    usual = [r.usual for r in results if r.usual.shown]
    total = [r.total for r in results if r.total.shown]
    first = f"{sum(r.all_caught for r in usual)} of {len(usual)}"
    return f"{first}, {sum(r.all_caught for r in total)} of {len(total)}"


def _every_fault(plan: Plan, found: Found) -> str:
    run = [one for one in checkers(found) if not one[1]]
    rows = [
        [
            f"{fault.name}: {fault.what}" + (f" (needs {fault.when})" if fault.when else ""),
            "+" if any(found[("pytest", fault.name)].values()) else "x",
            *(_marks(plan, found, name, fault) for name, _, _ in run),
        ]
        for fault in plan.faults
    ]
    return f"""\
### Fault by fault

One mark for each size, from the smallest: `+` caught on every draw on which the fault shows, `~`
on some of them, `x` on none, `.` it does not show at this size, `t` over time. Usual draws decide
where the fault shows on one of them, otherwise those of the other regimes. All at their defaults.

{table(["fault", "pytest", *(label for _, _, label in run)], rows)}"""


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
    run = [(f"{OWN} {kind}", False, f"{OWN}, {label}") for kind, label in _AGAINST.items()]
    run += [one for one in checkers(found) if one[0] != OWN]

    def rows(whole: bool) -> list[list[str]]:
        return [
            [label, *(_power(found, ("smallest", name, best, s, whole)) for s in plan.sizes)]
            for name, best, label in run
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
        return OVER
    return "never" if math.isinf(value) else f"{value:.0e}"


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
