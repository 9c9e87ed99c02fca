"""What the numeric oracles share: the forward on the inputs as they are runs once."""

import numpy as np

from gradcheck.oracles import complex_step, finite_differences, kinks
from gradcheck.oracles.loss import Loss


def counted():
    """The loss sum(tanh(x)) of four entries, and the inputs of every run of its forward."""
    runs = []

    def forward(inputs):
        runs.append(inputs["x"])
        return (np.tanh(inputs["x"]),)

    return Loss.at(forward, {"x": np.array([0.3, -0.2, 0.7, 0.1])}, (np.ones(4),)), runs


def test_six_forwards_an_entry_by_differences_and_one_of_the_inputs_as_they_are():
    loss, runs = counted()
    finite_differences.gradient(loss, "x")
    assert len(runs) == 1 + 4 * 6


def test_one_forward_an_entry_by_the_complex_step_and_its_proof():
    loss, runs = counted()
    complex_step.gradient(loss, "x")
    assert len(runs) == 1 + 4 + 6


def test_two_forwards_where_no_kink_is_seen():
    loss, runs = counted()
    assert kinks.kinks(loss, "x") == ()
    assert len(runs) == 1 + 2


def test_the_outputs_as_they_are_stay_when_the_forward_fills_its_buffer_again():
    buffer = np.zeros(2)

    def forward(inputs):
        buffer[:] = inputs["x"] ** 2
        return (buffer,)

    loss = Loss.at(forward, {"x": np.array([1.0, 2.0])}, (np.ones(2),))
    loss.moved("x", np.array([1.0, 0.0]))
    assert loss.plain[0].tolist() == [1.0, 4.0]
