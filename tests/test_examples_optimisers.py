"""The optimisers of the examples are PyTorch's, entry by entry."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch._dynamo  # torch.optim does so late; after pytester it would be a second time

from gradcheck.source import execute

optimisers = execute.module(Path(__file__).parent.parent / "examples" / "optimisers.py")

THEIRS = {
    "sgd": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"momentum": 0.9}),
    "rmsprop": (torch.optim.RMSprop, {}),
    "adagrad": (torch.optim.Adagrad, {}),
    "adam": (torch.optim.Adam, {}),
}
SIZES = {"W": (3, 2), "b": (2,)}


def drawn(seed, steps):
    """A start and the gradients of so many steps; some are 0 from the first step on."""
    generator = np.random.default_rng(seed)
    start = {name: generator.normal(size=size) for name, size in SIZES.items()}
    gradients = [
        {
            name: generator.normal(size=size) * 10.0 ** generator.integers(-3, 3, size)
            for name, size in SIZES.items()
        }
        for _ in range(steps)
    ]
    for gradient in gradients:
        gradient["W"][0] = 0
    return start, gradients


@pytest.mark.parametrize("name", THEIRS)
def test_twenty_steps_are_those_of_pytorch(name):
    kind, options = THEIRS[name]
    ours, gradients = drawn(0, 20)
    theirs = {n: torch.tensor(value, requires_grad=True) for n, value in ours.items()}
    optimiser = kind(theirs.values(), lr=0.01, **options)
    memory = optimisers.fresh(ours)
    for gradient in gradients:
        for n, value in theirs.items():
            value.grad = torch.tensor(gradient[n])
        optimiser.step()
        ours, memory = getattr(optimisers, name)(ours, gradient, memory, 0.01)
    assert memory.steps == 20
    for n, value in theirs.items():
        np.testing.assert_allclose(ours[n], value.detach().numpy(), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", THEIRS)
def test_nothing_that_is_handed_in_is_written_into(name):
    start, (gradient,) = drawn(1, 1)
    memory = optimisers.fresh(start)
    for table in (start, gradient, memory.first, memory.second):
        for value in table.values():
            value.setflags(write=False)
    moved, _ = getattr(optimisers, name)(start, gradient, memory, 0.1)
    assert (moved["b"] != start["b"]).all()
    assert (moved["W"][0] == start["W"][0]).all()


def test_adam_moves_by_its_rate_at_first_whatever_the_size_of_the_gradient():
    start = {"w": np.array([1.0, 1.0, 1.0])}
    gradient = {"w": np.array([3.0, -0.01, 0.0])}
    moved, _ = optimisers.adam(start, gradient, optimisers.fresh(start), 0.1)
    assert moved["w"] == pytest.approx([0.9, 1.1, 1.0])


def test_what_is_clipped_is_cut_off_on_both_sides_and_else_as_it_was():
    assert optimisers.clipped({"w": np.array([-7.0, -5.0, 0.1, 9.0])}, 5)["w"].tolist() == [
        -5,
        -5,
        0.1,
        5,
    ]


@pytest.mark.parametrize(
    ("gradients", "sentence"),
    [
        ({"W": np.ones((3, 2))}, "b is a parameter without a gradient."),
        ({"W": np.ones((3, 2)), "b": np.ones(2), "c": 1.0}, "c is a gradient without a parameter."),
        (
            {"W": np.ones((3, 2)), "b": np.ones(1)},
            r"The gradient of b has shape \(1,\), b \(2,\).",
        ),
    ],
)
@pytest.mark.parametrize("name", THEIRS)
def test_a_gradient_that_does_not_fit_its_parameter_is_told(name, gradients, sentence):
    start = {"W": np.ones((3, 2)), "b": np.ones(2)}
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        getattr(optimisers, name)(start, gradients, optimisers.fresh(start), 0.1)
