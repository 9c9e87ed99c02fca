"""What a law finds where it does not say that something is wrong, and why."""

import numpy as np
import pytest

from gradcheck.drawing.draw import Example
from gradcheck.evidence import Examiner
from gradcheck.finding import Reason, Right, Unjudged, Wrong
from gradcheck.laws import every as laws
from gradcheck.laws.runs import all_of
from gradcheck.show.sentences import sentence
from gradcheck.source.cases import read
from gradcheck.source.closure import closure

NOTHING, ROUNDING = Unjudged(Reason.NOTHING_TO_TRY), Unjudged(Reason.ROUNDING)


def judged(cell, law, sizes, regime="ordinary", dtype="float64", seed=1):
    evidence = Examiner(cell).evidence(Example(tuple(sizes.items()), seed, regime, dtype))
    with np.errstate(all="ignore"):
        return laws.LAWS[law].judge(evidence)


@pytest.mark.parametrize(
    ("findings", "whole"),
    [
        ([], NOTHING),
        ([NOTHING, NOTHING], NOTHING),
        ([NOTHING, Right()], Right()),
        ([Right(), NOTHING], Right()),
        ([Right(), ROUNDING, NOTHING, Right()], ROUNDING),
        ([ROUNDING, Wrong("zero-term"), Wrong("chunks")], Wrong("zero-term")),
    ],
)
def test_findings_of_one_example_come_to_one(findings, whole):
    assert all_of(findings) == whole


def exponential(x: "B", w: "B"):
    y = np.exp(x) * w

    def backward(dy):
        return dy * y, dy * np.exp(x)

    return y, backward


def returns_nothing(x: "B", w: "B"):
    def backward(dy):
        return None, dy[:1]

    return x * w, backward


VALUES = ("zero", "linear", "batch", "permutation", "layout")


@pytest.mark.parametrize("law", VALUES)
def test_where_the_forward_is_not_finite(law):
    found = judged(closure(exponential), law, {"B": 3}, "huge", seed=4)
    assert found == Unjudged(Reason.NOT_FINITE)


@pytest.mark.parametrize("law", ["zero", "linear", "batch", "permutation"])
def test_where_no_gradient_can_be_compared(law):
    found = judged(closure(returns_nothing), law, {"B": 3})
    assert found == Unjudged(Reason.UNUSABLE)


@pytest.mark.parametrize("law", ["batch", "permutation"])
def test_where_an_axis_has_one_entry(law):
    assert judged(closure(exponential), law, {"B": 1}) == NOTHING


def test_where_a_cell_declares_what_the_gradient_is_not_of(tmp_path):
    path = tmp_path / "held.py"
    path.write_text(
        "import numpy as np\n\n\n"
        'def clipped(x: "B"):\n'
        '    a: "slope clipped where x < 5" = 3 * x\n\n'
        "    def backward(dy):\n"
        "        return 3 * dy\n\n"
        "    return a, backward\n",
        encoding="utf-8",
    )
    (cell,) = read(path)
    assert judged(cell, "zero", {"B": 3}) == Unjudged(Reason.CLIPPED)


CALLS = []


def another_form_the_second_time(x: "B"):
    def backward(dy):
        CALLS.append(1)
        return 2 * dy if len(CALLS) % 2 == 1 else 2 * dy[:1]

    return 2 * x, backward


def test_a_gradient_of_another_form_at_the_second_call():
    CALLS.clear()
    found = judged(closure(another_form_the_second_time), "repeatable", {"B": 3})
    assert sentence(found) == "Two calls differ in dx, although the forward repeats itself."


def form_by_the_padding(x: "T B", *, lengths: "B <= T"):
    live = np.arange(len(x))[:, None] < lengths

    def backward(dy):
        dx = np.where(live, dy, 0)
        return dx[:1] if np.isnan(x).any() else dx

    return np.where(live, x, 0).sum(axis=0), backward


def test_a_gradient_that_padding_makes_unusable():
    found = judged(closure(form_by_the_padding), "padding", {"T": 4, "B": 3})
    assert sentence(found) == (
        "dx cannot be used once x is nan behind the ends (lengths).\nThe outputs do not look at x "
        "there, so no gradient may: read it through the mask, in backward as in the forward."
    )
