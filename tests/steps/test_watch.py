"""The forward as it is watched: every value under its name, and one of them moved."""

import ast

import numpy as np
import pytest

from gradcheck.source.listing import Listing
from gradcheck.steps.calls import Calls
from gradcheck.steps.loops import handed_on
from gradcheck.steps.watch import Watch, watched


def looped(x: "T B", w: "B"):
    s = np.zeros_like(w)
    hs = [s]
    out = np.zeros_like(x)
    for t in range(len(x)):
        a, b = x[t] * w, w + 1
        s = s + a * b
        s *= 2
        hs.append(np.tanh(s))
        out[t] = hs[-1]
    y = out + 0

    def backward(dy):
        return dy * 0, w * 0

    return y, backward


X, W = np.array([[1.0], [2.0]]), np.array([0.5])


def noted(function, inputs):
    calls = Calls.of(Listing.of_function(function))
    return calls.ahead(inputs).noted


def test_every_value_is_noted_in_order_loops_included():
    found = noted(looped, {"x": X, "w": W})
    turn = ["a", "b", "s", "s"]
    expected = ["s", "out", *turn, "hs[1]", "out[0]", *turn, "hs[2]", "out[1]", "y"]
    assert [one.name for one in found] == expected
    assert [one.count for one in found if one.name == "s"] == [0, 1, 2, 3, 4]
    values = {one.place: one.value for one in found}
    assert values["a", 1] == [1.0]
    assert np.allclose(values["s", 2], 2 * 0.5 * 1.5)  # after `s *= 2`
    first = looped.__code__.co_firstlineno
    assert [one.line - first for one in found][:7] == [1, 3, 5, 5, 6, 7, 8]


def test_a_value_keeps_what_it_was_when_it_was_assigned():
    found = noted(looped, {"x": X, "w": W})
    (out,) = (one.value for one in found if one.name == "out")
    assert not out.any()


@pytest.mark.parametrize("place", [("a", 1), ("s", 2), ("hs[2]", 0), ("out[1]", 0)])
def test_one_value_can_be_moved(place):
    watch = Watch()
    cell = watched(Listing.of_function(looped), watch).cell()
    plain = cell.run({"x": X, "w": W})[0][0]
    watch.moved = {place: np.array([0.25])}
    moved = cell.run({"x": X, "w": W})[0][0]
    assert not np.array_equal(plain[1], moved[1])
    watch.moved = {}
    assert np.array_equal(plain, cell.run({"x": X, "w": W})[0][0])


def test_what_is_no_number_of_its_own_is_left_alone():
    def several(x: "B"):
        parts = {"a": 2 * x}
        first, *_rest = x, x, x
        square = lambda v: v * v  # noqa: E731
        key = "a"
        n = len(x)
        (p, q), r = (x, x), square(x)
        parts[key] = parts[key] + n
        y = parts["a"] + p + q + r + first

        def backward(dy):
            return dy * 0

        return y, backward

    names = [one.name for one in noted(several, {"x": W})]
    assert names == ["r", "parts[a]", "y"]


def test_what_a_loop_hands_on():
    text = (
        "for t in reversed(range(3)):\n"
        "    da = (dh[t] + dh_next) * (1 - hs[t] ** 2)\n"
        "    dW += da\n"
        "    dh_next = da @ U\n"
        "for x_t in x:\n"
        "    hs.append(np.tanh(x_t + hs[-1]))\n"
        "    gates.append(x_t)\n"
    )
    assert handed_on(ast.parse(text)) == {"dh_next", "hs"}
