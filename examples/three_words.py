"""Three words in, the next one out: the example of the Deep-Breathe articles, number by number.

    python examples/three_words.py

Batch 1, 3 words out of 10, one-hot, 5 units, weights from constants. The model and its gradients
are those of cases/next_word.py, which runs cases/lstm_column.py; what stands in the log are the
values of their own lines, under the articles' names, each beside what autograd finds for a forward
written out in PyTorch. Then plain gradient descent.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from optimisers import Parameters, fresh, sgd
from shipped import function
from watching import watched

from gradcheck.cells.cell import Array

MODEL = function("next_word")

VOCABULARY = ("a", "small", "mouse", "asked", "who", "would", "bell", "the", "old", "cat")
WORDS = ("who", "would", "bell")
TARGET = "the"
V, H, T = len(VOCABULARY), 5, len(WORDS)
FORGET_BIAS = 1.0

# The articles' names, and those of the same values in cases/lstm_column.py. The gates' gradients
# are those of what goes into the sigmoid or the tanh.
FORWARD = {"ft": "f", "it": "i", "cprojt": "g", "ot": "o", "ct": "c", "ht": "h"}
BACKWARD = {
    "DHt": "dh",
    "DOt": "dao",
    "DCt": "dc",
    "DCprojt": "dag",
    "DFt": "daf",
    "DIt": "dai",
}


@dataclass(frozen=True)
class Entry:
    """A quantity of the log; ``step`` counts from 1, and is 0 for what belongs to the whole."""

    step: int
    name: str
    value: Array

    @property
    def key(self) -> str:
        return f"{self.name}_{self.step}" if self.step else self.name


def constants(weights: str) -> Parameters:
    """W (20, 16), Wy (10, 5) and by (10, 1): the same in every framework.

    "equal" sets W to 0.1 throughout, as the articles do: all gates are then equal, and one in the
    place of another would not be seen. "apart" gives each entry a number of its own, the sines of
    1 to 320 halved; the head has the sines of 1 to 50.
    """
    whole = np.full(320, 0.1) if weights == "equal" else np.sin(np.arange(1, 321)) / 2
    head = np.sin(np.arange(1, V * H + 1)).reshape(V, H)
    return {"W": whole.reshape(4 * H, 1 + V + H), "Wy": head, "by": np.zeros((V, 1))}


def by_hand(parameters: Parameters) -> tuple[float, Parameters, tuple[Entry, ...]]:
    """The loss in nats, its gradients, and every quantity on the way, as the case computes them."""
    nothing = np.zeros((H, 1))
    words, target = (np.array([VOCABULARY.index(w) for w in some]) for some in (WORDS, [TARGET]))
    (loss, backward), forward = watched(
        "lstm_column",
        lambda: MODEL(
            nothing, nothing, **parameters, words=words, target=target, forget_bias=FORGET_BIAS
        ),
    )
    (_, _, *gradients), (*steps, whole) = watched("backward", lambda: backward(1.0))
    named = dict(zip(parameters, gradients, strict=True))
    backwards = dict(zip(range(T, 0, -1), steps, strict=True))
    return float(loss), named, tuple(_entries(forward, backwards, whole))


def _entries(
    forward: list[Mapping[str, Any]],
    backward: dict[int, Mapping[str, Any]],
    whole: Mapping[str, Any],
) -> Iterator[Entry]:
    """What each step and the whole saw, forwards and backwards, under the articles' names."""
    for step, seen in enumerate(forward, 1):
        yield from (Entry(step, name, seen[own]) for name, own in FORWARD.items())
    yield Entry(0, "yhat", whole["p"])
    yield Entry(0, "DBy", whole["dby"])
    yield Entry(0, "DWy", whole["dWy"])
    for step, seen in backward.items():
        # What the next step hands back arrives here; after the last there is none.
        after = backward.get(step + 1, {"dh_prev": np.zeros((H, 1)), "dc_prev": np.zeros((H, 1))})
        yield Entry(step, "dh_next", after["dh_prev"])
        yield Entry(step, "dc_next", after["dc_prev"])
        yield from (Entry(step, name, seen[own]) for name, own in BACKWARD.items())
        yield Entry(step, "DHX", seen["dz"][1:])  # x, then h; row 0 is of the ones
        yield Entry(step, "dxt", seen["dx"])
        yield Entry(step, "DCt_recur", seen["dc_prev"])
    for gate, dW in zip("fico", np.split(whole["dW"], 4), strict=True):
        yield Entry(0, f"DW{gate}", dW[:, 1:])
        yield Entry(0, f"DB{gate}", dW[:, :1])


def by_autograd(parameters: Parameters) -> dict[str, Array]:
    """The same quantities by their keys, from PyTorch and a forward written out here."""
    W, Wy, by = (torch.tensor(value, requires_grad=True) for value in parameters.values())
    kept: dict[str, torch.Tensor] = {}

    def keep(name: str, value: torch.Tensor) -> torch.Tensor:
        """A value of its own, of which the gradient is asked for."""
        kept[name] = value * torch.ones((), dtype=W.dtype, requires_grad=True)
        kept[name].retain_grad()
        return kept[name]

    values: dict[str, torch.Tensor] = {}
    h = c = torch.zeros(H, 1, dtype=W.dtype)
    for t, word in enumerate(WORDS, 1):
        x = torch.zeros(V, 1, dtype=W.dtype)
        x[VOCABULARY.index(word)] = 1
        # What one step hands to the next: its gradient is what comes back.
        h, c = keep(f"dh_next_{t - 1}", h), keep(f"dc_next_{t - 1}", c)
        kept[f"DCt_recur_{t}"] = c
        x = keep(f"dxt_{t}", x)
        z = keep(f"DHX_{t}", torch.cat([x, h]))
        af, ai, ag, ao = (
            keep(f"{name}_{t}", a)
            for name, a in zip(
                ("DFt", "DIt", "DCprojt", "DOt"), (W[:, 1:] @ z + W[:, :1]).chunk(4), strict=True
            )
        )
        f, i, g, o = torch.sigmoid(af + FORGET_BIAS), ai.sigmoid(), ag.tanh(), ao.sigmoid()
        c = keep(f"DCt_{t}", f * c + i * g)
        h = keep(f"DHt_{t}", o * torch.tanh(c))
        values |= {f"{n}_{t}": v for n, v in zip(FORWARD, (f, i, g, o, c, h), strict=True)}
    pred = Wy @ h + by
    values["yhat"] = pred.softmax(dim=0)
    target = torch.tensor([VOCABULARY.index(TARGET)])
    torch.nn.functional.cross_entropy(pred.T, target).backward()  # type: ignore[no-untyped-call]
    found = {**values, **{key: value.grad for key, value in kept.items()}}
    found |= {"DWy": Wy.grad, "DBy": by.grad}
    assert W.grad is not None
    for gate, dW in zip("fico", W.grad.chunk(4), strict=True):
        found |= {f"DW{gate}": dW[:, 1:], f"DB{gate}": dW[:, :1]}
    nothing = torch.zeros(H, 1)
    found |= {f"dh_next_{T}": nothing, f"dc_next_{T}": nothing}
    return {key: value.detach().numpy() for key, value in found.items() if value is not None}


def log(entries: tuple[Entry, ...], true: dict[str, Array]) -> Iterator[str]:
    """Lines of at most 80 columns: name, shape, how far autograd is, and the numbers.

    A column stands as a row; a matrix goes on below, row by row.
    """
    headed = None
    for entry in entries:
        head = _headed(entry)
        if head != headed:
            headed = head
            yield f"\n{head}"
        apart = np.abs(entry.value - true[entry.key]).max()
        rows, columns = entry.value.shape
        title = f"  {entry.name:<10}{rows:>2}x{columns:<2}{apart:7.0e} "
        for row in entry.value.T if columns == 1 else entry.value:
            for k in range(0, len(row), H):
                yield title + "".join(_number(number) for number in row[k : k + H])
                title = " " * len(title)


def _headed(entry: Entry) -> str:
    """What stands above an entry and those like it."""
    if entry.step:
        way = "forward" if entry.name in FORWARD else "backward"
        return f"{way}, step {entry.step}: {WORDS[entry.step - 1]}"
    if entry.name in ("yhat", "DBy", "DWy"):
        return f"the head, at the last h; the word to say is: {TARGET}"
    return "the weights, all steps added up"


def _number(value: float) -> str:
    return f"{value:11.3e}" if value else f"{0.0:11.4f}"


def descend(
    start: Parameters, steps: int, rate: float, tell: Callable[[int, float], None]
) -> Parameters:
    """Plain gradient descent; ``tell`` hears of the loss before each step."""
    parameters, memory = start, fresh(start)
    for step in range(1, steps + 1):
        loss, gradients, _ = by_hand(parameters)
        tell(step, loss)
        parameters, memory = sgd(parameters, gradients, memory, rate)
    return parameters


@click.command(context_settings={"show_default": True})
@click.option(
    "--weights",
    type=click.Choice(["equal", "apart"]),
    default="equal",
    help="W 0.1 throughout, as the articles have it, or a number of its own for each entry.",
)
@click.option("--steps", type=click.IntRange(min=0), default=100, help="Of gradient descent.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), default=0.1, help="Of descent.")
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write every quantity, as .npz: DHt_3 is DHt at step 3.",
)
def main(weights: str, steps: int, rate: float, save: Path | None) -> None:
    """Log every quantity of the articles' example, by hand and beside autograd; then train it."""
    start = constants(weights)
    loss, _, entries = by_hand(start)
    click.echo(
        f"{' '.join(WORDS)} -> {TARGET}: loss {loss:.6f}, of {V} words, by weights {weights}"
    )
    click.echo("name, shape, how far autograd is from it, numbers; a column is written as a row")
    for line in log(entries, by_autograd(start)):
        click.echo(line)
    if save is not None:
        try:
            with save.open("wb") as file:
                np.savez(file, **{entry.key: entry.value for entry in entries})  # type: ignore[arg-type]
        except OSError as error:
            raise click.ClickException(
                f"{save} cannot be written: {error.strerror or error}."
            ) from None
    click.echo(f"\nplain gradient descent, rate {rate}")

    def tell(step: int, loss: float) -> None:
        if step == 1 or step % 10 == 0:
            click.echo(f"  step {step:4d}  loss {loss:.6f}")

    trained = descend(start, steps, rate, tell)
    _, _, after = by_hand(trained)
    p = next(entry.value for entry in after if entry.name == "yhat")[:, 0]
    click.echo(f"{' '.join(WORDS)} -> {VOCABULARY[int(p.argmax())]} ({p.max():.0%})")


if __name__ == "__main__":
    main()
