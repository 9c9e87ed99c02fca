"""Gradient descent and four ways to choose each entry's own step, as PyTorch has them.

    parameters, memory = adam(parameters, gradients, memory, rate)

Parameters and gradients are arrays by name. All five are called alike, begin with the memory that
``fresh`` makes, and write into nothing. Clipping is a step of its own, between a gradient and an
optimiser: what is clipped is no gradient any more.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array

Parameters = dict[str, Array]


@dataclass(frozen=True)
class Memory:
    """What is kept from step to step: sums or running means of gradients and of their squares."""

    steps: int
    first: Parameters
    second: Parameters


Optimiser = Callable[[Parameters, Parameters, Memory, float], tuple[Parameters, Memory]]


def fresh(parameters: Parameters) -> Memory:
    """The memory before the first step: zeros."""
    zeros = {name: np.zeros_like(value) for name, value in parameters.items()}
    return Memory(0, zeros, zeros)


def clipped(gradients: Parameters, limit: float) -> Parameters:
    """Every entry between -limit and limit, as min-char-rnn does at 5."""
    return {name: np.clip(gradient, -limit, limit) for name, gradient in gradients.items()}


def sgd(
    parameters: Parameters, gradients: Parameters, memory: Memory, rate: float
) -> tuple[Parameters, Memory]:
    """Plain gradient descent: rate times the gradient."""
    _fit(parameters, gradients)
    moved = _each(lambda p, g: p - rate * g, parameters, gradients)
    return moved, replace(memory, steps=memory.steps + 1)


def momentum(
    parameters: Parameters,
    gradients: Parameters,
    memory: Memory,
    rate: float,
    *,
    keep: float = 0.9,
) -> tuple[Parameters, Memory]:
    """Descent along the decaying sum of all gradients so far, Polyak (1964)."""
    _fit(parameters, gradients)
    velocity = _each(lambda v, g: keep * v + g, memory.first, gradients)
    moved = _each(lambda p, v: p - rate * v, parameters, velocity)
    return moved, Memory(memory.steps + 1, velocity, memory.second)


def rmsprop(
    parameters: Parameters,
    gradients: Parameters,
    memory: Memory,
    rate: float,
    *,
    keep: float = 0.99,
    eps: float = 1e-8,
) -> tuple[Parameters, Memory]:
    """Over the root of a running mean of squares, Tieleman and Hinton (2012), lecture 6.5."""
    _fit(parameters, gradients)
    square = _each(lambda s, g: keep * s + (1 - keep) * g**2, memory.second, gradients)
    moved = _each(lambda p, g, s: p - rate * g / (np.sqrt(s) + eps), parameters, gradients, square)
    return moved, Memory(memory.steps + 1, memory.first, square)


def adagrad(
    parameters: Parameters,
    gradients: Parameters,
    memory: Memory,
    rate: float,
    *,
    eps: float = 1e-10,
) -> tuple[Parameters, Memory]:
    """Over the root of the sum of all squares so far, Duchi, Hazan and Singer (2011), JMLR 12."""
    _fit(parameters, gradients)
    square = _each(lambda s, g: s + g**2, memory.second, gradients)
    moved = _each(lambda p, g, s: p - rate * g / (np.sqrt(s) + eps), parameters, gradients, square)
    return moved, Memory(memory.steps + 1, memory.first, square)


def adam(
    parameters: Parameters,
    gradients: Parameters,
    memory: Memory,
    rate: float,
    *,
    keep_mean: float = 0.9,
    keep_square: float = 0.999,
    eps: float = 1e-8,
) -> tuple[Parameters, Memory]:
    """Kingma and Ba (2015), arXiv:1412.6980, algorithm 1."""
    _fit(parameters, gradients)
    steps = memory.steps + 1
    mean = _each(lambda m, g: keep_mean * m + (1 - keep_mean) * g, memory.first, gradients)
    square = _each(
        lambda s, g: keep_square * s + (1 - keep_square) * g**2, memory.second, gradients
    )
    # Both began at 0, and would be too small at first.
    mean_scale, square_scale = 1 - keep_mean**steps, 1 - keep_square**steps
    moved = _each(
        lambda p, m, s: p - rate * (m / mean_scale) / (np.sqrt(s / square_scale) + eps),
        parameters,
        mean,
        square,
    )
    return moved, Memory(steps, mean, square)


def _each(rule: Callable[..., Any], *tables: Parameters) -> Parameters:
    """A rule for one array, applied to the arrays of each name."""
    return {name: rule(*(table[name] for table in tables)) for name in tables[0]}


def _fit(parameters: Parameters, gradients: Parameters) -> None:
    """Refuse gradients that NumPy would spread over a parameter without a word."""
    for name in sorted(parameters.keys() ^ gradients.keys()):
        one, other = ("parameter", "gradient")[:: 1 if name in parameters else -1]
        raise ValueError(f"{name} is a {one} without a {other}.")
    for name, value in parameters.items():
        if gradients[name].shape != value.shape:
            raise ValueError(
                f"The gradient of {name} has shape {gradients[name].shape}, {name} {value.shape}."
            )
