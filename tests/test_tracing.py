"""``gradcheck show`` and ``gradcheck.trace``: one's own numbers, sizes and steps, and misuse."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import gradcheck
from gradcheck.cli import main
from gradcheck.source.cases import read

ROOT = Path(__file__).parent.parent
RNN = ROOT / "cases" / "rnn.py"
BPTT = ROOT / "cases" / "bptt.py"
LSTM = ROOT / "cases" / "lstm.py"
NUMBERS = {
    "x": np.arange(6.0).reshape(3, 1, 2) / 10,
    "h_prev": np.array([[0.5]]),
    "W": np.array([[0.1], [0.2]]),
    "U": np.array([[0.3]]),
    "b": np.array([0.0]),
}


def show(*arguments):
    return CliRunner().invoke(main, ["show", *map(str, arguments)])


def test_steps_of_a_case_are_shown_and_fit_80_columns():
    result = show(f"{RNN}::rnn", "--steps", "2")
    assert result.exit_code == 0
    text = result.output
    assert "rnn.py::rnn, 2 steps: every gradient is right here" in text
    for heading in ("Step 1, forwards", "Step 2, backwards", "Step 1, backwards", "Over all steps"):
        assert f"\n{heading}\n" in text
    assert "Given, the same at every step" in text
    assert re.search(r"\n +h_prev +1×2 +.* from step 1", text)
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    "path", sorted((ROOT / "cases").glob("[!_]*lstm*.py")), ids=lambda p: p.stem
)
def test_lstms_of_every_form_fit_80_columns(path):
    for cell in read(path):
        trace = gradcheck.trace(f"{path}::{cell.name}", steps=2 if cell.states else None)
        assert not trace.wrong
        assert not any(row.wrong for step in trace.walked.backward for row in step.rows)
        assert max(map(len, str(trace).splitlines())) <= 80


def test_ones_own_numbers_with_cotangents_among_them(tmp_path):
    path = tmp_path / "my.npz"
    np.savez(path, **NUMBERS, dh=np.ones((3, 1, 1)), dh_last=np.zeros((1, 1)))
    trace = gradcheck.trace(RNN, path, steps=3)
    assert trace.ok
    (last, *_) = trace.walked.backward
    assert last.rows[0].value == [[1.0]]
    point = gradcheck.at(RNN, NUMBERS, {"dh": np.ones((3, 1, 1)), "dh_last": [[0.0]]}, steps=3)
    totals = {row.name: row.value for row in trace.totals}
    for name, value in point.gradients.items():
        assert np.array_equal(totals[name], value)
    assert show(RNN, "--steps", "3", "--inputs", path).exit_code == 0


def test_numbers_of_a_cell_that_runs_over_time():
    numbers = {"h0": NUMBERS["h_prev"], **{n: v for n, v in NUMBERS.items() if n != "h_prev"}}
    trace = gradcheck.trace(f"{BPTT}::rnn_bptt", numbers, steps=3)
    assert trace.ok
    with pytest.raises(gradcheck.CaseError, match=r"^steps is 2, but T is 3\.$"):
        gradcheck.trace(f"{BPTT}::rnn_bptt", numbers, steps=2)


def without(name):
    return {n: v for n, v in NUMBERS.items() if n != name}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (without("W"), "rnn needs W, of shape 'D H'.\nHand over x, h_prev, W, U, b.\n"),
        (
            {**NUMBERS, "W": np.ones((3, 1))},
            'axis 0 of W is 3 long, but is to be "D" with D=2 by axis 2 of x.\n',
        ),
        ({**NUMBERS, "Wf": np.ones((2, 1))}, "rnn has no argument 'Wf'. Did you mean 'W'?\n"),
        ({**NUMBERS, "dh": np.ones(2)}, "dh has shape (2,), but h has shape (3, 1, 1).\n"),
        ({**NUMBERS, "x": NUMBERS["x"][:2]}, "steps is 3, but the inputs have 2 along time"),
    ],
)
def test_a_file_that_does_not_fit_is_named_with_what_does_not(tmp_path, values, said):
    path = tmp_path / "my.npz"
    np.savez(path, **values)
    result = show(RNN, "--steps", "3", "--inputs", path)
    assert result.exit_code == 2
    assert result.output.startswith(said)
    assert result.output.endswith(f"The inputs are those of {path}.\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"steps": -1}, "steps is -1; write a whole number from 0 up."),
        ({"steps": 2.0}, "steps is 2.0; write a whole number from 0 up."),
        ({"seed": "a"}, "seed is 'a'; write a whole number from 0 up."),
        ({"sizes": {"K": 2}}, "rnn has no size 'K'. There is B, D, H."),
        ({"sizes": {"H": -2}}, "H is -2, but a size is a whole number from 0 up."),
        ({"steps": 3, "sizes": {"T": 2}}, "steps is 3, but T is 2."),
        ({"inputs": NUMBERS, "steps": 3, "sizes": {"H": 2}}, "leave out H."),
        ({"inputs": [1.0]}, "inputs is list; write a dict of arrays by name."),
    ],
)
def test_what_is_asked_for_wrongly_is_told(options, said):
    with pytest.raises(gradcheck.CaseError, match=re.escape(said)):
        gradcheck.trace(RNN, **options)


def test_a_cell_without_steps_is_told():
    attention = ROOT / "cases" / "luong_attention.py"
    with pytest.raises(
        gradcheck.CaseError,
        match=r"luong_attention has no recurrent state and no size T, and so no steps\.\n"
        r"Leave the steps out\.",
    ):
        gradcheck.trace(attention, steps=2)


def test_one_cell_is_asked_for():
    result = show(BPTT)
    assert result.exit_code == 2
    assert "bptt.py has several cells.\nWrite " in result.output
    assert show("nothing.py").exit_code == 2


def test_a_wrong_derivation_is_flagged_with_its_line_and_status_1(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("lstm.py")
    text = LSTM.read_text(encoding="utf-8")
    path.write_text(text.replace("df = dc * c_prev", "df = dc * c"), encoding="utf-8")
    result = show(path, "--steps", "2")
    assert result.exit_code == 1
    assert "wrong in dx, dh_prev" in result.output
    flagged = [line.split()[1] for line in result.output.splitlines() if line.startswith("✗")]
    assert flagged[0] == "df"
    assert result.output.rstrip().splitlines()[-3].endswith("lstm.py:36: df = dc * c")
    assert result.output.rstrip().splitlines()[-2].strip() == "write df = dc * c_prev"
    assert max(map(len, result.output.splitlines())) <= 80
    with pytest.raises(gradcheck.WrongGradient, match="write df = dc \\* c_prev"):
        gradcheck.trace(path, steps=2).raise_if_wrong()


def test_what_is_shortened_says_so_and_is_there_in_full():
    sizes = ("--size", "H=6", "--size", "D=9")
    short, full = show(RNN, *sizes).output, show(RNN, *sizes, "--full").output
    assert short.rstrip().endswith("… and ⋮ stand for what is left out; --full shows it.")
    assert any(line.endswith("…") for line in map(str.rstrip, short.splitlines()))
    assert "⋮" in short.split("stand for")[0]
    assert "…" not in full
    assert "⋮" not in full
    trace = gradcheck.trace(RNN, sizes={"H": 6, "D": 9})
    (dW,) = (row for row in trace.walked.backward[0].rows if row.name == "dW")
    assert dW.value.shape == (9, 6)
    for number in np.ravel(dW.value):
        assert f"{number:.4g}" in full


def test_the_json_holds_every_row(tmp_path):
    result = show(RNN, "--steps", "2", "--json")
    said = json.loads(result.output)
    assert (said["schema"], said["cell"], said["ok"], said["steps"]) == (1, "rnn", True, 2)
    assert [one["step"] for one in said["forward"]] == [1, 2]
    assert [one["step"] for one in said["backward"]] == [2, 1]
    row = next(row for row in said["backward"][0]["rows"] if row["name"] == "dW")
    assert set(row) == {"name", "shape", "value", "true", "wrong", "note", "carried", "line"}
    assert row["shape"] == [2, 2]
    assert said["findings"]["dW[fd]"] == {"verdict": "right"}
    failed = show(tmp_path / "none.py", "--json")
    assert json.loads(failed.output)["error"].endswith("cannot be read: No such file or directory.")
    assert failed.exit_code == 2


def test_seeds_and_sizes_decide_the_numbers():
    def inputs(**options):
        trace = gradcheck.trace(RNN, **options)
        return {row.name: row.value for row in trace.walked.given}

    assert inputs()["x"].shape == (1, 2)
    assert inputs(sizes={"B": 3})["x"].shape == (3, 2)
    assert not np.array_equal(inputs()["x"], inputs(seed=1)["x"])
    assert np.array_equal(inputs(seed=1)["x"], inputs(seed=1)["x"])
