"""Train a language model twice: with gradients derived by hand, and with those of autograd.

    python examples/train.py rnn --plot curves.svg

The models are min-char-rnn and a character LSTM and GRU, functions in cases/ that are called here
as plain NumPy; beside each its twin in reference/ is differentiated by PyTorch. The start, the
text, the order of the chunks and the optimiser are the same for both, and everything is float64.
Each has its own forward and gradients, which differ in rounding only. A mistake in a single
gradient would part the two loss curves. What rounding alone may do is measured by a third run: by
hand again, from a start that is moved by a rounding error.

The three runs go step by step side by side. Ctrl-C ends them with a sample and the curves so far.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from corpus import Corpus, cut
from curves import AUTOGRAD, HAND, ROUNDING, Curves, plot, table
from figures import drawable
from models import MODELS, Model, by_autograd, by_hand, sample
from optimisers import Parameters
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from shipped import function
from training import descent, nudged, start

from gradcheck.errors import CaseError

TEXT = Path(__file__).resolve().parent / "text.txt"
EVERY = 100  # steps from sample to sample
RUNS = (HAND, AUTOGRAD, ROUNDING)

# The loss of each run at one step, and the parameters of the run by hand after it.
Taken = tuple[tuple[float, ...], Parameters]


def side_by_side(model: Model, corpus: Corpus, seed: int) -> Iterator[Taken]:
    """The steps of the three runs, in the order of RUNS, as many as there are in ``model``."""
    hand = by_hand(model, function(model.name))
    autograd = by_autograd(model, function(model.name, "reference"))
    drawn = start(model, corpus, seed)
    runs = (
        descent(model, hand, drawn, corpus),
        descent(model, autograd, drawn, corpus),
        descent(model, hand, nudged(drawn, seed), corpus),
    )
    for taken in itertools.islice(zip(*runs, strict=True), model.steps):
        yield tuple(loss for loss, _ in taken), taken[0][1]


def curves_of(losses: list[tuple[float, ...]]) -> Curves:
    """The losses at each step, by run."""
    return dict(zip(RUNS, np.array(losses).T, strict=True))


def train(
    console: Console,
    model: Model,
    corpus: Corpus,
    seed: int,
    write: Callable[[Parameters], str],
) -> list[tuple[float, ...]]:
    """Go through the steps, and print what ``write`` says every 100 of them and at the end.

    Returns the losses of each step: of fewer than there are in ``model`` after Ctrl-C.
    """
    losses: list[tuple[float, ...]] = []
    parameters = start(model, corpus, seed)
    smoothed = np.log(len(corpus.alphabet)) * (len(corpus.inputs[0]) if model.summed else 1)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    hidden = not console.is_terminal
    try:
        with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
            task = progress.add_task("", total=model.steps)
            for step, (taken, parameters) in enumerate(side_by_side(model, corpus, seed), 1):
                losses.append(taken)
                smoothed = 0.999 * smoothed + 0.001 * taken[0]
                said = f"loss {taken[0]:.4f}, smoothed {smoothed:.4f}, rate {model.rate:g}"
                progress.update(task, advance=1, description=said)
                if step % EVERY == 0 or step == model.steps:
                    _print_sample(console, f"step {step}: {said}", write(parameters))
    except KeyboardInterrupt:
        _print_sample(console, f"interrupted after step {len(losses)}", write(parameters))
    return losses


def _print_sample(console: Console, heading: str, said: str) -> None:
    console.print(heading, markup=False)
    if said:
        console.print(f"\n{said}\n", markup=False, soft_wrap=True)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path} cannot be read: {_reason(error)}.") from None


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"it is not UTF-8 at byte {error.start}"
    return error.strerror or str(error)


def _chosen(name: str, **options: Any) -> Model:
    """A model with what is given in place of its own."""
    model = replace(MODELS[name], **{n: value for n, value in options.items() if value is not None})
    if model.single and model.batch != 1:
        raise click.ClickException(
            f"{model.name} reads one sequence: leave out --batch, which is {model.batch}."
        )
    return model


_POSITIVE = click.IntRange(min=1)


@click.command()
@click.argument("name", metavar="[MODEL]", type=click.Choice(list(MODELS)), default="lstm")
@click.option(
    "--text",
    type=click.Path(path_type=Path),
    default=TEXT,
    help="What to learn, in UTF-8.  [default: examples/text.txt]",
)
@click.option("--steps", type=_POSITIVE, help="How many.  [default: rnn 2000, else 300]")
@click.option("--hidden", type=_POSITIVE, help="Units.  [default: rnn 100, else 64]")
@click.option("--batch", type=_POSITIVE, help="Sequences side by side.  [default: rnn 1, else 8]")
@click.option(
    "--rate",
    type=click.FloatRange(0, 1, min_open=True),
    help="Of the optimiser.  [default: 0.01]",
)
@click.option(
    "--length", type=_POSITIVE, default=25, show_default=True, help="Characters of one chunk."
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Draws start and samples.",
)
@click.option(
    "--sample",
    "written",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    help=f"Characters to write every {EVERY} steps.",
)
@click.option(
    "--plot",
    "figure",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=drawable,
    help="Where to draw the curves.",
)
@click.pass_context
def main(
    context: click.Context,
    /,
    name: str,
    text: Path,
    length: int,
    seed: int,
    written: int,
    figure: Path | None,
    **options: Any,
) -> None:
    """Train a language model by hand-derived gradients and by autograd, and compare.

    MODEL is rnn (min-char-rnn, Adagrad), lstm or gru (Adam).
    """
    # The matrices are small: a second thread of PyTorch's would mostly wait for the first.
    torch.set_num_threads(1)
    model = _chosen(name, **options)
    console = Console(highlight=False)
    try:
        corpus = cut(_read(text), length, model.batch)
        cell = function(model.name)

        def write(parameters: Parameters) -> str:
            return sample(model, cell, parameters, corpus.alphabet, written, seed)

        losses = train(console, model, corpus, seed, write)
        if losses:
            curves = curves_of(losses)
            console.print(table(curves))
            if figure is not None:
                plot(curves, model.unit(length), figure)
                console.print(f"\nThe curves are in {figure}.", markup=False)
    except (CaseError, ValueError, FloatingPointError) as error:
        raise click.ClickException(str(error)) from None
    if len(losses) < model.steps:
        context.exit(130)  # as shells report an end by Ctrl-C


if __name__ == "__main__":
    main()
