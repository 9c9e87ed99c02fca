"""A whole training run: by hand and by autograd it is one curve, and a mistake parts it."""

import functools
import itertools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from gradcheck.source import execute

ROOT = Path(__file__).parent.parent
CASE = ROOT / "cases" / "char_lstm.py"
PAGE = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
program = execute.module(ROOT / "examples" / "train.py")
Gradient = execute.module(ROOT / "examples" / "models.py").Gradient

# Over 40 steps the losses, which begin at 3.7 or at 93, were apart by at most 1.3e-15 of that with
# each of six seeds; the least of the mistakes below makes 1e-9 of it at once. Over 300 steps of
# the larger LSTM it was 7e-14, and rounding grows with every further step.
SHORT, LONG = 1e-13, 1e-11

MISTAKES = {
    "the sigmoid's slope": ("dc * cs[t] * f * (1 - f)", "dc * cs[t] * (1 - f)"),
    "c after the step": ("daf = dc * cs[t] * f", "daf = dc * cs[t + 1] * f"),
    "one step of many": ("dWf += z.T @ daf", "dWf = z.T @ daf"),
    "a sign": ("dWf += z.T @ daf", "dWf -= z.T @ daf"),
    "dc not gathered": ("dc = dc + dh * o", "dc = dh * o"),
    "a mean over B": ("(np.exp(log_p) - y) / (T * B)", "(np.exp(log_p) - y) / B"),
    "one hundredth": ("dWf += z.T @ daf", "dWf += 1.01 * z.T @ daf"),
}


@pytest.fixture(autouse=True)
def _as_many_threads_as_before():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def small(name):
    """A model of 16 units, and the text in its chunks."""
    model = replace(program.MODELS[name], hidden=16, steps=40)
    return model, program.cut(program.TEXT.read_text(encoding="utf-8"), 25, model.batch)


def trained(name, differentiate, seed=0, steps=40):
    """The losses of so many steps."""
    model, corpus = small(name)
    runs = program.descent(model, differentiate, program.start(model, corpus, seed), corpus)
    return np.array([loss for loss, _ in itertools.islice(runs, steps)])


def by_hand(name, path=None):
    model = program.MODELS[name]
    path = path or ROOT / "cases" / f"{model.name}.py"
    return program.by_hand(model, getattr(execute.module(path), model.name))


@functools.cache
def by_autograd(name, seed=0):
    """The losses of 40 steps by autograd."""
    model = program.MODELS[name]
    return trained(
        name, program.by_autograd(model, program.function(model.name, "reference")), seed
    )


def slipped(name, folder):
    right, wrong = MISTAKES[name]
    text = CASE.read_text(encoding="utf-8")
    assert text.count(right) == 1
    path = folder / "char_lstm.py"
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    return by_hand("lstm", path)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", program.MODELS)
def test_by_hand_and_by_autograd_the_curve_is_one_up_to_rounding(name, seed):
    hand, autograd = trained(name, by_hand(name), seed), by_autograd(name, seed)
    model, corpus = small(name)
    nothing = np.log(len(corpus.alphabet)) * (25 if model.summed else 1)
    assert np.abs(hand - autograd).max() < SHORT * nothing
    assert hand[0] == pytest.approx(nothing, rel=0.02)
    assert hand[-10:].mean() < 0.87 * hand[0]


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_parts_the_curves_at_the_second_step_though_the_loss_still_falls(name, tmp_path):
    wrong = trained("lstm", slipped(name, tmp_path))
    apart = np.abs(wrong - by_autograd("lstm"))
    assert apart[0] < SHORT  # no gradient has been used yet
    assert apart[1] > 1e3 * SHORT
    assert apart.max() > 1e5 * SHORT
    assert wrong[-10:].mean() < wrong[0] - 0.5


def test_the_lstm_that_is_trained_is_that_of_the_article():
    model, corpus = small("lstm")
    parameters, state = program.start(model, corpus, 0), model.empty(model.batch, model.hidden)
    read = corpus.inputs[0], corpus.targets[0]
    trained = by_hand("lstm")(parameters, state, *read)
    article = execute.module(ROOT / "cases" / "lstm_softmax.py").lstm_softmax
    (loss, *_), backward = article(*state, **parameters, tokens=read[0], targets=read[1])
    _, _, dWf, dWi, dWc, dWo, dWy, dbf, dbi, dbc, dbo, dby = backward(
        1.0, *map(np.zeros_like, state)
    )
    assert trained.loss == pytest.approx(loss, rel=1e-14)
    theirs = dict(zip(parameters, (dWf, dWi, dWc, dWo, dbf, dbi, dbc, dbo, dWy, dby), strict=True))
    for name, gradient in trained.parameters.items():
        np.testing.assert_allclose(gradient, theirs[name], rtol=1e-9, atol=1e-16)


def test_one_seed_has_one_curve_and_another_has_another():
    first, again, other = (trained("lstm", by_hand("lstm"), seed, 3) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_the_state_goes_on_from_chunk_to_chunk_and_is_empty_where_the_text_begins():
    model, corpus = small("gru")
    seen = []

    def differentiate(parameters, state, inputs, targets):
        seen.append(float(state[0][0, 0]))
        last = np.full_like(state[0], len(seen))
        nothing = {name: np.zeros_like(value) for name, value in parameters.items()}
        return Gradient(1.0, nothing, (last,))

    chunks = len(corpus.inputs)
    runs = program.descent(model, differentiate, program.start(model, corpus, 0), corpus)
    list(itertools.islice(runs, chunks + 2))
    assert seen == [*range(chunks), 0, chunks + 1]


def test_min_char_rnn_is_clipped_before_its_optimiser_and_the_others_are_not():
    for name, limit in (("rnn", 5), ("lstm", np.inf), ("gru", np.inf)):
        given = []

        def keep(parameters, gradients, memory, rate, given=given):
            given.append(max(np.abs(gradient).max() for gradient in gradients.values()))
            return parameters, memory

        model, corpus = small(name)

        def differentiate(parameters, state, inputs, targets):
            large = {n: np.full_like(value, -70.0) for n, value in parameters.items()}
            return Gradient(1.0, large, state)

        model = replace(model, optimiser=keep)
        next(program.descent(model, differentiate, program.start(model, corpus, 0), corpus))
        assert given == [min(limit, 70)]


def test_a_column_goes_on_from_chunk_to_chunk_and_a_target_is_the_next_character():
    text = "abcdefghijklmnopqrstu"
    corpus = program.cut(text, 3, 2)
    assert corpus.inputs.shape == corpus.targets.shape == (3, 3, 2)

    def column(codes, b):
        return "".join(corpus.alphabet[k] for k in codes[:, :, b].ravel())

    assert [column(corpus.inputs, b) for b in (0, 1)] == ["abcdefghi", "jklmnopqr"]
    assert [column(corpus.targets, b) for b in (0, 1)] == ["bcdefghij", "klmnopqrs"]


def invoked(*arguments):
    return CliRunner().invoke(program.main, [str(argument) for argument in arguments])


def test_the_page_shows_what_is_printed():
    (shown,) = re.findall(r"^```\n(.*?)^```$", PAGE, flags=re.M | re.S)
    printed = invoked("lstm").output
    assert _lines(shown) == _lines(printed)
    largest = re.search(r"largest +(\S+) +(\S+)", printed).groups()
    assert max(map(float, largest)) < LONG


def _lines(printed):
    """The lines without figures of the size of rounding, which other versions may move."""
    text = re.sub(r"\d\.\de[+-]\d\d", "#", printed.strip())
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_the_figure_is_the_same_each_time(tmp_path):
    drawn = []
    for name in ("one.svg", "two.SVG"):
        result = invoked("gru", "--steps", 5, "--hidden", 4, "--plot", tmp_path / name)
        assert result.exit_code == 0, result.output
        assert "".join(result.output.split()).endswith(f"Thecurvesarein{tmp_path / name}.")
        drawn.append((tmp_path / name).read_bytes())
    assert drawn[0] == drawn[1]
    assert b"rounding alone" in drawn[0]


def test_what_cannot_be_trained_is_refused_in_a_sentence(tmp_path):
    short, other = tmp_path / "short.txt", tmp_path / "other.txt"
    short.write_text("a" * 200, encoding="utf-8")
    other.write_bytes(b"ab\xff")
    said = {
        ("--text", short): "The text has 200 characters, but 8 sequences of 25 and the character "
        "after the last need 201.",
        ("--text", tmp_path / "none.txt"): "none.txt cannot be read: No such file or directory.",
        ("--text", other): "other.txt cannot be read: it is not UTF-8 at byte 2.",
        ("--plot", tmp_path / "curve.doc"): "curve.doc should end in one of .",
        ("--plot", tmp_path / "none" / "curve.svg"): "There is no folder ",
        ("--steps", 0): "Invalid value for '--steps'",
        ("--rate", "nan", "--steps", 3): "The loss is nan at step 2; try a smaller rate than nan.",
        ("rnn", "--batch", 2): "min_char_rnn reads one sequence: leave out --batch, which is 2.",
        ("transformer",): "'transformer' is not one of 'rnn', 'lstm', 'gru'.",
    }
    for arguments, sentence in said.items():
        result = invoked(*arguments)
        assert result.exit_code != 0
        assert sentence in result.output
        assert "Traceback" not in result.output


@pytest.mark.parametrize("name", program.MODELS)
def test_the_smallest_text_is_enough(name, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("a" * 201, encoding="utf-8")
    result = invoked(name, "--text", path, "--steps", 2, "--hidden", 1, "--sample", 3)
    assert result.exit_code == 0
    assert re.match(r"step 2: loss -?0\.0000, smoothed 0\.0000, rate 0\.01\n\naaa\n", result.output)


def interrupted(steps):
    """The runs as they are, but Ctrl-C comes after so many steps."""
    runs = program.side_by_side

    def side_by_side(*arguments):
        yield from itertools.islice(runs(*arguments), steps)
        raise KeyboardInterrupt

    return side_by_side


def test_ctrl_c_ends_with_a_sample_and_the_curves_so_far(tmp_path, monkeypatch):
    monkeypatch.setattr(program, "side_by_side", interrupted(3))
    figure = tmp_path / "curves.svg"
    result = invoked("gru", "--hidden", 4, "--sample", 7, "--plot", figure)
    assert result.exit_code == 130
    assert re.match(r"interrupted after step 3\n\n.{7}\n\n +step +by hand", result.output, re.S)
    assert re.search(r"^ +3 +3\.\d{6} ", result.output, re.M)
    assert figure.is_file()


def test_ctrl_c_before_the_first_step_leaves_a_sample_only(monkeypatch):
    monkeypatch.setattr(program, "side_by_side", interrupted(0))
    result = invoked("gru", "--hidden", 4, "--sample", 7)
    assert result.exit_code == 130
    assert re.fullmatch(r"interrupted after step 0\n\n.{7}\n\n", result.output, re.S)
