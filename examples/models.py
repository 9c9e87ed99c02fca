"""The language models of the documents: their cases, and how their programs train them.

Letters: T characters of each of B sequences at a time, V different characters, H units.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from optimisers import Optimiser, Parameters, adagrad, adam

from gradcheck.cells.cell import Array

State = tuple[Array, ...]  # what one chunk hands to the next


@dataclass(frozen=True)
class Model:
    """A case that computes a loss and the last state, and how it is trained.

    ``name`` is that of the case, of its function and of its twin. ``start`` draws the parameters
    for (H, V, generator), in the order in which the case takes them; ``empty`` is the state before
    a text for (B, H); ``logits`` are (V,), those of the character after a state of one sequence.
    ``limit`` is where each entry of a gradient is clipped before the optimiser sees it.
    """

    name: str
    start: Callable[[int, int, np.random.Generator], Parameters]
    empty: Callable[[int, int], State]
    logits: Callable[[Parameters, State], Array]
    optimiser: Optimiser
    rate: float
    hidden: int
    batch: int
    steps: int
    limit: float = np.inf
    summed: bool = False  # the loss is the sum over the chunk, not the mean
    single: bool = False  # the case reads one sequence, and knows no batch

    def unit(self, length: int) -> str:
        """What the loss of a chunk of so many characters is counted in."""
        return f"nats per {length} characters" if self.summed else "nats per character"


@dataclass(frozen=True)
class Gradient:
    """What one chunk gives: its loss in nats, the gradient of that, and the last state."""

    loss: float
    parameters: Parameters
    state: State


# differentiate(parameters, state, inputs (T, B), targets (T, B))
Differentiate = Callable[[Parameters, State, Array, Array], Gradient]


def by_hand(model: Model, cell: Callable[..., Any]) -> Differentiate:
    """The gradients of the cell's own backward.

    The last state has cotangent 0, and what backward returns for the first one is dropped: the
    state goes from chunk to chunk as a value only. This is truncated backpropagation.
    """

    def differentiate(
        parameters: Parameters, state: State, inputs: Array, targets: Array
    ) -> Gradient:
        read = _read(model, inputs, targets)
        (loss, *last), backward = cell(*state, **parameters, **read)
        gradients = backward(1.0, *map(np.zeros_like, last))[len(state) :]
        return Gradient(float(loss), dict(zip(parameters, gradients, strict=True)), tuple(last))

    return differentiate


def by_autograd(model: Model, twin: Callable[..., Any]) -> Differentiate:
    """The gradients that PyTorch derives from the twin's forward, truncated alike."""

    def differentiate(
        parameters: Parameters, state: State, inputs: Array, targets: Array
    ) -> Gradient:
        leaves = {name: torch.tensor(value).requires_grad_() for name, value in parameters.items()}
        read = {name: torch.tensor(v) for name, v in _read(model, inputs, targets).items()}
        loss, *last = twin(*map(torch.tensor, state), **leaves, **read)
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        named = {name: g.numpy() for name, g in zip(leaves, gradients, strict=True)}
        return Gradient(loss.item(), named, tuple(value.detach().numpy() for value in last))

    return differentiate


def sample(
    model: Model,
    cell: Callable[..., Any],
    parameters: Parameters,
    alphabet: str,
    length: int,
    seed: int,
) -> str:
    """Let the model write: draw from its softmax, feed what was drawn, ``length`` times.

    It begins after a line break, where there is one, else after the first character.
    """
    generator = np.random.default_rng(seed)
    state = model.empty(1, model.hidden)
    character = max(alphabet.find("\n"), 0)
    written = []
    for _ in range(length):
        given = np.array([[character]])
        (_, *last), _ = cell(*state, **parameters, **_read(model, given, given))
        state = tuple(last)
        logits = model.logits(parameters, state)
        p = np.exp(logits - logits.max())
        character = int(generator.choice(len(alphabet), p=p / p.sum()))
        written.append(alphabet[character])
    return "".join(written)


def _read(model: Model, inputs: Array, targets: Array) -> dict[str, Array]:
    """Inputs and targets (T, B) as the case takes them."""
    if model.single:
        inputs, targets = inputs[:, 0], targets[:, 0]
    return {"inputs": inputs, "targets": targets}


def _uniform(rows: int, columns: int, generator: np.random.Generator) -> Array:
    widest = 1 / np.sqrt(rows)
    return generator.uniform(-widest, widest, (rows, columns))


def _start_rnn(hidden: int, characters: int, generator: np.random.Generator) -> Parameters:
    """As in min-char-rnn: hundredths, and biases of 0."""
    sizes = {
        "Wxh": (hidden, characters),
        "Whh": (hidden, hidden),
        "Why": (characters, hidden),
    }
    weights = {name: 0.01 * generator.normal(size=size) for name, size in sizes.items()}
    return {**weights, "bh": np.zeros((hidden, 1)), "by": np.zeros((characters, 1))}


def _start_lstm(hidden: int, characters: int, generator: np.random.Generator) -> Parameters:
    """All biases are 0 but the forget gate's.

    That one is 1, so that a state is kept until the model has learned what to forget.
    """
    gates = {n: _uniform(hidden + characters, hidden, generator) for n in ("Wf", "Wi", "Wc", "Wo")}
    biases = {n: np.zeros(hidden) for n in ("bf", "bi", "bc", "bo")}
    head = {"Wy": _uniform(hidden, characters, generator), "by": np.zeros(characters)}
    return {**gates, **biases, "bf": np.ones(hidden), **head}


def _start_gru(hidden: int, characters: int, generator: np.random.Generator) -> Parameters:
    """All biases are 0."""
    gates = {n: _uniform(hidden + characters, hidden, generator) for n in ("Wz", "Wr", "Wn")}
    biases = {n: np.zeros(hidden) for n in ("bz", "br", "bn")}
    head = {"Wy": _uniform(hidden, characters, generator), "by": np.zeros(characters)}
    return {**gates, **biases, **head}


MODELS = {
    "rnn": Model(
        name="min_char_rnn",
        start=_start_rnn,
        empty=lambda batch, hidden: (np.zeros((hidden, 1)),),
        logits=lambda parameters, state: (parameters["Why"] @ state[0] + parameters["by"])[:, 0],
        optimiser=adagrad,
        rate=0.01,
        hidden=100,
        batch=1,
        steps=2000,
        limit=5,
        summed=True,
        single=True,
    ),
    "lstm": Model(
        name="char_lstm",
        start=_start_lstm,
        empty=lambda batch, hidden: (np.zeros((batch, hidden)), np.zeros((batch, hidden))),
        logits=lambda parameters, state: (state[0] @ parameters["Wy"] + parameters["by"])[0],
        optimiser=adam,
        rate=0.01,
        hidden=64,
        batch=8,
        steps=300,
    ),
    "gru": Model(
        name="char_gru",
        start=_start_gru,
        empty=lambda batch, hidden: (np.zeros((batch, hidden)),),
        logits=lambda parameters, state: (state[0] @ parameters["Wy"] + parameters["by"])[0],
        optimiser=adam,
        rate=0.01,
        hidden=64,
        batch=8,
        steps=300,
    ),
}
