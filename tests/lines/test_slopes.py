"""Right code is known by a few forwards: what they confirm, and what they leave to be judged."""

from pathlib import Path

import numpy as np
import pytest

from gradcheck.drawing.draw import Example
from gradcheck.evidence import Examiner
from gradcheck.finding import Right, Unjudged
from gradcheck.lines import drawn, mend, slopes
from gradcheck.lines.proofread import judged
from gradcheck.oracles.numeric import Numeric

SIZES = (("B", 3), ("D", 2), ("H", 4))
RNN = """
    def rnn(x: "B D", W: "D H", b: "H"):
        h = np.tanh(x @ W + b)

        def backward(dh):
            da = dh * (1 - h**2)
            return da @ W.T, {dW}, da.sum(axis=0)

        return h, backward
"""


@pytest.fixture
def found(script):
    """What is known of each gradient on an example."""

    def ask(text, regime="ordinary", seed=1):
        read = script(text)
        sizes = tuple((name, dict(SIZES)[name]) for name in read.cell.size_names)
        return slopes.right(Examiner(read.cell).evidence(Example(sizes, seed, regime)))

    return ask


@pytest.mark.parametrize("regime", ["ordinary", "saturated", "tiny", "zeros"])
def test_every_right_gradient_is_confirmed(found, regime):
    known = found(RNN.format(dW="x.T @ da"), regime)
    assert {name: type(one) for name, one in known.items()} == dict.fromkeys("xWb", Right)


@pytest.mark.parametrize("regime", ["ordinary", "tiny"])
def test_one_that_is_off_by_little_is_left_to_be_judged(found, regime):
    known = found(RNN.format(dW="x.T @ da * (1 + 1e-12)"), regime)
    assert {name for name, one in known.items() if isinstance(one, Right)} == {"x", "b"}


def test_where_gates_saturate_by_what_differences_see(found):
    assert set(found(RNN.format(dW="x.T @ da * (1 + 1e-5)"), "saturated")) == {"x", "b"}


def test_where_rounding_hides_all_digits_nothing_is_measured(found):
    """1 - h**2 is nothing but rounding there; what differences see is told from it."""
    right = [found(RNN.format(dW="x.T @ da"), "huge", seed) for seed in range(8)]
    assert all(set(known) == set("xWb") for known in right)
    assert {type(one) for known in right for one in known.values()} == {Right, Unjudged}
    wrong = [found(RNN.format(dW="x.T @ dh"), "huge", seed) for seed in range(8)]
    assert all("W" not in known for known in wrong)


def test_a_right_gradient_is_its_own_truth(script, monkeypatch):
    """No entry of it is asked for, and the wrong one's are."""
    asked = []
    best = Numeric.best
    monkeypatch.setattr(Numeric, "best", lambda self, n: asked.append(n) or best(self, n))
    read = script(RNN.format(dW="2 * x.T @ da"))
    one = drawn.drawn(read, Example(SIZES, 1))
    assert asked == ["W"]
    by_hand = read.examiner.evidence(Example(SIZES, 1)).hand
    assert one.truth["x"] is by_hand["x"]
    assert np.allclose(2 * one.truth["W"], by_hand["W"])


def test_a_draw_of_sizes_1_or_of_extreme_numbers_alone_proves_no_line(script):
    read = script(RNN.format(dW="x.T @ da"))
    ordinary = [Example(SIZES, 1), Example(SIZES, 1, "fortran")]
    special = [Example(SIZES, 1, "tiny"), Example((*SIZES[:2], ("H", 1)), 1)]
    assert [drawn.drawn(read, example).ordinary for example in ordinary + special] == [
        True,
        True,
        False,
        False,
    ]


def test_then_it_is_not_judged(script, monkeypatch):
    """All gradients may well be right on a single unit, whatever the lines are."""
    read = script(RNN.format(dW="x.T @ da"))
    alone = Example(tuple((name, 1) for name, _ in SIZES), 1)
    monkeypatch.setattr(mend, "examples", lambda _: [alone])
    found = mend.find(read)
    assert (found.wrong, found.bench) == (frozenset(), None)
    proof = judged(Path("cell.py"), read, found, str)
    assert (proof.verdict, proof.lines) == ("unjudged", ())
    assert proof.reason == (
        "No line can be followed: on ordinary numbers the forward or the backward fails, or "
        "rounding hides the gradients."
    )
    assert mend.find(read, [alone]).bench is not None  # who knows an example has it looked at
