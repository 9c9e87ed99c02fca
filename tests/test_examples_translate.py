"""The translator learns to reverse strings by gradients derived by hand, and says what it does."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from gradcheck.source import execute

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "translator.md").read_text(encoding="utf-8")
program, reversing, digits, pictures = (
    execute.module(ROOT / "examples" / f"{name}.py")
    for name in ("translate", "reversing", "digits", "pictures")
)


@pytest.fixture(scope="module")
def cell():
    return program.function("translator")


def started(uniform=False, hidden=4):
    return reversing.initial(hidden, np.random.default_rng(0), uniform=uniform)


def taken(cell, steps, uniform=False):
    training = program.training(cell, started(uniform), 0, size=16, rate=0.02, uniform=uniform)
    return list(itertools.islice(training, steps))


def test_a_batch_is_padded_and_says_where_it_ends():
    batch = digits.batch(["123", "40"])
    end, start = digits.END, digits.START
    assert batch.source.T.tolist() == [[1, 2, 3], [4, 0, 0]]
    assert batch.lengths.tolist() == [3, 2]
    assert batch.targets.T.tolist() == [[3, 2, 1, end], [0, 4, end, 0]]
    assert batch.given.T.tolist() == [[start, 3, 2, 1], [start, 0, 4, 0]]
    assert batch.mask.T.tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]


def test_a_text_ends_at_the_first_token_that_is_no_digit():
    assert digits.text([3, 0, digits.END, 7]) == "30"
    assert digits.text([digits.START, 7]) == ""
    assert digits.text([1, 2]) == "12"


def test_what_is_asked_is_never_trained_on():
    asked = program.unseen(0)
    assert len(set(asked)) == program.ASKED
    assert {len(string) for string in asked} == {*range(program.SHORTEST, program.LONGEST + 1)}
    short = frozenset(f"{k}" for k in range(9))
    strings = digits.drawn(np.random.default_rng(0), 1, 1, without=short)
    assert set(itertools.islice(strings, 5)) == {"9"}


def test_the_gradients_of_a_step_are_those_of_autograd(cell):
    twin = execute.module(ROOT / "reference" / "translator.py").translator
    parameters, asked = started(), digits.batch(["12", "5312", "998"])
    loss, gradients = reversing.differentiate(cell, parameters, asked)
    leaves = {name: torch.tensor(value).requires_grad_() for name, value in parameters.items()}
    theirs, *_ = twin(**leaves, **{name: torch.tensor(v) for name, v in vars(asked).items()})
    assert loss == pytest.approx(theirs.item(), rel=1e-12)
    derived = torch.autograd.grad(theirs, list(leaves.values()))
    for (name, hand), by_autograd in zip(gradients.items(), derived, strict=True):
        assert hand == pytest.approx(by_autograd.numpy(), rel=1e-9, abs=1e-12), name


def test_the_loss_falls_and_uniform_weights_stay_uniform(cell):
    losses, ends = zip(*taken(cell, 60), strict=True)
    assert losses[0] == pytest.approx(np.log(digits.TARGET_TOKENS), rel=0.1)
    assert np.mean(losses[-5:]) < losses[0] - 0.3
    assert all((ends[-1][name] != value).any() for name, value in started().items())

    (*_, (_, parameters)) = taken(cell, 3, uniform=True)
    assert not parameters["W_mem"].any()
    _, a = reversing.translated(cell, parameters, ["12", "5312"])
    assert a[:, :2, 0] == pytest.approx(1 / 2)
    assert (a[:, 2:, 0] == 0).all()
    assert a[:, :, 1] == pytest.approx(1 / 4)


def test_a_string_is_right_if_all_its_digits_are():
    assert reversing.right(["21", "435", "", "1"], ["12", "534", "1", "12"]) == 2


def test_a_string_is_written_as_if_it_were_alone(cell):
    (_, parameters) = taken(cell, 5)[-1]
    together, _ = reversing.translated(cell, parameters, ["1234567", "89", "5"])
    for string, said in zip(["1234567", "89", "5"], together, strict=True):
        (alone,), _ = reversing.translated(cell, parameters, [string])
        assert said[: len(alone)] == alone


def invoked(*arguments):
    return CliRunner().invoke(program.main, [str(argument) for argument in arguments])


def test_a_run_tells_its_curve_and_what_came_out(tmp_path):
    drawn = []
    for name in ("one.svg", "two.SVG"):
        result = invoked("--steps", 3, "--hidden", 2, "--batch", 4, "--plot", tmp_path / name)
        assert result.exit_code == 0, result.output
        drawn.append((tmp_path / name).read_bytes())
    assert drawn[0] == drawn[1]
    assert b"loss, nats per token" in drawn[0]
    lines = [line.split() for line in result.output.splitlines()]
    assert lines[0] == ["step", "loss"]
    assert [line[0] for line in lines[1:3]] == ["1", "3"]
    said = "".join(
        result.output.partition(" of 200 strings never seen come out right.\n")[2].split()
    )
    assert said == f"Theattentionandthecurvearein{tmp_path / name}."


@pytest.mark.parametrize("before", [0, 2])
def test_an_interrupt_ends_with_a_sample_and_the_curve_so_far(monkeypatch, tmp_path, before):
    steps = program.descent

    def interrupted(*given, **named):
        yield from itertools.islice(steps(*given, **named), before)
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "descent", interrupted)
    picture = tmp_path / "so_far.svg"
    result = invoked("--steps", 9, "--hidden", 2, "--batch", 4, "--plot", picture)
    assert result.exit_code == 130
    assert result.output.startswith(f"Interrupted after step {before}.\n")
    assert "not " in result.output  # a string that came out wrong
    assert "strings never seen come out right." in result.output
    assert picture.exists() == (before > 0)


def test_the_page_shows_the_strings_that_are_asked_and_its_command_is_understood():
    (shown,) = re.findall(r"^```\n(.*?)^```$", PAGE, flags=re.M | re.S)
    rows = [line.split() for line in shown.partition("written")[2].splitlines()[1:6]]
    assert [string for string, _ in rows] == program.unseen(0)[: pictures.SHOWN]
    assert all(said == string[::-1] for string, said in rows)
    (command,) = re.findall(r"python examples/translate.py (.*)$", PAGE, flags=re.M)
    program.main.make_context("translate", command.split())


def test_what_cannot_be_trained_is_refused_in_a_sentence(tmp_path):
    small = ("--steps", 3, "--hidden", 2, "--batch", 4)
    said = {
        ("--plot", tmp_path / "curve.doc"): "curve.doc should end in one of .",
        ("--plot", tmp_path / "none" / "curve.svg"): "There is no folder ",
        ("--steps", 0): "Invalid value for '--steps'",
        ("--rate", "nan"): "The loss is nan at step 2; try a smaller rate than nan.",
    }
    for arguments, sentence in said.items():
        result = invoked(*small, *arguments)
        assert result.exit_code != 0
        assert sentence in result.output
        assert "Traceback" not in result.output


def test_a_case_that_cannot_be_read_is_told(monkeypatch, tmp_path):
    monkeypatch.setitem(program.function.__globals__, "ROOT", tmp_path)
    result = invoked("--steps", 1)
    assert result.exit_code == 1
    path = tmp_path / "cases" / "translator.py"
    assert result.output == f"Error: {path} cannot be read: No such file or directory.\n"
