"""The translator is a system of cells: what breaks in one of them turns exactly its paths red."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from gradcheck.drawing import draw
from gradcheck.drawing.draw import Example
from gradcheck.evidence import Examiner
from gradcheck.oracles import complex_step, twins
from gradcheck.oracles.loss import Loss
from gradcheck.source.cases import read

ROOT = Path(__file__).parent.parent
PARTS = ("embedding", "ragged_lstm", "lstm_cs231n", "masked_attention", "cross_entropy")
SIZES = {"V": 2, "D": 3, "Y": 4, "H": 2, "A": 5, "S": 4, "B": 3, "T": 3}
EXAMPLE = Example(tuple(SIZES.items()), seed=1)
(RIGHT,) = read(ROOT / "cases" / "translator.py")
TWIN = twins.find(RIGHT, ROOT / "reference" / "translator.py")

SOURCE = {"dE_src"}
LOWER = {"dW1", "db1"}
UPPER = {"dW2", "db2"}
ENCODER = SOURCE | LOWER | UPPER
DECODER = {"dE_tgt", "dW_dec", "dU_dec", "db_dec"}
ATTENTION = {"dW_mem", "dW_att"}
HEAD = {"dWy", "dby"}
ALL = ENCODER | DECODER | ATTENTION | HEAD

# What is broken, in which file, and the gradients that it spoils.
MISTAKES = {
    "ids that repeat overwrite each other": (
        "embedding",
        ("np.add.at(dE, ids, dx)", "dE[ids] += dx"),
        SOURCE | {"dE_tgt"},
    ),
    "the loss is masked, its gradient is not": (
        "cross_entropy",
        ("dlogits = dloss * mask[:, :, None] * ", "dlogits = dloss * "),
        ALL,
    ),
    "the gradient of the state goes through the padding": (
        "ragged_lstm",
        ("dh_t = np.where(live[t], dh_prev, dh_t)", "dh_t = dh_prev"),
        ENCODER,
    ),
    "the cell state flows past the forget gate": (
        "lstm_cs231n",
        ("dc_prev = dc * f", "dc_prev = dc"),
        ENCODER | DECODER | ATTENTION,
    ),
    "the memory has no gradient through the keys": (
        "masked_attention",
        (" + dkeys @ W_mem.T", ""),
        ENCODER,
    ),
    "the softmax of the attention has the slope of a sigmoid": (
        "masked_attention",
        ("dscore = a * (da - (a * da).sum(axis=0))", "dscore = a * (1 - a) * da"),
        ENCODER | DECODER | ATTENTION,
    ),
    "the memory has the gradient of the first step alone": (
        "translator",
        ("dmemory += dmemory_t", "dmemory = dmemory_t"),
        ENCODER,
    ),
    "the attention that is fed to the next step has no gradient": (
        "translator",
        ("attend[t](dattention[t] + dfed, da[t])", "attend[t](dattention[t], da[t])"),
        ENCODER | DECODER | ATTENTION,
    ),
    "the cotangent of the attention's weights is lost": (
        "translator",
        ("dattention[t] + dfed, da[t]", "dattention[t] + dfed, 0 * da[t]"),
        ENCODER | DECODER | ATTENTION,
    ),
    "the decoder's start has no gradient": (
        "translator",
        ("upper_backward(dmemory, dh, dc)", "upper_backward(dmemory, 0 * dh, 0 * dc)"),
        ENCODER,
    ),
    "the backward direction's outputs are in the order of its steps": (
        "translator",
        ("backward_bwd(_turned(dh_bwd, lengths), ", "backward_bwd(dh_bwd, "),
        ENCODER,
    ),
    "the backward direction is turned with its padding": (
        "translator",
        ("dx = dx_fwd + _turned(dx_bwd, lengths)", "dx = dx_fwd + dx_bwd[::-1]"),
        SOURCE | LOWER,
    ),
    "the directions' last states change places": (
        "translator",
        ("_turned(dh_bwd, lengths), *dlast_bwd", "_turned(dh_bwd, lengths), *dlast_fwd"),
        ENCODER,
    ),
    "the directions' weights change places": (
        "translator",
        ("return dx, np.stack([dW_fwd, dW_bwd])", "return dx, np.stack([dW_bwd, dW_fwd])"),
        {"dW1", "dW2"},
    ),
}


@pytest.fixture
def edited(tmp_path, monkeypatch):
    """The translator among copies of its parts, one file of which has a line changed."""
    monkeypatch.chdir(tmp_path)
    Path("cases").mkdir()
    for name in ("translator", *PARTS):
        shutil.copy(ROOT / "cases" / f"{name}.py", "cases")

    def edit(name, old, new):
        path = Path("cases", f"{name}.py")
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, old
        path.write_text(text.replace(old, new), encoding="utf-8")
        return translator()

    return edit


def translator():
    (cell,) = read(Path("cases", "translator.py"))
    return cell


def red(cell):
    """The gradients that the twin, or the complex step, says are wrong on one example."""
    evidence = Examiner(cell, TWIN).evidence(EXAMPLE)
    loss = Loss.at(lambda values: cell.run(values)[0], evidence.inputs, evidence.cotangents)
    found = set()
    for argument in cell.arguments:
        name, hand = argument.name, evidence.hand[argument.name]
        step = complex_step.probed(loss, name)
        if far(hand, evidence.autograd(name).value):
            found.add(f"d{name}[autograd]")
        if far(step.seen(hand), step.value):
            found.add(f"d{name}[fd]")
    return found


def far(got, want):
    return np.abs(got - want).max() > 1e-9 * np.abs(want).max()


def nodes(gradients, oracles=("fd", "autograd")):
    return {f"{name}[{oracle}]" for name in gradients for oracle in oracles}


def test_the_example_has_what_may_break(edited):
    drawn = draw.inputs(translator(), EXAMPLE)
    assert len(set(drawn["lengths"])) > 1
    assert len(set(drawn["source"].ravel())) < drawn["source"].size
    assert 0 < drawn["mask"].mean() < 1


def test_a_translator_as_it_is_has_nothing_red(edited):
    assert red(translator()) == set()


@pytest.mark.parametrize("name", MISTAKES)
def test_what_breaks_in_a_part_turns_exactly_its_paths_red(edited, name):
    part, (old, new), spoiled = MISTAKES[name]
    assert red(edited(part, old, new)) == nodes(spoiled)


def test_a_padding_that_is_attended_to_is_seen_by_the_twin(edited):
    wrong = edited("masked_attention", "keys, h), -np.inf)", "keys, h), 0)")
    evidence = Examiner(wrong, TWIN).evidence(EXAMPLE)
    assert not evidence.outputs_compared()["attention"].agrees
    assert nodes(ALL, ["autograd"]) <= red(wrong)
