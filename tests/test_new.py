"""``gradcheck new``: what it writes passes at once, and it never writes over anything."""

import ast
from pathlib import Path

import pytest
import torch  # noqa: F401  # before pytester, which would unload it between its runs
from click.testing import CliRunner

import gradcheck
from gradcheck.cells.cell import Cell
from gradcheck.cli import main
from gradcheck.source.cases import read


def invoked(*arguments):
    return CliRunner().invoke(main, ["new", *arguments])


def test_a_new_case_and_its_twin_pass_at_once(pytester, monkeypatch):
    monkeypatch.chdir(pytester.path)
    pytester.makeini("[pytest]\ngradcheck_cases = cases\naddopts = --hypothesis-profile=fast\n")
    result = invoked("minimal_gate")
    assert result.exit_code == 0
    assert result.output == (
        "Wrote cases/minimal_gate.py and reference/minimal_gate.py. "
        "To check them: pytest cases/minimal_gate.py\n"
    )
    pytester.runpytest("cases/minimal_gate.py").assert_outcomes(passed=27)


def test_a_file_that_is_there_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "mine.py").write_text("precious")
    result = invoked("mine")
    assert result.exit_code == 1
    assert result.output == "Error: reference/mine.py exists already, and is left as it is.\n"
    assert not (tmp_path / "cases").exists()


def test_a_name_that_no_function_can_have_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("peephole-lstm", "class", "_hidden", "2nd", "../up"):
        result = invoked(name)
        assert result.exit_code == 1
        assert f"{name!r} cannot be the name of a function." in result.output
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cases").write_text("a file")
    result = invoked("mine")
    assert result.exit_code == 1
    assert result.output.startswith("Error: cases/mine.py cannot be written: ")


ROOT = Path(__file__).parent.parent


def test_a_case_like_another_has_its_derivation_and_its_twin(pytester, monkeypatch):
    monkeypatch.chdir(pytester.path)
    pytester.makeini("[pytest]\ngradcheck_cases = cases\naddopts = --hypothesis-profile=fast\n")
    result = invoked("mine", "--like", "lstm_cs231n")
    assert result.exit_code == 0
    assert result.output.startswith("Wrote cases/mine.py and reference/mine.py. ")
    text = (pytester.path / "cases" / "mine.py").read_text(encoding="utf-8")
    functions = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert functions == ["mine", "sigmoid"]  # and no cell beside it that it does not need
    assert text.startswith('"""LSTM step and sequence of Stanford')
    twin = (pytester.path / "reference" / "mine.py").read_text(encoding="utf-8")
    assert "def mine(" in twin
    assert "_ifgo" in twin
    outcomes = pytester.runpytest("cases/mine.py", "-k", "forward or dWx").parseoutcomes()
    assert set(outcomes) == {"passed", "deselected"}


FORWARD = '''"""A gate, from a paper."""

import numpy as np


def gate(x: "B D", h_prev: "B H", W: "D 2*H", b: "2*H"):
    f, a = np.split(x @ W + b, 2, axis=1)
    c = sigmoid(f) * h_prev + a
    h = np.tanh(c) + x[:, :1]
    return h, c


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
'''

STUBBED = '''"""A gate, from a paper."""

import numpy as np


def mine(x: "B D", h_prev: "B H", W: "D 2*H", b: "2*H"):
    f, a = np.split(x @ W + b, 2, axis=1)
    c = sigmoid(f) * h_prev + a
    h = np.tanh(c) + x[:, :1]

    def backward(dh, dc):
        # h = np.tanh(c) + x[:, :1]
        dc = dc + ...
        # c = sigmoid(f) * h_prev + a
        df = ...
        dh_prev = ...
        da = ...
        # f, a = np.split(x @ W + b, 2, axis=1)
        dx = ...  # a sum: x is read in several lines
        dW = ...
        db = ...
        return dx, dh_prev, dW, db

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
'''


def test_a_forward_gets_a_stub_for_each_gradient_at_its_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.py").write_text(FORWARD, encoding="utf-8")
    result = invoked("mine", "--like", "notes.py::gate")
    assert result.output == "Wrote cases/mine.py. To check it: pytest cases/mine.py\n"
    assert (tmp_path / "cases" / "mine.py").read_text(encoding="utf-8") == STUBBED
    assert not (tmp_path / "reference").exists()
    report = gradcheck.check("cases/mine.py")
    (verdict,) = report.verdicts
    assert verdict.finding.kind == "unfinished"
    assert [(one.label, one.unjudged) for one in report.results] == [
        ("backward", {"not derived": 4})
    ]


def test_a_cell_of_the_folder_of_cases_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "notes.py").write_text(FORWARD, encoding="utf-8")
    assert invoked("mine", "--like", "gate").exit_code == 0
    text = (tmp_path / "cases" / "mine.py").read_text(encoding="utf-8")
    assert text == STUBBED


@pytest.mark.parametrize(
    ("like", "said"),
    [
        ("ltsm", "There is no cell 'ltsm' in cases. Did you mean 'lstm'?\nWrite its name, or FILE"),
        ("no.py", "no.py cannot be read: No such file or directory."),
        ("notes.py", "notes.py has several cells.\nWrite notes.py::NAME, with one of gate, other."),
        ("notes.py::sigmoid", "notes.py has no cell sigmoid; it has gate, other."),
        ("broken.py", "broken.py:1 is not Python"),
    ],
)
def test_what_there_is_not_to_start_from_is_told(tmp_path, monkeypatch, like, said):
    monkeypatch.chdir(tmp_path)
    again = FORWARD.partition("def gate")[2].partition("\n\n\n")[0]
    text = f"{FORWARD}\n\ndef other{again}\n"
    (tmp_path / "notes.py").write_text(text, encoding="utf-8")
    (tmp_path / "broken.py").write_text("def (:", encoding="utf-8")
    result = invoked("mine", "--like", like)
    assert result.exit_code == 1
    assert said in result.output
    assert not (tmp_path / "cases").exists()


def test_a_case_that_is_built_from_another_needs_it_beside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoked("mine", "--like", str(ROOT / "cases" / "next_word.py"))
    assert result.exit_code == 1
    assert "next_word is built from lstm_column.py, which is not in cases.\nCopy " in result.output
    result = invoked("mine", "--like", str(ROOT / "cases" / "translator.py"))
    assert result.exit_code == 1
    assert (
        "translator is built from cross_entropy.py, embedding.py, lstm_cs231n.py, "
        "masked_attention.py, ragged_lstm.py, which are not in cases.\nCopy "
    ) in result.output
    (tmp_path / "cases").mkdir()
    for name in ("lstm_column.py", "cross_entropy.py"):
        text = (ROOT / "cases" / name).read_text(encoding="utf-8")
        (tmp_path / "cases" / name).write_text(text, encoding="utf-8")
    assert invoked("mine", "--like", str(ROOT / "cases" / "next_word.py")).exit_code == 0
    (cell,) = read(tmp_path / "cases" / "mine.py")
    assert isinstance(cell, Cell), cell.message


def test_any_case_can_be_started_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for like in ("bidirectional_lstm", "variational_lstm", "odyssey", "encoder_decoder", "rwkv"):
        path = ROOT / "cases" / f"{like}.py"
        (name, *_) = [cell.name for cell in read(path)]
        assert invoked(f"my_{like}", "--like", name).exit_code == 0
        cells = read(tmp_path / "cases" / f"my_{like}.py")
        assert isinstance(cells[0], Cell), cells[0].message
