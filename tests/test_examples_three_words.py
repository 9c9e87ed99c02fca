"""The articles' example: every number of its log, found again without a derivation."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from gradcheck.source import execute

ROOT = Path(__file__).parent.parent
program = execute.module(ROOT / "examples" / "three_words.py")

NAMED = [
    "DHt",
    "DOt",
    "DCt",
    "DCprojt",
    "DFt",
    "DIt",
    "DHX",
    "dxt",
    "dh_next",
    "dc_next",
    "DCt_recur",
]
IDS, TARGET = [4, 5, 6], 7  # who would bell -> the


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def loss(parameters, moved, by):
    """The loss with one quantity moved by ``by`` where it is used; complex numbers go through."""

    def at(name, value):
        return value + by if name == moved else value

    W, Wy, bias = (parameters[name] for name in ("W", "Wy", "by"))
    h = c = np.zeros((5, 1))
    for t, word in enumerate(IDS, 1):
        h, c = at(f"dh_next_{t - 1}", h), at(f"dc_next_{t - 1}", at(f"DCt_recur_{t}", c))
        x = at(f"dxt_{t}", np.eye(10)[:, [word]])
        z = at(f"DHX_{t}", np.vstack([x, h]))
        a = W[:, 1:] @ z + W[:, :1]
        f = sigmoid(at(f"DFt_{t}", a[0:5]) + 1)
        i = sigmoid(at(f"DIt_{t}", a[5:10]))
        g = np.tanh(at(f"DCprojt_{t}", a[10:15]))
        o = sigmoid(at(f"DOt_{t}", a[15:20]))
        c = at(f"DCt_{t}", f * c + i * g)
        h = at(f"DHt_{t}", o * np.tanh(c))
    # What the last step hands on is read by nobody.
    pred = Wy @ h + bias
    return np.log(np.exp(pred).sum()) - pred[TARGET, 0]


def complex_step(parameters, key, shape):
    found = np.zeros(shape)
    for place in np.ndindex(shape):
        by = np.zeros(shape, complex)
        by[place] = 1e-30j
        found[place] = loss(parameters, key, by).imag / 1e-30
    return found


@pytest.fixture(params=["equal", "apart"])
def parameters(request):
    return program.constants(request.param)


def test_every_quantity_that_the_articles_name_is_logged_at_each_step_and_true(parameters):
    _, _, entries = program.by_hand(parameters)
    logged = {entry.key: entry.value for entry in entries}
    for name in NAMED:
        for step in (1, 2, 3):
            key = f"{name}_{step}"
            want = complex_step(parameters, key, logged[key].shape)
            np.testing.assert_allclose(logged[key], want, rtol=1e-12, atol=1e-16, err_msg=key)
    assert logged["DHX_3"].shape == (15, 1)
    assert {logged[f"{name}_2"].shape for name in NAMED} == {(5, 1), (10, 1), (15, 1)}


def test_the_gradients_are_those_of_the_lstm_of_pytorch(parameters):
    found, gradients, entries = program.by_hand(parameters)
    logged = {entry.key: entry.value for entry in entries}
    cell, head = torch.nn.LSTMCell(10, 5).double(), torch.nn.Linear(5, 10).double()
    f, i, g, o = np.split(parameters["W"], 4)
    rows = torch.tensor(np.vstack([i, f, g, o]))  # PyTorch's order
    with torch.no_grad():
        cell.bias_ih.copy_(rows[:, 0])
        cell.bias_hh.copy_(torch.tensor(np.repeat([0.0, 1.0, 0.0, 0.0], 5)))
        cell.weight_ih.copy_(rows[:, 1:11])
        cell.weight_hh.copy_(rows[:, 11:])
        head.weight.copy_(torch.tensor(parameters["Wy"]))
        head.bias.zero_()
    state = None
    for word in IDS:
        state = cell(torch.eye(10, dtype=torch.float64)[[word]], state)
    theirs = torch.nn.functional.cross_entropy(head(state[0]), torch.tensor([TARGET]))
    theirs.backward()
    assert found == pytest.approx(theirs.item(), rel=1e-15)
    columns = (cell.bias_ih.grad[:, None], cell.weight_ih.grad, cell.weight_hh.grad)
    i, f, g, o = torch.cat(columns, dim=1).chunk(4)
    close = {"rtol": 1e-12, "atol": 1e-16}
    np.testing.assert_allclose(gradients["W"], torch.cat([f, i, g, o]).numpy(), **close)
    np.testing.assert_allclose(gradients["Wy"], head.weight.grad.numpy(), **close)
    np.testing.assert_allclose(gradients["by"][:, 0], head.bias.grad.numpy(), **close)
    for gate, dW in zip("fico", (f, i, g, o), strict=True):
        np.testing.assert_allclose(logged[f"DW{gate}"], dW[:, 1:].numpy(), **close)
        np.testing.assert_allclose(logged[f"DB{gate}"], dW[:, :1].numpy(), **close)
    assert (logged["DWy"] == gradients["Wy"]).all()
    assert (logged["DBy"] == gradients["by"]).all()


def test_the_log_has_autograd_beside_each_number_and_fits_a_terminal(parameters):
    _, _, entries = program.by_hand(parameters)
    true = program.by_autograd(parameters)
    assert true.keys() == {entry.key for entry in entries} | {"dh_next_0", "dc_next_0"}
    for entry in entries:
        np.testing.assert_allclose(
            entry.value, true[entry.key], rtol=1e-12, atol=1e-15, err_msg=entry.key
        )
    assert max(map(len, program.log(entries, true))) <= 80


@pytest.mark.parametrize(
    ("right", "wrong", "seen"),
    [
        ("daf = df * f * (1 - f)", "daf = df * (1 - f)", {"DFt_3", "DHX_3", "DWf"}),
        ("dc_prev = dc * f", "dc_prev = dc", {"DCt_recur_3", "dc_next_2", "DCt_2"}),
    ],
)
def test_a_wrong_line_of_the_cell_is_seen_in_the_log(right, wrong, seen, tmp_path, monkeypatch):
    step = (ROOT / "cases" / "lstm_column.py").read_text(encoding="utf-8")
    assert step.count(right) == 1
    whole = (ROOT / "cases" / "next_word.py").read_text(encoding="utf-8")
    cell = step.replace(right, wrong)
    path = tmp_path / "next_word.py"
    path.write_text(whole.replace("from lstm_column import lstm_column", cell), encoding="utf-8")
    monkeypatch.setattr(program, "MODEL", execute.module(path).next_word)
    parameters = program.constants("apart")
    _, _, entries = program.by_hand(parameters)
    true = program.by_autograd(parameters)
    far = {e.key for e in entries if np.abs(e.value - true[e.key]).max() > 1e-6}
    assert seen <= far
    assert not far & {"DHt_3", "DOt_3", "DCt_3", "DWy", "DBy", "yhat", "ht_3"}


def test_what_watches_is_gone_afterwards_and_leaves_another_in_its_place():
    watched = execute.module(ROOT / "examples" / "watching.py").watched

    def backward(dy):
        dx = 2 * dy
        dx = dx + 1
        return dx

    def fails():
        backward(1)
        raise ValueError("told")

    before = sys.getprofile()
    assert watched("backward", lambda: backward(3)) == (7, [{"dy": 3, "dx": 7}])
    with pytest.raises(ValueError, match="told"):
        watched("backward", fails)
    assert sys.getprofile() is before


def test_descent_learns_the_word_and_every_quantity_can_be_saved(tmp_path):
    path = tmp_path / "log.npz"
    result = CliRunner().invoke(program.main, ["--save", str(path)])
    assert result.exit_code == 0, result.output
    losses = [float(x) for x in re.findall(r"^  step +\d+  loss (\S+)$", result.output, re.M)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.1
    assert re.search(r"^who would bell -> the \(9\d%\)$", result.output, re.M)
    with np.load(path) as saved:
        assert set(saved) >= {f"{name}_3" for name in NAMED} | {"DWy", "DBy"}


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    path = tmp_path / "nowhere" / "log.npz"
    result = CliRunner().invoke(program.main, ["--save", str(path)])
    assert result.exit_code == 1
    assert f"Error: {path} cannot be written: No such file or directory." in result.output
