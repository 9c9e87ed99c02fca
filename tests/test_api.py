"""The API, as a script or a notebook uses it; the page's examples are run."""

import json
import linecache
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import gradcheck
from gradcheck.finding import Right, Wrong

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
RNN = ROOT / "cases" / "rnn.py"


def rnn(x: "B D", h_prev: "B H", W: "D H", U: "H H", b: "H"):
    h = np.tanh(x @ W + h_prev @ U + b)

    def backward(dh):
        da = dh * (1 - h**2)
        db = da.sum(axis=0)
        return da @ W.T, da @ U.T, x.T @ da, h_prev.T @ da, db

    return h, backward


def averaged(x: "B D", W: "D H", b: "H"):
    y = np.tanh(x @ W + b)

    def backward(dy):
        da = dy * (1 - y**2)
        db = da.mean(axis=0)
        return da @ W.T, x.T @ da, db

    return y, backward


def twin(x, h_prev, W, U, b):
    return torch.rnn_tanh_cell(x, h_prev, W.T, U.T, b)


NUMBERS = {
    "x": [[1.0, 2.0]],
    "h_prev": [[0.5]],
    "W": [[0.1], [0.2]],
    "U": [[0.3]],
    "b": [0.0],
}


def test_a_right_function_is_right_and_its_report_is_the_table():
    report = gradcheck.check(rnn, twin, profile="fast")
    assert report.ok
    assert {one.oracle for one in report.results} >= {"fd", "autograd", "unrolled", "purity"}
    assert " rnn " in str(report)
    assert json.loads(json.dumps(report.to_dict()))["schema"] == 1
    report.raise_if_wrong()


def test_a_wrong_function_has_a_verdict_with_its_line():
    report = gradcheck.check(averaged, only="db", profile="fast")
    (verdict,) = report.verdicts
    assert not report.ok
    assert (verdict.node, verdict.finding.kind, verdict.finding.name) == (
        "db[fd]",
        "disagrees",
        "db",
    )
    (line,) = verdict.lines
    assert (line.source, line.mends[0]) == ("db = da.mean(axis=0)", "db = da.sum(axis=0)")
    assert verdict.patterns[0].facts["sizes"] == ("B",)
    assert 'gradcheck.check(averaged, only="db[fd]", profile="fast")' in str(report)
    with pytest.raises(gradcheck.WrongGradient, match="averaged: db disagrees"):
        report.raise_if_wrong()


def test_a_function_typed_into_an_interpreter_has_lines_too():
    text = "import numpy as np\n\n\ndef typed(x: 'B'):\n    def backward(dy):\n"
    text += "        dx = 3 * dy\n        return (dx,)\n\n    return 2 * x, backward\n"
    name = "<ipython-input-1>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    space = {}
    exec(compile(text, name, "exec"), space)
    (proof,) = gradcheck.proofread(space["typed"])
    wrong = [line for line in proof.lines if line.verdict == "wrong"]
    assert [(line.line, line.mends[0]) for line in wrong] == [(6, "dx = 2 * dy")]
    assert not gradcheck.check(space["typed"], profile="fast").ok


def test_a_file_is_checked_as_pytest_checks_it():
    report = gradcheck.check(f"{RNN}::rnn", only=("dW", "law[purity]"), profile="fast")
    assert report.ok
    assert [one.label for one in report.results] == [
        "dW[fd]",
        "dW[autograd]",
        "dW[unrolled]",
        "law[purity]",
    ]


def test_a_file_is_held_against_a_function_as_well():
    report = gradcheck.check(RNN, twin, only="dW[autograd]", profile="fast")
    assert report.ok
    with pytest.raises(gradcheck.CaseError, match="The reference is int"):
        gradcheck.check(RNN, 3)


def test_sizes_are_held_and_examples_counted():
    report = gradcheck.check(averaged, only="db[fd]", sizes={"B": 1}, examples=7)
    assert report.ok  # the mean of one is its sum
    (result,) = report.results
    assert result.examples == 7


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"only": "dWf"}, "There is no check 'dWf'. Did you mean 'dW'?"),
        ({"profile": "defalt"}, "There is no profile 'defalt'. Did you mean 'default'?"),
        ({"sizes": {"K": 2}}, "averaged has no size 'K'. There is B, D, H."),
        ({"sizes": {"B": -1}}, "B is -1, but a size is a whole number from 0 up."),
        ({"sizes": {"T": 3}}, "averaged has no size 'T'. There is B, D, H."),
        ({"examples": 0}, "examples is 0; write a whole number from 1 up."),
        ({"seed": "a"}, "seed is 'a'; write a whole number from 0 up."),
        ({"only": 3}, "only is 3; write the name of a check"),
        ({"reference": 3}, "The reference is int."),
    ],
)
def test_what_is_asked_for_by_a_wrong_name_is_told(options, said):
    with pytest.raises(gradcheck.CaseError, match=re.escape(said)):
        gradcheck.check(averaged, **options)


@pytest.mark.parametrize("what", [3, None, [rnn]])
def test_what_cannot_be_checked_is_told(what):
    with pytest.raises(gradcheck.CaseError, match="is nothing that can be checked"):
        gradcheck.check(what)


def test_ones_own_numbers():
    point = gradcheck.at(rnn, NUMBERS, {"dh": [[1.0]]}, twin)
    assert point.ok
    assert np.allclose(point.gradients["db"], 1 - np.tanh(0.65) ** 2)
    assert np.allclose(point.truth["autograd"]["db"], point.gradients["db"])
    assert point.findings["dW[autograd]"] == Right(point.findings["dW[autograd]"].comparison)
    assert json.loads(json.dumps(point.to_dict()))["ok"]


def test_ones_own_numbers_over_time():
    steps = {**NUMBERS, "x": np.arange(6.0).reshape(3, 1, 2) / 10}
    point = gradcheck.at(rnn, steps, steps=3)
    assert point.ok
    assert set(point.cotangents) == {"dh", "dh_last"}
    assert point.gradients["dx"].shape == (3, 1, 2)
    with pytest.raises(gradcheck.CaseError, match="steps is 2, but the inputs have 3 along time"):
        gradcheck.at(rnn, steps, steps=2)


def test_ones_own_numbers_are_gone_through_entry_by_entry():
    def faint(x: "B"):
        """All entries but the first are nothing beside the norm, and of the wrong sign."""
        small = 10.0 ** (-20 * np.arange(len(x)))
        return x * small, lambda dy: dy * np.where(small < 1, -small, small)

    point = gradcheck.at(faint, {"x": np.array([0.5, 2.0])})
    assert not point.ok
    assert point.findings["dx[fd]"].index == (1,)


def test_a_wrong_gradient_at_ones_own_numbers():
    given = {"x": np.ones((2, 1)), "W": np.ones((1, 1)), "b": np.zeros(1)}
    point = gradcheck.at(averaged, given, {"dy": np.ones((2, 1))})
    assert not point.ok
    assert isinstance(point.findings["db[fd]"], Wrong)
    assert "db[fd]: db disagrees with the complex step" in str(point)
    assert given["x"].flags.writeable


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"W": None}, "rnn needs W, of shape 'D H'."),
        ({"Wf": [[1.0]]}, "rnn has no argument 'Wf'. Did you mean 'W'?"),
        ({"W": [[0.1, 0.2]]}, 'axis 0 of W is 1 long, but is to be "D" with D=2 by axis 1 of x.'),
        ({"W": 0.1}, "W has shape (), but is to be 'D H'."),
        ({"W": "weights"}, "W is str, not an array of numbers."),
    ],
)
def test_numbers_that_do_not_fit_are_told(change, said):
    given = {name: value for name, value in {**NUMBERS, **change}.items() if value is not None}
    with pytest.raises(gradcheck.CaseError, match=re.escape(said)):
        gradcheck.at(rnn, given)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"inputs": [1.0]}, "inputs is list; write a dict of arrays by name."),
        ({"cotangents": [1.0]}, "cotangents is list; write a dict of arrays by name."),
        ({"cotangents": {"dz": 1.0}}, "rnn has no cotangent 'dz'."),
        ({"cotangents": {"dh": [1.0]}}, "dh has shape (1,), but h has shape (1, 1)."),
        ({"steps": -1}, "steps is -1; write a whole number from 0 up."),
        ({"steps": "2"}, "steps is '2'; write a whole number from 0 up."),
    ],
)
def test_what_else_does_not_fit_ones_own_numbers_is_told(more, said):
    with pytest.raises(gradcheck.CaseError, match=re.escape(said)):
        gradcheck.at(rnn, **{"inputs": NUMBERS, **more})


def test_mutants_of_a_function():
    mutation = gradcheck.mutate(rnn, most=5, profile="fast")
    assert mutation.ok
    (score,) = mutation
    assert score.killed == 5


def test_a_cell_is_made_once_and_says_what_it_has():
    made = gradcheck.cell(rnn)
    assert made.gradients == ("dx", "dh_prev", "dW", "dU", "db")
    with pytest.raises(gradcheck.CaseError, match="no shape string"):
        gradcheck.cell(lambda x: x)


def test_importing_gradcheck_imports_nothing_else():
    said = "import gradcheck, sys; print([n for n in ('numpy', 'torch') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, encoding="utf-8")
    assert done.stdout == "[]\n"


def test_the_examples_of_the_page_run(capsys):
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, flags=re.M | re.S)
    text = "\n".join(block for language, block in blocks if language == "python")
    name = "<docs/api.md>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    space = {}
    exec(compile(text, name, "exec"), space)
    said = capsys.readouterr().out
    shown = next(block for language, block in blocks if not language)
    unmeasured = re.compile(r"\de-1\d")
    assert unmeasured.sub("#", shown) in unmeasured.sub("#", said)
    with pytest.raises(gradcheck.WrongGradient):
        space["test_my_cell"]()
