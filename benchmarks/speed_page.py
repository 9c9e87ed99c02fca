"""The page docs/speed.md: its sentences are written here, its figures are measured."""

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.budgets import Budget, Figures, figure
from benchmarks.clock import CLOSELY, DRAWING, FLOOR, LAWS, laws_share
from benchmarks.growth import CASE, LAYER, SEQUENCE, TWIN
from benchmarks.measure import OWN
from benchmarks.parts import Found, shown, table
from benchmarks.peers import PEERS
from benchmarks.runs import COLLECT, LSTM, Run

OVER = "over time"


def text(found: Found, budgets: Sequence[Budget], cap: float, *, quick: bool) -> str:
    """The whole page; what takes longer than ``cap`` has no figure."""
    parts = [_HEAD, _machine(found), _QUICK * quick, _budgets(found, budgets), _beside(found, cap)]
    parts += [_plot(), _growth(found), _default(found), _how()]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def figures(found: Found) -> Figures:
    """What the budgets are about, out of all that was measured."""
    known: dict[tuple[str, str], float] = {}
    for size, times in _by(found, "times").items():
        known["a passing example", shown(size)] = times[OWN] / times[FLOOR]
        with_laws = times[OWN] + laws_share() * times[LAWS]
        known["a passing example with the laws", shown(size)] = with_laws / times[FLOOR]
        peers = [times[one.name] for one in PEERS if times.get(one.name, math.nan) > 0]
        known["a passing example beside the cheapest peer", shown(size)] = times[OWN] / min(peers)
    if ("steps", 1000) in found:
        known["1000 steps of BPTT", ""] = _over_floor(found["steps", 1000])
    if ("peaks", 1000) in found:
        peaks = found["peaks", 1000]
        known["memory of 1000 steps", ""] = peaks[OWN] / peaks[TWIN]
    runs = [run for some in _by(found, "default").values() for run in some]
    alone = [run.seconds for some in _by(found, "alone").values() for run in some]
    known["a cell on average", ""] = sum(run.seconds for run in runs) / len(runs)
    known["a cell without a twin", ""] = max(alone)
    commands = dict(found["commands",])
    known[LSTM, ""] = commands.pop(LSTM) - commands.pop(COLLECT)
    known |= {(name, ""): seconds for name, seconds in commands.items()}
    return known | {(name, ""): seconds for name, seconds in _by(found, "suite").items()}


def _by(found: Found, what: str) -> dict[Any, Any]:
    """The measurements of one kind, by what they are of."""
    return {key[1]: value for key, value in found.items() if key[0] == what}


def _over_floor(times: Mapping[str, float]) -> float:
    return times[OWN] / times[FLOOR]


_HEAD = """\
# How fast it is

What a check costs, beside the other checkers, how it grows, and what the commands of a day take.
`make bench` measures all of it and writes this page, and says which budget is over;
`make bench QUICK=1` takes small sizes and three cases. A run that was stopped goes on where it
stopped. The sentences stand in `benchmarks/speed_page.py`, the budgets with their reasons in
`benchmarks/budgets.toml`.

Seconds are of CPU, so that they say the same on a busy machine; those of a command include the
processes that it starts. The *floor* is what no check can do without: the case once forward and
backward, its twin once forward and backward, and two more forwards."""

_QUICK = """\
**This page is of a quick run** (`make bench QUICK=1`): small sizes and a few cases."""


def _machine(found: Found) -> str:
    listed = ", ".join(f"{name} {number}" for name, number in found[("versions",)].items())
    return textwrap.fill(
        f"Measured with {listed.replace('CPUs ', 'CPUs: ')}; one thread for each process.", 98
    )


def _budgets(found: Found, budgets: Sequence[Budget]) -> str:
    known = figures(found)
    rows = [
        [
            f"{one.what}{f' at {one.size}' if one.size else ''}",
            figure(known.get((one.what, one.size))),
            f"{one.most:g} {one.unit}",
            one.verdict(known),
        ]
        for one in budgets
    ]
    reasons = {one.what: one.because for one in budgets}
    listed = "\n".join(_item(f"*{what}*: {because}.") for what, because in reasons.items())
    return f"""\
## Budgets

{table(["what", "measured", "may be", ""], rows)}

Why so:

{listed}"""


def _item(text: str) -> str:
    return textwrap.fill(text, 98, initial_indent="- ", subsequent_indent="  ")


_LABELS = {
    FLOOR: "floor",
    OWN: "**gradcheck**, every gradient by both oracles",
    LAWS: "gradcheck, all laws on one example",
    CLOSELY: "gradcheck, an example that goes entry by entry",
    DRAWING: "drawing the numbers",
}


def _beside(found: Found, cap: float) -> str:
    times = _by(found, "times")
    peers = [peer.name for peer in PEERS if any(peer.name in some for some in times.values())]
    rows = [
        [_LABELS.get(name, name), *(_ratio(some, name) for some in times.values())]
        for name in (FLOOR, OWN, *peers, LAWS, CLOSELY, DRAWING)
    ]
    averaged = [
        figure((some[OWN] + laws_share() * some[LAWS]) / some[FLOOR]) for some in times.values()
    ]
    rows.insert(2, ["**gradcheck**, with the laws as often as they run", *averaged])
    said = (
        f'"{OVER}": one check takes longer than {cap:.0f} s by the clock; larger sizes were then '
        "not tried. The first two rows of gradcheck's are what an example costs in a run, where "
        f"one in {round(1 / laws_share())} examples meets the laws. One example in ten goes entry "
        "by entry, as the last but one row says, so that a single entry that hides below the norm "
        "of its tensor is seen; at the sizes that a run draws by itself, 1 to 5, that is cheap, "
        "and where large sizes are asked for none does."
    )
    return f"""\
## One passing example beside the other checkers

The LSTM step of `cases/lstm.py`, right code, usual inputs; a size (B, D, H) has B sequences, D
inputs and H units. Every checker is given the same NumPy code in the form that it documents for a
backward written by hand, at its defaults ([trust.md](trust.md) has them, and what they see). All by
turns in one process, medians after a round that warms up. Over the floor:

{table(["checker", *map(shown, times)], rows)}

{textwrap.fill(said, 98)}"""


def _ratio(times: Mapping[str, float], name: str) -> str:
    seconds = times.get(name, math.nan)
    if math.isnan(seconds):
        return OVER
    if name == FLOOR:
        return f"{figure(1000 * seconds)} ms"
    return figure(seconds / times[FLOOR])


def _plot() -> str:
    return "![Ratios to the floor by size, and growth with steps](speed.svg)"


def _growth(found: Found) -> str:
    steps, tensors, peaks = (_by(found, what) for what in ("steps", "tensors", "peaks"))
    sizes = ", ".join(f"{name}={size}" for name, size in SEQUENCE.items())
    layer = ", ".join(f"{name}={size}" for name, size in LAYER.items())
    ((longest, most),) = peaks.items()
    memory = [[label, figure(most[name]), _over_twin(most, name)] for name, label in _MEMORY]
    return f"""\
## How it grows

With the steps of an LSTM over time (`cases/bptt.py`, {sizes}):

{table(["steps", "floor", "passing example, over the floor"], _grown(steps))}

With the number of parameters: a sum of layers beside each other, each with a matrix of its own
({layer}):

{table(["matrices", "floor", "passing example, over the floor"], _grown(tensors))}

Memory at {longest} steps, the most at a time over that of the process before:

{table(["", "MiB", "times its twin's"], memory)}"""


_MEMORY = (
    (TWIN, TWIN),
    (CASE, CASE),
    (OWN, "a passing example, both oracles"),
)


def _over_twin(most: Mapping[str, float], name: str) -> str:
    return figure(most[name] / most[TWIN])


def _grown(by: Mapping[int, Mapping[str, float]]) -> Iterable[Sequence[str]]:
    for number, times in by.items():
        yield [f"{number:,}", _ratio(times, FLOOR), _ratio(times, OWN)]


def _default(found: Found) -> str:
    by_file: dict[str, list[Run]] = _by(found, "default")
    alone: dict[str, list[Run]] = _by(found, "alone")
    every = [run for runs in by_file.values() for run in runs]
    without = {run.cell: run for runs in alone.values() for run in runs}
    rows = [
        [
            f"{stem}::{run.cell}" if len(runs) > 1 else run.cell,
            f"{run.seconds:.1f}",
            f"{run.fresh:.1f}",
            f"{without[run.cell].seconds:.1f}" if stem in alone else "",
        ]
        for stem, runs in by_file.items()
        for run in sorted(runs, key=lambda run: run.cell)
    ]
    total = sum(run.seconds for run in every)
    said = (
        f"{len(every)} cells take {total:.0f} s of CPU, {total / len(every):.1f} s each on "
        "average, without what pytest takes to start. All nodes, 100 examples each, a quarter of "
        "them of a law; `law[fresh]`, which starts another process, is told apart, and the "
        f"{len(alone)} files with the dearest cells are run without their twins as well."
    )
    return f"""\
## The default run of each case

{textwrap.fill(said, 98)}

{table(["cell", "seconds", "of it law[fresh]", "without its twin"], rows)}"""


def _how() -> str:
    return """\
## How it is measured

What is compared is timed by turns in one process (`benchmarks/clock.py`): a machine that is busy
for a while is busy for both sides of a ratio. Commands, which are compared with nothing, are
timed by pyperf, which starts each several times in processes of its own and takes the median. asv
would keep a history of commits, which the budgets make needless, and pytest-benchmark would put
clocks into the tests, where none is asserted."""
