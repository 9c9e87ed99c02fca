"""Train the translator of cases/translator.py to reverse strings of digits, by its own gradients.

    python examples/translate.py --plot attention.svg

The model is called as plain NumPy, and its gradients are those that its backward derives by hand;
Adam takes the steps. At the end it is asked for 200 strings that it has not seen. Whoever reverses
a string looks at one digit after the other, so the attention has to learn where: with --uniform the
weights of its scores stay 0, every digit counts the same, and most strings come out wrong.
Ctrl-C ends the training with a sample and the curve so far.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from digits import batch, drawn
from figures import drawable
from optimisers import Parameters
from pictures import plot, sample, table
from reversing import Cell, descent, initial, right, translated
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from shipped import function

from gradcheck.errors import CaseError

SHORTEST, LONGEST = 4, 16  # digits of a string
ASKED = 200  # strings that are never trained on

Steps = Iterator[tuple[float, Parameters]]


def unseen(seed: int) -> list[str]:
    """The strings that the model is asked for at the end, all different."""
    strings = drawn(np.random.default_rng([seed, 1]), SHORTEST, LONGEST)
    return list(itertools.islice(dict.fromkeys(itertools.islice(strings, 2 * ASKED)), ASKED))


def training(
    cell: Cell, start: Parameters, seed: int, *, size: int, rate: float, uniform: bool
) -> Steps:
    """Steps without end over random strings, ``size`` of them at each, none of which is asked."""
    generator = np.random.default_rng([seed, 2])
    strings = drawn(generator, SHORTEST, LONGEST, without=frozenset(unseen(seed)))
    batches = (batch(list(itertools.islice(strings, size))) for _ in itertools.count())
    still = frozenset({"W_mem"} if uniform else ())
    return descent(cell, start, batches, rate=rate, still=still)


def followed(
    console: Console, steps: Steps, start: Parameters, most: int, rate: float
) -> tuple[list[float], Parameters]:
    """Take ``most`` steps, or those until Ctrl-C, while a line tells the loss."""
    losses: list[float] = []
    parameters = start
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    silent = not console.is_terminal
    try:
        with Progress(*columns, console=console, transient=True, disable=silent) as progress:
            task = progress.add_task("", total=most)
            for loss, moved in itertools.islice(steps, most):
                losses.append(loss)
                parameters = moved
                said = f"loss {loss:.4f}, rate {rate:g}"
                progress.update(task, advance=1, description=said)
    except KeyboardInterrupt:
        console.print(f"Interrupted after step {len(losses)}.")
    return losses, parameters


_POSITIVE = click.IntRange(min=1)


@click.command(context_settings={"show_default": True})
@click.option("--steps", type=_POSITIVE, default=600, help="How many steps of Adam.")
@click.option("--hidden", type=_POSITIVE, default=16, help="Units of the encoder, each way.")
@click.option("--batch", "size", type=_POSITIVE, default=64, help="Strings of one step.")
@click.option("--rate", type=click.FloatRange(0, 1, min_open=True), default=0.005, help="Of Adam.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Draws start and strings.")
@click.option("--uniform", is_flag=True, help="The same attention to every digit.")
@click.option(
    "--plot",
    "picture",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=drawable,
    help="Where to draw the attention and the curve.",
)
@click.pass_context
def main(
    context: click.Context,
    /,
    steps: int,
    hidden: int,
    size: int,
    rate: float,
    seed: int,
    uniform: bool,
    picture: Path | None,
) -> None:
    """Train the translator to reverse strings of digits, by gradients derived by hand."""
    console = Console(highlight=False)
    start = initial(hidden, np.random.default_rng([seed, 0]), uniform=uniform)
    try:
        cell = function("translator")
        taken = training(cell, start, seed, size=size, rate=rate, uniform=uniform)
        losses, parameters = followed(console, taken, start, steps, rate)
    except (CaseError, FloatingPointError) as error:
        raise click.ClickException(str(error)) from None

    strings = unseen(seed)
    said, a = translated(cell, parameters, strings)
    if losses:
        console.print(table(losses))
    console.print(sample(said, strings))
    console.print(f"\n{right(said, strings)} of {len(strings)} strings never seen come out right.")
    if picture is not None and losses:
        plot(losses, strings[0], said[0], a[:, :, 0], picture)
        console.print(f"\nThe attention and the curve are in {picture}.", markup=False)
    if len(losses) < steps:
        context.exit(130)  # as shells report an end by Ctrl-C


if __name__ == "__main__":
    main()
