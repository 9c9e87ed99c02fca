"""Patterns: what is striking about a wrong gradient, and nothing where nothing is."""

import numpy as np
import pytest

from gradcheck.cells.unrolled import unroll
from gradcheck.checking.judge import numeric
from gradcheck.evidence import Examiner
from gradcheck.show.patterns import sentence
from gradcheck.source.closure import closure
from gradcheck.verdicts.fresh import Inquiry
from gradcheck.verdicts.patterns import find


def wrong(**slips):
    """A right cell, but for slips: gradient's name to a function of the true gradients."""

    def cell(x: "B D", h_prev: "B H", W: "2*H D", U: "H H", V: "H H", b: "2*H", Z: "H+D H", s: "B"):
        a, q = np.split(x @ W.T + b, 2, axis=1)
        z = np.concatenate([h_prev, x], axis=1)
        h = np.tanh(a + h_prev @ U) * q + s[:, None] * (h_prev @ V) ** 2 + z @ Z
        t = np.tanh(a + h_prev @ U)

        def backward(dh):
            da = dh * q * (1 - t**2)
            dq = dh * t
            stacked = np.concatenate([da, dq], axis=1)
            ds = (dh * (h_prev @ V) ** 2).sum(axis=1)
            dp = 2 * dh * s[:, None] * (h_prev @ V)
            H = h_prev.shape[1]
            dz = dh @ Z.T
            true = {
                "x": stacked @ W + dz[:, H:],
                "h_prev": da @ U.T + dp @ V.T + dz[:, :H],
                "W": stacked.T @ x,
                "U": h_prev.T @ da,
                "V": h_prev.T @ dp,
                "b": stacked.sum(axis=0),
                "Z": z.T @ dh,
                "s": ds,
            }
            returned = {n: slips[n](dict(true), x, h_prev, dh) if n in slips else g
                        for n, g in true.items()}  # fmt: skip
            return tuple(returned.values())

        return h, backward

    return closure(cell)


def patterns(name, **slips):
    inquiry = Inquiry(Examiner(wrong(**slips)), name, numeric)
    return tuple(map(sentence, find(inquiry)))


def block(g, rows, factor):
    g = g.copy()
    g[rows] *= factor
    return g


@pytest.mark.parametrize(
    ("name", "slips", "expected"),
    [
        ("W", {"W": lambda g, *_: -g["W"]}, "dW has the wrong sign."),
        ("W", {"W": lambda g, *_: 2 * g["W"]}, "dW is 2 times what it should be."),
        (
            "b",
            {"b": lambda g, x, *_: g["b"] / len(x)},
            "db is 1/B times what it should be: a mean where a sum belongs.",
        ),
        ("W", {"W": lambda g, x, *_: g["W"] * len(x)}, "dW is B times what it should be."),
        (
            "W",
            {"W": lambda g, x, *_: g["W"] / x.size},
            "dW is 1/(B*D) times what it should be: a mean where a sum belongs.",
        ),
        (
            "W",
            {"W": lambda g, x, *_: g["W"] * x.shape[1] ** 0.5},
            "dW is sqrt(D) times what it should be.",
        ),
        (
            "W",
            {"W": lambda g, x, *_: g["W"] / x.shape[1] ** 0.5},
            "dW is 1/sqrt(D) times what it should be.",
        ),
        ("U", {"U": lambda g, *_: g["U"].T.copy()}, "dU is transposed."),
        ("U", {"U": lambda g, *_: g["V"]}, "dU is the true dV."),
        (
            "U",
            {"U": lambda g, *_: g["V"], "V": lambda g, *_: g["U"]},
            "dU and dV are swapped: each holds the other's value.",
        ),
        (
            "W",
            {"W": lambda g, *_: np.roll(g["W"], len(g["W"]) // 2, axis=0)},
            "Blocks 0 and 1 (from 0) of dW along axis 0 are interchanged.",
        ),
        (
            "W",
            {"W": lambda g, *_: block(g["W"], slice(len(g["W"]) // 2, None), 1.01)},
            "Only dW[H:2*H] is wrong.",
        ),
        (
            "Z",
            {"Z": lambda g, x, h, _: block(g["Z"], slice(None, h.shape[1]), 1.01)},
            "Only dZ[:H] is wrong.",
        ),
        (
            "U",
            {"U": lambda g, x, h, dh: g["U"] + (len(x) - 1) * dh.T @ dh},
            "It is right only where B = 1.",
        ),
        (
            "W",
            {"W": lambda g, x, h, _: g["W"] * (1 + np.concatenate([h, h], axis=1).T @ x)},
            "It is right only where the states are zero.",
        ),
        (
            "b",
            {"b": lambda g, x, *_: g["b"] + (len(x) == 1)},
            "It is wrong only where B = 1.",
        ),
        (
            "x",
            {"x": lambda g, x, h, _: g["x"] + (x.shape[1] == h.shape[1])},
            "It is wrong only where D = H.",
        ),
        (
            "W",
            {"W": lambda g, x, h, dh: np.where(np.abs(g["W"]) > 100, 0.0, g["W"])},
            "It is wrong only on huge inputs.",
        ),
        (
            "W",
            {"W": lambda g, x, h, dh: np.where(np.abs(dh).max() < 1e-3, 0.0, g["W"])},
            "It is wrong only on tiny inputs.",
        ),
        (
            "W",
            {"W": lambda g, x, h, dh: g["W"] * (1.0 + (dh == 0).any())},
            "It is wrong only where some states or cotangents are zero.",
        ),
        (
            "W",
            {"W": lambda g, x, *_: g["W"] * (1.0 + x.flags.fnc)},
            "It is wrong only on arrays in Fortran order.",
        ),
        (
            "W",
            {"W": lambda g, x, *_: g["W"] * (2.0 - x.flags.forc)},
            "It is wrong only on arrays that are not contiguous.",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_a_pattern_is_named(name, slips, expected):
    assert expected in patterns(name, **slips)


def test_a_whole_pattern_stands_alone():
    assert len(patterns("b", b=lambda g, x, *_: g["b"] / len(x))) == 1


def test_nothing_is_said_where_nothing_is_striking():
    def noise(g, x, h, dh):
        return g["U"] + np.sin(1 + np.arange(g["U"].size)).reshape(g["U"].shape) * dh.sum()

    assert patterns("U", U=noise) == ()


def severed(x: "B D", h_prev: "B H", W: "D H", U: "H H"):
    h = np.tanh(x @ W + h_prev @ U)

    def backward(dh):
        da = dh * (1 - h**2)
        return da @ W.T, np.zeros_like(h_prev), x.T @ da, h_prev.T @ da

    return h, backward


def test_a_severed_recurrence_is_right_at_one_step():
    over_time = unroll(closure(severed))
    inquiry = Inquiry(Examiner(over_time.cell), "W", numeric, over_time.time)
    assert sentence(find(inquiry)[0]) == "It is right only where T = 1."
