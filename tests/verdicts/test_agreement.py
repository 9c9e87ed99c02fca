"""Where forwards differ, what is said of where they agree; nothing where nothing holds."""

import numpy as np
import pytest

import gradcheck
from gradcheck.show import messages, patterns
from tests.helpers import cell_of

torch = pytest.importorskip("torch")


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def gated(
    x: "B D",
    h_prev: "B H",
    c_prev: "B H",
    Wi: "D H",
    Wf: "D H",
    Ui: "H H",
    Uf: "H H",
    bi: "H",
    bf: "H",
):
    i = sigmoid(x @ Wi + h_prev @ Ui + bi)
    f = sigmoid(x @ Wf + h_prev @ Uf + bf)
    c = f * c_prev + i * np.tanh(x[:, :1])
    h = np.tanh(c)
    return h, c


def stacked(x: "B D", h_prev: "B H", W: "D 3*H", U: "H 3*H", b: "3*H"):
    r, z, n = np.split(x @ W + b, 3, axis=1)
    ur, uz, un = np.split(h_prev @ U, 3, axis=1)
    n = np.tanh(n + sigmoid(r + ur) * un)
    z = sigmoid(z + uz)
    h = (1 - z) * n + z * h_prev
    return h


def gated_twin(change=lambda x, h, c, i, f: (i, f), bias=1.0, cross=0.0, recurrent=1.0):
    def twin(x, h_prev, c_prev, Wi, Wf, Ui, Uf, bi, bf):
        i = torch.sigmoid(x @ Wi + recurrent * h_prev @ Ui + bias * bi)
        f = torch.sigmoid(x @ Wf + h_prev @ Uf + bias * bf)
        i, f = change(x, h_prev, c_prev, i, f)
        c = f * c_prev + i * torch.tanh(x[:, :1]) + cross
        return torch.tanh(c), c

    return twin


def stacked_twin(order=(0, 1, 2), flipped=False):
    def twin(x, h_prev, W, U, b):
        parts, states = (x @ W + b).chunk(3, 1), (h_prev @ U).chunk(3, 1)
        (r, z, n), (ur, uz, un) = ([one[k] for k in order] for one in (parts, states))
        n = torch.tanh(n + torch.sigmoid(r + ur) * un)
        z = torch.sigmoid(z + uz)
        return z * n + (1 - z) * h_prev if flipped else (1 - z) * n + z * h_prev

    return twin


def said(cell, twin):
    (verdict,) = gradcheck.check(cell, twin, only="forward", profile="fast").verdicts
    sentences = [patterns.sentence(one) for one in verdict.patterns]
    text = " ".join(messages.text(verdict).split())
    assert all(sentence in text for sentence in sentences)
    return sentences


@pytest.mark.parametrize(
    ("cell", "twin", "expected"),
    [
        (
            gated,
            gated_twin(lambda x, h, c, i, f: (f, i)),
            "The two agree with the gates i and f exchanged: Wi for Wf, Ui for Uf, bi for bf.",
        ),
        (
            gated,
            gated_twin(lambda x, h, c, i, f: (i, 1 - f)),
            "The two agree once Wf, Uf, bf change sign: one has 1 - f where the other has f, if f "
            "is a sigmoid.",
        ),
        (
            gated,
            gated_twin(recurrent=2.0),
            "The two agree where h_prev is zero: look at the terms that it enters.",
        ),
        (
            gated,
            gated_twin(lambda x, h, c, i, f: (i + h * c, f)),
            "The two agree where h_prev is zero: look at the terms that it enters.",
        ),
        (
            gated,
            gated_twin(lambda x, h, c, i, f: (i + h, f + c)),
            "The two agree where every one of the states, h_prev and c_prev, is zero: look at the "
            "terms that it enters.",
        ),
        (
            gated,
            gated_twin(bias=2.0),
            "The two agree where every one of the biases, bi and bf, is zero: look at the terms "
            "that it enters.",
        ),
        (
            stacked,
            stacked_twin((1, 0, 2)),
            "The two agree with the blocks of 3*H exchanged: where the case has 0, 1, 2, the twin "
            "has 1, 0, 2.",
        ),
        (
            stacked,
            stacked_twin(flipped=True),
            "The two agree once block 1 (from 0) of 3*H changes sign: one has 1 minus the gate "
            "that the other has, if it is a sigmoid.",
        ),
    ],
)
def test_where_they_agree_is_said(cell, twin, expected):
    assert said(cell, twin)[0] == expected


def test_an_order_of_blocks_that_is_not_its_own_inverse():
    (sentence,) = said(stacked, stacked_twin((1, 2, 0)))
    assert "where the case has 0, 1, 2, the twin has 1, 2, 0" in sentence


def test_nothing_is_said_where_they_agree_nowhere():
    assert said(gated, gated_twin(cross=0.5)) == []


def test_agreement_at_zero_that_is_only_zero_is_not_told():
    def product(x: "B", w: "B"):
        y = x * w
        return y

    assert said(product, lambda x, w: 2 * x * w) == []  # both are 0 where x or w is


def test_a_twin_that_fails_has_no_agreement():
    def failing(x, h_prev, W, U, b):
        raise ValueError("no")

    (verdict,) = gradcheck.check(stacked, failing, only="forward", profile="fast").verdicts
    assert verdict.finding.kind == "failed"
    assert verdict.patterns == ()


def test_a_right_forward_is_not_asked():
    assert (
        gradcheck.check(stacked, stacked_twin(), only="forward", profile="fast").results[0].passed
    )
    assert not cell_of(stacked).derived
