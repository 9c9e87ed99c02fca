"""Four numbers to be said one after the other: the run of the program "Simple LSTM".

    python examples/four_targets.py

One sequence of four random inputs; the first unit of h is to be -0.5, 0.2, 0.1 and -0.5, and the
loss is the sum of the squared distances. The cell and its gradients are cases/simple_lstm.py;
plain gradient descent. Unlike in the program, every array is drawn by itself: there all four
matrices are the same, and hide a gate in the place of another.
"""

import click
import numpy as np
from optimisers import Parameters, fresh, sgd
from shipped import function

from gradcheck.cells.cell import Array

CELL = function("simple_lstm")
TARGETS = (-0.5, 0.2, 0.1, -0.5)
INPUTS = 50  # how many numbers enter at each step


def start(units: int, seed: int) -> tuple[Parameters, Array]:
    """Weights and biases between -0.1 and 0.1, and the inputs (4, 50) between 0 and 1."""
    generator = np.random.default_rng(seed)
    weights = {
        name: generator.uniform(-0.1, 0.1, (units, INPUTS + units))
        for name in ("Wg", "Wi", "Wf", "Wo")
    }
    biases = {name: generator.uniform(-0.1, 0.1, units) for name in ("bg", "bi", "bf", "bo")}
    return {**weights, **biases}, generator.uniform(0, 1, (len(TARGETS), INPUTS))


def differentiate(parameters: Parameters, x: Array) -> tuple[float, Array, Parameters]:
    """The loss, h[0] at each step, (4,), and the gradient of the loss by backpropagation."""
    h = s = np.zeros((1, len(parameters["bg"])))
    said, steps = np.empty(len(TARGETS)), []
    for t, given in enumerate(x):
        (h, s), step = CELL(given[None], h, s, **parameters)
        said[t] = h[0, 0]
        steps.append(step)
    off = said - TARGETS

    dh = ds = np.zeros_like(h)
    total = {name: np.zeros_like(value) for name, value in parameters.items()}
    for t in reversed(range(len(steps))):
        dh = dh + 2 * off[t] * np.eye(1, dh.shape[1])  # only the first unit has a target
        _, dh, ds, *gradients = steps[t](dh, ds)
        total = {n: total[n] + one for n, one in zip(total, gradients, strict=True)}
    return float(off @ off), said, total


@click.command(context_settings={"show_default": True})
@click.option("--units", type=click.IntRange(min=1), default=100, help="Of the LSTM.")
@click.option("--steps", type=click.IntRange(min=0), default=100, help="Of gradient descent.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), default=0.1, help="Of descent.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Draws weights and inputs.")
def main(units: int, steps: int, rate: float, seed: int) -> None:
    """Teach the first unit of an LSTM four numbers, by hand-derived gradients."""
    parameters, x = start(units, seed)
    memory = fresh(parameters)
    for step in range(steps + 1):
        loss, said, gradients = differentiate(parameters, x)
        if not np.isfinite(loss):
            raise click.ClickException(
                f"The loss is {loss} at step {step}; try a smaller rate than {rate}."
            )
        if step % 10 == 0 or step == steps:
            numbers = " ".join(f"{number:7.4f}" for number in said)
            click.echo(f"step {step:4d}  loss {loss:.3e}  h[0] {numbers}")
        parameters, memory = sgd(parameters, gradients, memory, rate)


if __name__ == "__main__":
    main()
