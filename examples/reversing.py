"""The translator of cases/translator.py as a model that reverses strings: its start, steps, words.

Letters: S source and T target positions of B strings, H units of the encoder in each direction.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from digits import SOURCE_TOKENS, START, TARGET_TOKENS, Batch, batch, text
from optimisers import Parameters, adam, fresh

from gradcheck.cells.cell import Array

EMBEDDED, ATTENDED = 16, 32  # features of an embedding, and of the attention vector

Cell = Callable[..., Any]  # the function of the case


def initial(hidden: int, generator: np.random.Generator, *, uniform: bool = False) -> Parameters:
    """Random weights for H = ``hidden``; biases are 0, but 1 for the forget gates.

    With ``uniform`` the weights of the attention's scores are 0, and so is every score.
    """

    def weights(*shape: int) -> Array:
        widest = 1 / np.sqrt(shape[-2])
        return generator.uniform(-widest, widest, shape)

    def biases(*shape: int, units: int) -> Array:
        stacked = np.zeros(shape)
        stacked[..., units : 2 * units] = 1  # the second block, of encoder and decoder alike
        return stacked

    return {
        "E_src": generator.normal(size=(SOURCE_TOKENS, EMBEDDED)),
        "E_tgt": generator.normal(size=(TARGET_TOKENS, EMBEDDED)),
        "W1": weights(2, EMBEDDED + hidden, 4 * hidden),
        "b1": biases(2, 4 * hidden, units=hidden),
        "W2": weights(2, 3 * hidden, 4 * hidden),
        "b2": biases(2, 4 * hidden, units=hidden),
        "W_dec": weights(EMBEDDED + ATTENDED, 8 * hidden),
        "U_dec": weights(2 * hidden, 8 * hidden),
        "b_dec": biases(8 * hidden, units=2 * hidden),
        "W_mem": weights(2 * hidden, 2 * hidden) * (not uniform),
        "W_att": weights(4 * hidden, ATTENDED),
        "Wy": weights(ATTENDED, TARGET_TOKENS),
        "by": np.zeros(TARGET_TOKENS),
    }


def differentiate(cell: Cell, parameters: Parameters, asked: Batch) -> tuple[float, Parameters]:
    """The mean loss of a batch in nats per token, and its gradient by the cell's own backward."""
    (loss, attention, a), backward = cell(**parameters, **vars(asked))
    gradients = backward(1.0, np.zeros_like(attention), np.zeros_like(a))
    return float(loss), dict(zip(parameters, gradients, strict=True))


def descent(
    cell: Cell,
    start: Parameters,
    batches: Iterator[Batch],
    *,
    rate: float,
    still: frozenset[str] = frozenset(),
) -> Iterator[tuple[float, Parameters]]:
    """Without end: the loss of the next batch, and the parameters after a step of Adam on it.

    What is in ``still`` stays as it is. Raises FloatingPointError if the loss is no number.
    """
    parameters, memory = start, fresh(start)
    for step, asked in enumerate(batches, 1):
        loss, gradients = differentiate(cell, parameters, asked)
        if not np.isfinite(loss):
            raise FloatingPointError(
                f"The loss is {loss} at step {step}; try a smaller rate than {rate:g}."
            )
        gradients |= {name: np.zeros_like(gradients[name]) for name in still}
        parameters, memory = adam(parameters, gradients, memory, rate)
        yield loss, parameters


def translated(
    cell: Cell, parameters: Parameters, strings: Sequence[str]
) -> tuple[list[str], Array]:
    """What the model writes for each string, and where it looked: (T, S, B).

    At each position it writes the likeliest token, and is told that at the next.
    """
    asked = batch(strings)
    given = np.full((1, len(strings)), START)
    for _ in range(len(asked.targets)):
        unknown = np.zeros_like(given)  # targets, of which none counts: the loss is not read
        constants = Batch(asked.source, asked.lengths, given, unknown, unknown)
        (_, attention, a), _ = cell(**parameters, **vars(constants))
        likeliest = (attention[-1] @ parameters["Wy"] + parameters["by"]).argmax(axis=1)
        given = np.concatenate([given, likeliest[None]])
    return [text(column) for column in given[1:].T], a


def right(said: Sequence[str], strings: Sequence[str]) -> int:
    """How many strings came out reversed, every digit of them."""
    return sum(one == string[::-1] for one, string in zip(said, strings, strict=True))
