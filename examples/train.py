"""Train one character model twice: with gradients derived by hand, and with those of autograd.

    python examples/train.py --steps 300 --plot curves.svg --sample 200

The model is the function in cases/char_lstm.py, called here as plain NumPy; beside it its twin in
reference/char_lstm.py is differentiated by PyTorch. The start, the text, the order of the chunks
and Adam are the same for both, and everything is float64. Each has its own forward and gradients,
which differ in rounding only. A mistake in a single gradient would part the two loss curves. What
rounding alone may do is measured by a third run: by hand again, from a start that is moved by a
rounding error.

Letters: N chunks of T characters from each of B sequences, V different characters, H units.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from gradcheck.cells.cell import Array
from gradcheck.errors import CaseError
from gradcheck.source import execute

ROOT = Path(__file__).resolve().parent.parent
TEXT = Path(__file__).resolve().parent / "text.txt"

Parameters = dict[str, Array]  # by name, in the order in which the cell takes them
State = tuple[Array, Array]  # h and c, (B, H)


@dataclass(frozen=True)
class Corpus:
    """A text cut into chunks; ``inputs`` and ``targets`` are (N, T, B), integers below V.

    Column b of one chunk goes on where column b of the chunk before it ends, so that the state
    can be carried. Character k is ``alphabet[k]``, and each target is the input that follows.
    """

    alphabet: str
    inputs: Array
    targets: Array


@dataclass(frozen=True)
class Gradient:
    """What one chunk gives: the mean loss in nats per character, its gradient, the last state."""

    loss: float
    parameters: Parameters
    state: State


# differentiate(parameters, state, inputs (T, B), targets (T, B))
Differentiate = Callable[[Parameters, State, Array, Array], Gradient]


@dataclass(frozen=True)
class Moments:
    """Adam's memory after some steps: the running means of the gradient and of its square."""

    steps: int
    mean: Parameters
    square: Parameters


@dataclass(frozen=True)
class Run:
    """A finished training: the loss before each step in nats per character, and the end."""

    losses: Array
    parameters: Parameters


def cut(text: str, length: int, batch: int) -> Corpus:
    """Cut a text into chunks of ``length`` characters from ``batch`` sequences; a rest is left."""
    chunks = (len(text) - 1) // (length * batch)
    if chunks < 1:
        raise click.ClickException(
            f"The text has {len(text)} characters, but {batch} sequences of {length} and the "
            f"character after the last need {length * batch + 1}."
        )
    alphabet = "".join(sorted(set(text)))
    codes = np.array([alphabet.index(character) for character in text])

    def chunked(characters: Array) -> Array:
        return characters.reshape(batch, chunks, length).transpose(1, 2, 0)

    used = batch * chunks * length
    return Corpus(alphabet, chunked(codes[:used]), chunked(codes[1 : used + 1]))


def initial(hidden: int, characters: int, seed: int) -> Parameters:
    """Random weights for H = ``hidden`` and V = ``characters``; all biases 0 but the forget gate's.

    That one is 1, so that a state is kept until the model has learned what to forget.
    """
    generator = np.random.default_rng(seed)

    def weights(rows: int, columns: int) -> Array:
        widest = 1 / np.sqrt(rows)
        return generator.uniform(-widest, widest, (rows, columns))

    gates = {name: weights(hidden + characters, hidden) for name in ("Wf", "Wi", "Wc", "Wo")}
    biases = {name: np.zeros(hidden) for name in ("bf", "bi", "bc", "bo")}
    head = {"Wy": weights(hidden, characters), "by": np.zeros(characters)}
    return {**gates, **biases, "bf": np.ones(hidden), **head}


def nudged(start: Parameters, seed: int) -> Parameters:
    """The start with every entry moved by at most one rounding error, 2**-52 of its size."""
    generator = np.random.default_rng(seed)
    return {
        name: value * (1 + 2**-52 * generator.uniform(-1, 1, value.shape))
        for name, value in start.items()
    }


def by_hand(cell: Callable[..., Any]) -> Differentiate:
    """The gradients of the cell's own backward.

    The last state has cotangent 0, and what backward returns for the first one is dropped: the
    state goes from chunk to chunk as a value only. This is truncated backpropagation.
    """

    def differentiate(
        parameters: Parameters, state: State, inputs: Array, targets: Array
    ) -> Gradient:
        outputs, backward = cell(*state, **parameters, inputs=inputs, targets=targets)
        loss, h, c = outputs
        _, _, *gradients = backward(1.0, np.zeros_like(h), np.zeros_like(c))
        return Gradient(float(loss), dict(zip(parameters, gradients, strict=True)), (h, c))

    return differentiate


def by_autograd(twin: Callable[..., Any]) -> Differentiate:
    """The gradients that PyTorch derives from the twin's forward, truncated alike."""

    def differentiate(
        parameters: Parameters, state: State, inputs: Array, targets: Array
    ) -> Gradient:
        leaves = {name: torch.tensor(value).requires_grad_() for name, value in parameters.items()}
        given = (torch.tensor(value) for value in state)
        constants = {"inputs": torch.tensor(inputs), "targets": torch.tensor(targets)}
        loss, h, c = twin(*given, **leaves, **constants)
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        named = {name: g.numpy() for name, g in zip(leaves, gradients, strict=True)}
        return Gradient(loss.item(), named, (h.detach().numpy(), c.detach().numpy()))

    return differentiate


def adam(
    parameters: Parameters,
    gradient: Parameters,
    moments: Moments,
    rate: float,
    *,
    keep_mean: float = 0.9,
    keep_square: float = 0.999,
    eps: float = 1e-8,
) -> tuple[Parameters, Moments]:
    """One step of Adam, Kingma and Ba (2015), arXiv:1412.6980, algorithm 1; writes into nothing."""
    steps = moments.steps + 1
    mean = {n: keep_mean * moments.mean[n] + (1 - keep_mean) * g for n, g in gradient.items()}
    square = {
        n: keep_square * moments.square[n] + (1 - keep_square) * g**2 for n, g in gradient.items()
    }
    # Both began at 0, and would be too small at first.
    mean_scale, square_scale = 1 - keep_mean**steps, 1 - keep_square**steps
    moved = {
        n: value - rate * (mean[n] / mean_scale) / (np.sqrt(square[n] / square_scale) + eps)
        for n, value in parameters.items()
    }
    return moved, Moments(steps, mean, square)


def train(
    differentiate: Differentiate,
    start: Parameters,
    corpus: Corpus,
    *,
    steps: int,
    rate: float,
    advance: Callable[[], None] = lambda: None,
) -> Run:
    """Take ``steps`` steps of Adam from ``start``, one for each chunk, over and over the text.

    The state is 0 wherever the text begins. ``advance`` is called after each step.
    Raises ClickException if the loss is no longer a number.
    """
    zeros = {name: np.zeros_like(value) for name, value in start.items()}
    parameters, moments = start, Moments(0, zeros, zeros)
    chunks, _, batch = corpus.inputs.shape
    losses = np.empty(steps)
    for step in range(steps):
        chunk = step % chunks
        if chunk == 0:
            empty = np.zeros((batch, len(start["bf"])))
            state = empty, empty
        result = differentiate(parameters, state, corpus.inputs[chunk], corpus.targets[chunk])
        losses[step], state = result.loss, result.state
        if not np.isfinite(result.loss):
            raise click.ClickException(
                f"The loss is {result.loss} at step {step + 1}; try a smaller rate than {rate}."
            )
        parameters, moments = adam(parameters, result.parameters, moments, rate)
        advance()
    return Run(losses, parameters)


def sample(
    cell: Callable[..., Any], parameters: Parameters, alphabet: str, length: int, seed: int
) -> str:
    """Let the model write: draw from its softmax, feed what was drawn, ``length`` times.

    It begins after a line break, where there is one, else after the first character.
    """
    generator = np.random.default_rng(seed)
    h = c = np.zeros((1, len(parameters["bf"])))
    character = max(alphabet.find("\n"), 0)
    written = []
    for _ in range(length):
        given = np.array([[character]])
        (_, h, c), _ = cell(h, c, **parameters, inputs=given, targets=given)  # its loss is not read
        logits = (h @ parameters["Wy"] + parameters["by"])[0]
        p = np.exp(logits - logits.max())
        character = int(generator.choice(len(alphabet), p=p / p.sum()))
        written.append(alphabet[character])
    return "".join(written)


def difference(one: Run, other: Run) -> Array:
    """How far the losses of two runs are apart at each step, (steps,)."""
    apart: Array = np.abs(one.losses - other.losses)
    return apart


def table(hand: Run, autograd: Run, again: Run) -> Table:
    """Losses and differences at steps 1, 3, 10, 30, ... and at the last."""
    steps = len(hand.losses)
    shown = {s for power in range(10) for s in (10**power, 3 * 10**power) if s < steps} | {steps}
    found = Table(box=None)
    for title in ("step", "by hand", "autograd", "difference", "rounding alone"):
        found.add_column(title, justify="right")
    apart, alone = difference(hand, autograd), difference(hand, again)
    for step in sorted(shown):
        k = step - 1
        losses = (f"{run.losses[k]:.6f}" for run in (hand, autograd))
        found.add_row(str(step), *losses, f"{apart[k]:.1e}", f"{alone[k]:.1e}")
    found.add_row("largest", "", "", f"{apart.max():.1e}", f"{alone.max():.1e}")
    return found


def plot(hand: Run, autograd: Run, again: Run, path: Path) -> None:
    """Draw the curves, and below them their differences; the same runs give the same file."""
    import matplotlib
    from matplotlib.figure import Figure

    steps = np.arange(1, len(hand.losses) + 1)
    with matplotlib.rc_context({"svg.hashsalt": "training", "svg.fonttype": "none"}):
        figure = Figure(figsize=(6, 5), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        above.plot(steps, hand.losses, linewidth=3, color="0.75", label="by hand")
        above.plot(steps, autograd.losses, linewidth=1, color="C0", label="autograd")
        above.set_ylabel("loss, nats per character")
        for other, color, label in ((again, "0.6", "rounding alone"), (autograd, "C0", "autograd")):
            largest = np.maximum.accumulate(difference(hand, other))
            largest[largest == 0] = np.nan  # it has no place on a logarithmic axis
            below.semilogy(steps, largest, color=color, label=label)
        below.set_ylabel("largest difference\nfrom by hand so far")
        below.set_xlabel("step")
        for axes in (above, below):
            axes.legend(frameon=False)
        svg = path.suffix.lower() == ".svg"
        figure.savefig(path, metadata={"Date": None} if svg else None)


def _drawable(_: click.Context, __: click.Parameter, path: Path | None) -> Path | None:
    """Refuse before the training, not after it, a figure that could not be written."""
    if path is None:
        return None
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        raise click.ClickException("--plot needs matplotlib: pip install matplotlib.") from None
    kinds = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.lower().removeprefix(".") not in kinds:
        raise click.BadParameter(f"{path} should end in one of .{', .'.join(sorted(kinds))}.")
    if not path.parent.is_dir():
        raise click.BadParameter(f"There is no folder {path.parent}.")
    return path


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path} cannot be read: {_reason(error)}.") from None


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 at byte {error.start}"
    return error.strerror or str(error)


def _function(folder: str) -> Callable[..., Any]:
    """char_lstm of cases/ or of reference/, by its path: neither folder is a package."""
    try:
        function: Callable[..., Any] = execute.module(ROOT / folder / "char_lstm.py").char_lstm
    except CaseError as error:
        raise click.ClickException(str(error)) from None
    # In a sigmoid of -1000 exp overflows to inf, and the sigmoid is 0 by right.
    return np.errstate(over="ignore")(function)


_POSITIVE = click.IntRange(min=1)


@click.command(context_settings={"show_default": True})
@click.option(
    "--text",
    type=click.Path(path_type=Path),
    default=TEXT,
    show_default="examples/text.txt",
    help="What to learn, in UTF-8.",
)
@click.option("--steps", type=_POSITIVE, default=300, help="How many steps of Adam.")
@click.option("--hidden", type=_POSITIVE, default=64, help="Units of the LSTM.")
@click.option("--length", type=_POSITIVE, default=25, help="Characters of one chunk.")
@click.option("--batch", type=_POSITIVE, default=8, help="Sequences side by side.")
@click.option("--rate", type=click.FloatRange(0, 1, min_open=True), default=0.01, help="Of Adam.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Draws start and sample.")
@click.option(
    "--sample", "written", type=click.IntRange(min=0), default=0, help="Characters to write."
)
@click.option(
    "--plot",
    "figure",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_drawable,
    help="Where to draw the curves.",
)
def main(
    text: Path,
    steps: int,
    hidden: int,
    length: int,
    batch: int,
    rate: float,
    seed: int,
    written: int,
    figure: Path | None,
) -> None:
    """Train a character LSTM by hand-derived gradients and by autograd, and compare."""
    # The matrices are small: a second thread of PyTorch's would mostly wait for the first.
    torch.set_num_threads(1)
    corpus = cut(_read(text), length, batch)
    cell, twin = _function("cases"), _function("reference")
    start = initial(hidden, len(corpus.alphabet), seed)
    console = Console(highlight=False)

    with Progress(console=console, transient=True) as progress:

        def follow(name: str, differentiate: Differentiate, start: Parameters) -> Run:
            task = progress.add_task(name, total=steps)

            def advance() -> None:
                progress.advance(task)

            return train(differentiate, start, corpus, steps=steps, rate=rate, advance=advance)

        hand = follow("by hand", by_hand(cell), start)
        autograd = follow("autograd", by_autograd(twin), start)
        again = follow("rounding alone", by_hand(cell), nudged(start, seed))

    console.print(table(hand, autograd, again))
    if written:
        said = sample(cell, hand.parameters, corpus.alphabet, written, seed)
        console.print(f"\n{said}", markup=False, soft_wrap=True)
    if figure is not None:
        try:
            plot(hand, autograd, again, figure)
        except OSError as error:
            raise click.ClickException(
                f"{figure} cannot be written: {error.strerror or error}."
            ) from None


if __name__ == "__main__":
    main()
