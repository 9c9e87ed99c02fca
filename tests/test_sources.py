"""docs/sources.md: what it says was found in the sources is found again, with its figures."""

import re
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from click.testing import CliRunner

from gradcheck.api import proofread
from gradcheck.checking.check import checks
from gradcheck.lines.proof import WRONG
from gradcheck.oracles import complex_step, twins
from gradcheck.oracles.loss import Loss
from gradcheck.show import proofs
from gradcheck.source import execute
from gradcheck.source.cases import read
from tests import helpers

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^```\n(.*?)^```$", PAGE, flags=re.M | re.S)
DRAWS = 5
NOT_DIVIDED = ("(p - one_hot[targets[t]]) / (T * B)", "(p - one_hot[targets[t]]) / B")


@pytest.fixture
def edited(tmp_path, monkeypatch):
    """A case with lines changed, in a folder called cases where the test runs."""
    monkeypatch.chdir(tmp_path)
    Path("cases").mkdir()

    def edit(name, *edits, cell=None):
        text = (ROOT / "cases" / f"{name}.py").read_text(encoding="utf-8")
        for old, new in edits:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path = Path("cases") / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        return next(c for c in read(path) if c.name == (cell or name))

    return edit


def errors(cell, inputs, cotangents):
    """How far each gradient is from the complex step, relative to its largest entry."""
    outputs, backward = cell.run(inputs)
    found = {}
    for argument, got in zip(cell.arguments, backward(cotangents), strict=True):
        loss = Loss(lambda values: cell.run(values)[0], inputs, cotangents, outputs)
        true = complex_step.gradient(loss, argument.name)
        scale = np.abs(true.value).max() or 1.0
        found[argument.name] = float(np.abs(got - true.value).max() / scale)
    return found


def said(error, digits=0):
    return "0" if error < 1e-14 else f"{error:.{digits}%}"


def row(first):
    """The cells of the page's table row that begins so."""
    (line,) = re.findall(rf"^\| {re.escape(first)} \|(.*)\|$", PAGE, flags=re.M)
    return [cell.strip() for cell in line.split("|")]


def message(cell, label):
    """What a failing check says, without the lines that are wrong, which take longer to find."""
    twin = twins.find(cell, ROOT / "reference" / cell.source.path.name)
    (check,) = [check for check in checks(cell, twin) if check.label == label]
    return helpers.message(check, command="")


def test_a_gradient_that_is_not_divided_by_the_steps_is_told_so(edited):
    told = message(edited("lstm_softmax", NOT_DIVIDED), "dby[autograd]")
    assert unmeasured(told).startswith(unmeasured(SHOWN[2]))
    assert "\ndby is T times what it should be.\n" in told


def unmeasured(text):
    return re.sub(r"\de-1\d", "#", text)


@pytest.mark.parametrize("steps", [1, 3, 5])
def test_every_gradient_is_then_t_times_what_it_should_be(edited, steps):
    right, wrong = edited("lstm_softmax"), edited("lstm_softmax", NOT_DIVIDED)
    inputs = language(right, steps, seed=0)
    cotangents = from_the_loss(inputs)
    gradients = [cell.run(inputs)[1](cotangents) for cell in (wrong, right)]
    for by_t, true in zip(*gradients, strict=True):
        np.testing.assert_allclose(by_t, steps * true, rtol=0, atol=1e-14 * np.abs(by_t).max())


def language(cell, steps, seed):
    """Inputs of a language model of 8 units and 6 characters that starts from zero states."""
    rng = np.random.default_rng(seed)
    inputs = {}
    for argument in cell.arguments:
        shape = argument.shape.sizes({"B": 1, "H": 8, "V": 6})
        matrix = argument.name.startswith("W")
        inputs[argument.name] = (
            rng.normal(size=shape) / np.sqrt(shape[0] / 2) if matrix else np.zeros(shape)
        )
    inputs["tokens"] = rng.integers(6, size=(steps, 1))
    inputs["targets"] = rng.integers(6, size=(steps, 1))
    return inputs


def from_the_loss(inputs):
    return [np.array(1.0), np.zeros(inputs["h0"].shape), np.zeros(inputs["c0"].shape)]


def test_the_line_of_the_usual_lstm_is_wrong_where_the_tanh_is_handed_on(edited):
    lines = (
        "dc = dc + dh * o  # both paths leave from c = tanh(s): right here, wrong in cases/lstm.py,"
        "\n        ds = dc * (1 - c**2)"
    )
    cell = edited("lstm_tanh_carry", (lines, "ds = dc + dh * o * (1 - c**2)"))
    assert proofread_as_shown(cell, SHOWN[3])


def test_the_line_of_the_other_lstm_is_wrong_in_the_usual_one(edited):
    line = "dc = dc + dh * o * (1 - np.tanh(c) ** 2)"
    cell = edited("lstm", (line, "dc = (dc + dh * o) * (1 - np.tanh(c) ** 2)"))
    assert proofread_as_shown(cell, SHOWN[4])


def proofread_as_shown(cell, shown):
    (proof,) = proofread(cell.source.path)
    lines = proofs.text(proof, numbers=False).plain.splitlines()
    count = len(shown.splitlines())
    return [line.split() for line in lines[:count]] == [line.split() for line in shown.splitlines()]


def test_the_sign_that_the_thread_gives_a_squared_loss_is_the_wrong_one(edited):
    cell = edited("squared_loss", ("dloss * (y - target)", "dloss * (target - y)"))
    assert proofread_as_shown(cell, SHOWN[1])


def test_the_line_of_the_slide_for_all_parameters_lacks_a_transpose(edited):
    cell = edited("lstm_slide_stacked", ("dTheta = dhat @ xh.T", "dTheta = dhat @ xh"))
    assert message(cell, "dTheta[autograd]").startswith(SHOWN[6])


def test_the_log_of_the_example_is_as_shown():
    program = execute.module(ROOT / "examples" / "three_words.py")
    printed = CliRunner().invoke(program.main, ["--weights", "apart", "--steps", "0"]).output
    assert _exact(SHOWN[5]) in _exact(printed)


def _exact(log):
    """A log without how far autograd is, which is rounding."""
    return re.sub(r"\d[+-]?e-[12]\d |0e\+00 ", "# ", log)


def test_the_lines_that_the_articles_names_stand_for_are_those_of_the_cases():
    _, table = PAGE.split("| in the articles |")
    lines = re.findall(r"^\|.*\| (`.*) \|$", table.split("\n\n")[0], flags=re.M)
    text = "".join(
        (ROOT / "cases" / f"{name}.py").read_text(encoding="utf-8")
        for name in ("lstm_column", "next_word")
    )
    assert len(lines) == 8
    for line in lines:
        for code in re.findall(r"`(.*?)`", line):
            assert code in text, code


@pytest.mark.parametrize("steps", [1, 2, 4, 8])
def test_what_is_handed_on_is_wrong_from_the_second_step_on(edited, steps):
    cell = edited(
        "lstm_softmax",
        ("        c = f * c_prev + i * g\n", "        c = np.tanh(f * c_prev + i * g)\n"),
        ("h = o * np.tanh(c)\n", "h = o * c\n"),
        ("do = dh * np.tanh(c)", "do = dh * c"),
        ("dh * o * (1 - np.tanh(c) ** 2)", "dh * o * (1 - c**2)"),
    )
    drawn = [language(cell, steps, seed) for seed in range(DRAWS)]
    found = [errors(cell, inputs, from_the_loss(inputs)) for inputs in drawn]
    names = ["Wf", "Wi", "Wc", "Wo", "Wy"]
    assert [said(median(e[name] for e in found), 1) for name in names] == row(str(steps))


def test_the_published_step_of_cs231n_writes_into_its_callers_array(edited):
    line = (
        "dc = dc + (1 - z * z) * dz  # published as dc += ..., which overwrites the caller's array"
    )
    cell = edited("lstm_cs231n", (line, "dc += (1 - z * z) * dz"))
    assert message(cell, "law[purity]").startswith(SHOWN[0])


@pytest.mark.parametrize(
    ("first", "common", "noise"),
    [
        ("the same", 1, 0),
        ("the same, and a hundredth of noise", 1, 0.01),
        ("the same, and a tenth of noise", 1, 0.1),
        ("all noise", 0, 1),
    ],
)
def test_outputs_in_the_order_of_the_steps_are_hidden_by_cotangents_alike(
    edited, first, common, noise
):
    cell = edited(
        "multilayer_bidirectional",
        (
            "h = np.stack([np.concatenate([fwd[t], bwd[t]], axis=0) for t in range(T)])",
            "h = np.stack([np.concatenate(b) for b in zip(fwd.values(), bwd.values())])",
        ),
        cell="bidirectional_column_lstm",
    )
    found = []
    for seed in range(DRAWS):
        rng = np.random.default_rng(seed)
        inputs = {"forget_bias": 1.0}
        for argument in cell.arguments:
            shape = argument.shape.sizes({"T": 5, "B": 2, "H": 4, "D": 3})
            scale = np.sqrt(shape[-1] / 2) if argument.name.startswith("W") else 1.0
            inputs[argument.name] = rng.normal(size=shape) / scale
        dh = common + noise * rng.normal(size=(5, 8, 2))
        found.append(errors(cell, inputs, [dh, np.zeros((2, 4, 2)), np.zeros((2, 4, 2))]))
    digits = 1 if common else 0
    assert [said(median(e[n] for e in found), digits) for n in ("x", "W_fwd", "W_bwd")] == row(
        first
    )


@pytest.mark.parametrize(
    ("mask", "error"), [([[1, 1], [1, 1]], 0), ([[1, 1], [1, 0]], 0.25), ([[1, 0], [1, 0]], 0.5)]
)
def test_a_loss_over_the_mask_and_a_gradient_over_all_positions_differ(edited, mask, error):
    cell = edited(
        "cross_entropy",
        (
            "loss = -(mask[:, :, None] * y * log_p).sum() / count",
            "loss = -(y * log_p).sum() / count",
        ),
        (
            "dlogits = dloss * mask[:, :, None] * (np.exp(log_p) - y) / count",
            "dlogits = dloss * (np.exp(log_p) - y) / mask.size",
        ),
        cell="cross_entropy_masked_mean",
    )
    rng = np.random.default_rng(0)
    inputs = {"h": rng.normal(size=(2, 2, 3)), "Wy": rng.normal(size=(3, 4))}
    inputs |= {"by": rng.normal(size=4), "targets": rng.integers(4, size=(2, 2))}
    inputs["mask"] = np.array(mask, float)
    found = errors(cell, inputs, [np.array(1.0)])
    assert list(found.values()) == pytest.approx([error] * 3, abs=1e-14)


def test_the_slide_has_four_misprints_with_these_errors():
    (proof,) = proofread(ROOT / "docs" / "slide.md")
    wrong = [line for line in proof.lines if line.verdict == WRONG]
    assert len(wrong) == 4
    for line in wrong:
        assert row(f"`{line.source}`") == [f"`{line.mends[0]}`", f"{line.error:.2g}"]


@pytest.mark.parametrize("first", ["the four gates have the same", "each gate has its own"])
def test_equal_gates_hide_one_in_the_place_of_another(edited, first):
    cell = edited("simple_lstm", ("ds_prev = ds * f", "ds_prev = ds * i"))
    rng = np.random.default_rng(0)
    sizes = {"B": 2, "D": 3, "H": 4}
    inputs = {a.name: rng.normal(size=a.shape.sizes(sizes)) for a in cell.arguments}
    if first == "the four gates have the same":
        for gate in "ifo":
            inputs[f"W{gate}"], inputs[f"b{gate}"] = inputs["Wg"], inputs["bg"]
    found = errors(cell, inputs, [rng.normal(size=(2, 4)), rng.normal(size=(2, 4))])
    assert [said(found.pop("s_prev"))] == row(first)
    assert max(found.values()) < 1e-14


def test_every_link_of_the_page_leads_somewhere():
    titles = {re.sub(r"\W+", "-", title.lower()) for title in re.findall(r"^## (.*)$", PAGE, re.M)}
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        if target.startswith("#"):
            assert target[1:] in titles
        else:
            assert (ROOT / "docs" / target).is_file(), target


def test_every_system_that_the_page_names_is_a_case():
    summary = PAGE.split("## ")[0]
    for name in re.findall(r"`(\w+)`", summary):
        assert (ROOT / "cases" / f"{name}.py").is_file(), name
