"""Structure before values: each fault of a returned gradient has its own sentence."""

import numpy as np
import pytest

from gradcheck.cells.returned import Unusable, gradients
from gradcheck.finding import of_unusable
from gradcheck.show.sentences import sentence
from gradcheck.source.closure import closure


def linear(x: "B D", b: "D", s: ""):
    def backward(dy): ...

    return s * (x + b), backward


CELL = closure(linear)
X, B, S = np.ones((2, 3)), np.ones(3), np.asarray(1.0)


def sentences(returned):
    found = gradients(CELL, returned, [X, B, S])
    return {name: sentence(of_unusable(g)) for name, g in found.items() if isinstance(g, Unusable)}


def test_arrays_of_the_right_shape_are_usable():
    assert sentences((X, B, S)) == {}
    assert sentences([X, B, np.float64(2)]) == {}
    assert sentences((X, B, 2.0)) == {}


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        (None, "backward returns nothing instead of a tuple.\nWrite `return dx, db, ds`."),
        ({"dx": X}, "backward returns a dict instead of a tuple.\nWrite `return dx, db, ds`."),
        (X, "backward returns an array instead of a tuple.\nWrite `return dx, db, ds`."),
        ((X,), "backward returns 1 gradient for 3 arguments.\nWrite `return dx, db, ds`."),
        ((X, B, S, S), "backward returns 4 gradients for 3 arguments.\nWrite `return dx, db, ds`."),
    ],
)
def test_a_wrong_number_concerns_all_of_them(returned, sentence):
    assert sentences(returned) == dict.fromkeys(("x", "b", "s"), sentence)


WRONG_SHAPE = "db has shape {}, but b has shape (3,)."


@pytest.mark.parametrize(
    ("gradient", "sentence"),
    [
        (
            None,
            "db is None.\nbackward must return an array of b's shape; what needs no gradient "
            "stands behind a star: `*, b`.",
        ),
        ([1.0, 2.0, 3.0], "db is a list.\nReturn a NumPy array of b's shape (3,)."),
        (2.0, "db is a float.\nReturn a NumPy array of b's shape (3,)."),
        (
            np.ones((2, 3)),
            WRONG_SHAPE.format("(2, 3)") + "\nSum over the first axis: `.sum(axis=0)`.",
        ),
        (
            np.ones((3, 2)),
            WRONG_SHAPE.format("(3, 2)") + "\nSum over the last axis: `.sum(axis=-1)`.",
        ),
        (
            np.float64(1.0),
            WRONG_SHAPE.format("()")
            + "\nIt was summed or squeezed too much; it would broadcast, and hide that.",
        ),
        (np.ones(2), WRONG_SHAPE.format("(2,)")),
        (
            np.ones(3, np.float32),
            "db is float32, but b is float64.\n"
            "A cast, or a buffer of another type, on its way changes what it holds.",
        ),
        (
            np.ones(3, int),
            "db is int64, but b is float64.\n"
            "A cast, or a buffer of another type, on its way changes what it holds.",
        ),
        (
            np.array([1.0, np.nan, np.nan]),
            "db[1] is nan, in 2 of 3 entries, while the forward is finite.",
        ),
    ],
)
def test_a_fault_of_one_gradient_concerns_only_that(gradient, sentence):
    assert sentences((X, gradient, S)) == {"b": sentence}


def test_a_transposed_gradient_is_told_by_its_shape():
    assert sentences((X.T, B, S)) == {
        "x": "dx has shape (3, 2), but x has shape (2, 3).\nIt is transposed."
    }
