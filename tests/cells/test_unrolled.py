"""A cell over time: the same weights at every step, its own BPTT, T from 0."""

from pathlib import Path

import numpy as np
import pytest
import torch

from gradcheck.cells.unrolled import per_step, unroll
from gradcheck.checking.check import checks
from gradcheck.drawing.draw import Example
from gradcheck.evidence import Examiner
from gradcheck.finding import Right, Wrong
from gradcheck.oracles import twins
from gradcheck.source.cases import read
from gradcheck.source.closure import closure
from tests.helpers import fault

ROOT = Path(__file__).parents[2]
(LSTM,) = read(ROOT / "cases" / "lstm.py")


def test_inputs_have_a_value_a_step_and_weights_are_tied():
    over_time = unroll(LSTM)
    shapes = {a.name: a.shape.text for a in over_time.cell.arguments}
    assert over_time.time == "T"
    assert shapes["x"] == "T B D"
    assert shapes["h_prev"] == "B H"
    assert shapes["Wf"] == "H+D H"
    assert over_time.cell.outputs == ("h", "c", "h_last", "c_last")


def column(x: "D 1", h_prev: "H 1", W: "H D", U: "H H", b: "H 1"):
    h = W @ x + U @ h_prev + b

    def backward(dh): ...

    return h, backward


def columns_of_a_batch(v: "D B", h_prev: "H B", W: "H D", U: "H H", *, m: "H B in {0, 1}"):
    h = (W @ v + U @ h_prev) * m

    def backward(dh): ...

    return h, backward


def matrix_state(q: "B K", v: "B V", S_prev: "B K V", n_prev: "B K", W: "K K", T: "T"):
    S, n = S_prev + q[:, :, None] * v[:, None], n_prev + q @ W

    def backward(dS, dn): ...

    return (S, n), backward


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (column, {"x"}),
        (columns_of_a_batch, {"v", "m"}),
        (matrix_state, {"q", "v"}),
    ],
)
def test_the_batch_axis_tells_inputs_from_weights(cell, expected):
    assert per_step(closure(cell)) == expected


def test_a_size_called_t_keeps_its_name():
    assert unroll(closure(matrix_state)).time == "steps"


def stateless(x: "B D", W: "D H"):
    def backward(dy): ...

    return x @ W, backward


def test_without_a_state_there_is_nothing_to_unroll():
    assert unroll(closure(stateless)) is None


@pytest.mark.parametrize("steps", [0, 1, 2, 5])
def test_bptt_of_the_lstm_is_autograd_of_pytorchs_own_layer(steps):
    """Against torch.nn.LSTM itself, and so against another way to unroll."""
    over_time = unroll(LSTM).cell
    example = Example((("T", steps), ("B", 2), ("D", 3), ("H", 4)), 5)
    evidence = Examiner(over_time).evidence(example)
    values = {name: torch.tensor(np.array(v)) for name, v in evidence.inputs.items()}
    leaves = {name: v.requires_grad_() for name, v in values.items()}
    if steps == 0:
        h, last, c_last = torch.zeros(0, 2, 4), leaves["h_prev"], leaves["c_prev"]
    else:
        stacked = torch.cat([leaves[f"W{gate}"] for gate in "ifco"], dim=1).T
        bias = torch.cat([leaves[f"b{gate}"] for gate in "ifco"])
        h, last, c_last = torch.lstm(
            leaves["x"],
            (leaves["h_prev"][None], leaves["c_prev"][None]),
            [stacked[:, 4:], stacked[:, :4], bias, torch.zeros_like(bias)],
            True, 1, 0.0, False, False, False,
        )  # fmt: skip
        last, c_last = last[0], c_last[0]
    # torch.lstm does not return c at every step, so it gets no cotangent here.
    dh, dc, dh_last, dc_last = (d.copy() for d in evidence.cotangents)
    dc[:] = 0
    returned = over_time.run(evidence.inputs)[1]([dh, dc, dh_last, dc_last])
    loss = (h * torch.tensor(dh)).sum() if steps else 0
    loss = loss + (last * torch.tensor(dh_last)).sum() + (c_last * torch.tensor(dc_last)).sum()
    wanted = torch.autograd.grad(loss, list(leaves.values()), materialize_grads=True)
    for argument, got, want in zip(over_time.arguments, returned, wanted, strict=True):
        assert np.allclose(got, want.numpy(), rtol=1e-12, atol=1e-14), argument.name


def test_without_a_twin_unrolled_asks_the_numeric_oracles():
    check = next(c for c in checks(LSTM, None) if c.label == "dWf[unrolled]")
    example = Example((("T", 3), ("B", 2), ("D", 3), ("H", 2)), 1)
    evidence = check.examiner.evidence(example)
    assert isinstance(check.judge(evidence), Right)
    assert evidence.numeric.best("Wf").oracle == "the complex step"


def one_slot(x: "B D", h_prev: "B H", W: "D H", U: "H H"):
    """A cell that keeps its state in one place for all calls: right once, wrong over time."""
    _SLOT["h"] = np.tanh(x @ W + h_prev @ U)

    def backward(dh):
        da = dh * (1 - _SLOT["h"] ** 2)
        return da @ W.T, da @ U.T, x.T @ da, h_prev.T @ da

    return _SLOT["h"], backward


_SLOT = {}


def test_one_step_does_not_see_a_cache_with_one_slot():
    for check in checks(closure(one_slot), None):
        steps = (("T", 3),) if check.time else ()
        example = Example((*steps, ("B", 2), ("D", 3), ("H", 4)), 1)
        wrong = isinstance(check.judge(check.examiner.evidence(example)), Wrong)
        assert wrong == (check.oracle in ("unrolled", "again")), check.label


def none_for_a_weight(x: "B D", h_prev: "B H", W: "D H"):
    def backward(dh):
        return dh @ W.T, 1 * dh, None

    return h_prev + x @ W, backward


def test_a_missing_gradient_is_missing_over_time_and_spares_the_others():
    outcomes = {}
    for check in checks(closure(none_for_a_weight), None):
        if check.time:
            example = Example((("T", 2), ("B", 2), ("D", 3), ("H", 4)), 1)
            outcomes[check.subject] = fault(check.judge(check.examiner.evidence(example)))
    assert outcomes["dx"] is None
    assert outcomes["dh_prev"] is None
    assert outcomes["dW"].startswith("dW is None.")


def test_every_shipped_case_has_a_twin():
    for path in sorted((ROOT / "cases").glob("[!_]*.py")):
        for cell in read(path):
            assert twins.find(cell, ROOT / "reference" / path.name) is not None, path.name
