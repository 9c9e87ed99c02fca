"""The training loop: one step for each chunk of a text, over and over."""

import itertools
from collections.abc import Iterator

import numpy as np
from corpus import Corpus
from models import Differentiate, Model
from optimisers import Parameters, clipped, fresh


def start(model: Model, corpus: Corpus, seed: int) -> Parameters:
    """The parameters before the first step; one seed draws one start."""
    return model.start(model.hidden, len(corpus.alphabet), np.random.default_rng(seed))


def nudged(start: Parameters, seed: int) -> Parameters:
    """The start with every entry moved by at most one rounding error, 2**-52 of its size."""
    generator = np.random.default_rng(seed)
    return {
        name: value * (1 + 2**-52 * generator.uniform(-1, 1, value.shape))
        for name, value in start.items()
    }


def descent(
    model: Model, differentiate: Differentiate, start: Parameters, corpus: Corpus
) -> Iterator[tuple[float, Parameters]]:
    """Without end: the loss of the next chunk in nats, and the parameters after a step on it.

    The state goes on from chunk to chunk, and is empty wherever the text begins.
    Raises FloatingPointError if the loss is no longer a number.
    """
    parameters, memory = start, fresh(start)
    chunks, _, batch = corpus.inputs.shape
    for step in itertools.count():
        chunk = step % chunks
        if chunk == 0:
            state = model.empty(batch, model.hidden)
        result = differentiate(parameters, state, corpus.inputs[chunk], corpus.targets[chunk])
        if not np.isfinite(result.loss):
            raise FloatingPointError(
                f"The loss is {result.loss} at step {step + 1}; "
                f"try a smaller rate than {model.rate}."
            )
        state = result.state
        gradients = clipped(result.parameters, model.limit)
        parameters, memory = model.optimiser(parameters, gradients, memory, model.rate)
        yield result.loss, parameters
