"""A walk through the steps of a cell: what is carried, what is true, and what is flagged."""

import numpy as np
import pytest

import gradcheck
from gradcheck.finding import Reason, Unjudged


def rnn(x: "B D", h_prev: "B H", W: "D H", U: "H H", b: "H"):
    h = np.tanh(x @ W + h_prev @ U + b)

    def backward(dh):
        da = dh * (1 - h**2)
        dx = da @ W.T
        dh_prev = da @ U.T
        dW, dU = x.T @ da, h_prev.T @ da
        return dx, dh_prev, dW, dU, da.sum(axis=0)

    return h, backward


def wrong(x: "B D", h_prev: "B H", c_prev: "B H", W: "D H", b: "H"):
    f = 1 / (1 + np.exp(-(x @ W + b)))
    c = f * c_prev + h_prev
    h = np.tanh(c)

    def backward(dh, dc):
        dc = dc + dh * (1 - h**2)
        df = dc * c
        dc_prev = dc * f
        dh_prev = dc.copy()
        da = df * f * (1 - f)
        dx = da @ W.T
        dW = x.T @ da
        db = da.sum(axis=0)
        return dx, dh_prev, dc_prev, dW, db

    return (h, c), backward


def convention(x: "B", w: "B"):
    o = 1 / (1 + np.exp(-x))
    y = o * w

    def backward(dy):
        do = dy * w * o * (1 - o)  # towards the pre-activation, as some papers call it
        dw = dy * o
        return do, dw

    return y, backward


def bptt(x: "T B", h0: "B", u: "B"):
    hs = [h0]
    for x_t in x:
        a = x_t + u * hs[-1]
        hs.append(np.tanh(a))
    h = np.stack(hs[1:])

    def backward(dh):
        dx, du, dh_next = np.zeros_like(x), np.zeros_like(u), np.zeros_like(h0)
        for t in reversed(range(len(x))):
            da = (dh[t] + dh_next) * (1 - hs[t + 1] ** 2)
            dx[t] = da
            du += da * hs[t]
            dh_next = da * u
        return dx, dh_next, du

    return h, backward


def rows(step):
    return {row.name: row for row in step.rows}


def every(trace):
    return [row for step in trace.walked.backward for row in step.rows]


def test_a_state_is_carried_forwards_and_its_gradient_backwards():
    trace = gradcheck.trace(rnn, steps=3)
    assert trace.ok
    first, second, third = trace.walked.forward
    assert [step.number for step in (first, second, third)] == [1, 2, 3]
    assert (rows(first)["h_prev"].note, rows(first)["h_prev"].carried) == ("given", False)
    assert (rows(first)["h"].note, rows(first)["h"].carried) == ("to step 2", True)
    assert (rows(second)["h_prev"].note, rows(second)["h_prev"].carried) == ("from step 1", True)
    assert np.array_equal(rows(second)["h_prev"].value, rows(first)["h"].value)
    assert (rows(third)["h"].note, rows(third)["h"].carried) == ("last", False)
    assert [row.name for row in trace.walked.given] == ["W", "U", "b"]

    last, middle, start = trace.walked.backward
    assert [step.number for step in (last, middle, start)] == [3, 2, 1]
    names = [row.name for row in last.rows]
    assert names == ["dh", "dh_last", "dh", "da", "dx", "dh_prev", "dW", "dU", "db"]
    handed, came = last.rows[5], middle.rows[1]
    assert (handed.note, came.note) == ("to step 2", "from step 3")
    assert handed.carried
    assert came.carried
    assert np.array_equal(handed.value, came.value)
    given, carried, total = middle.rows[:3]
    assert np.array_equal(total.value, given.value + carried.value)
    assert total.note == "sum"
    assert rows(start)["dh_prev"].note == ""


def test_what_steps_give_adds_up_to_the_gradients_of_the_whole():
    trace = gradcheck.trace(rnn, steps=3)
    totals = {row.name: row.value for row in trace.totals}
    for name in ("dW", "dU", "db"):
        parts = [rows(step)[name].value for step in trace.walked.backward]
        assert np.allclose(sum(parts), totals[name], rtol=1e-13)
    stacked = [rows(step)["dx"].value for step in reversed(trace.walked.backward)]
    assert np.allclose(np.stack(stacked), totals["dx"], rtol=1e-13)


def test_every_gradient_of_an_argument_stands_beside_the_true_one():
    for row in every(gradcheck.trace(rnn, steps=2)):
        if row.note != "given" and row.name != "da":  # a has no name in the forward
            assert row.true is not None, row.name
            assert np.allclose(row.value, row.true, rtol=1e-9)
        assert not row.wrong


def test_a_value_is_flagged_from_the_line_that_is_wrong_on():
    trace = gradcheck.trace(wrong, steps=2)
    assert trace.wrong
    last, first = trace.walked.backward
    assert [row.name for row in last.rows if row.wrong] == ["df", "da", "dx", "dW", "db"]
    assert not any(row.wrong for row in first.rows[:6])  # h and c are handed on right
    (line,) = trace.lines
    assert (line.source, line.mends[0]) == ("df = dc * c", "df = dc * c_prev")
    found = rows(last)["da"]  # which has no name in the forward, and is known by the mended line
    assert found.true is not None
    assert not np.allclose(found.value, found.true)


def test_a_name_that_means_something_else_is_not_flagged():
    trace = gradcheck.trace(convention)
    assert trace.ok
    (step,) = trace.walked.backward
    assert rows(step)["do"].true is None
    assert not any(row.wrong for row in step.rows)


def test_a_cell_that_runs_over_time_has_its_turns():
    trace = gradcheck.trace(bptt, steps=2)
    assert trace.ok
    assert trace.steps is None
    (forward,), (backward,) = trace.walked.forward, trace.walked.backward
    assert [row.name for row in forward.rows] == ["a", "hs[1]", "a", "hs[2]", "h"]
    assert rows(forward)["hs[2]"].carried
    da = [row for row in backward.rows if row.name == "da"]
    assert len(da) == 2
    for row in da:  # the last turn of the forward is the first of the backward
        assert np.allclose(row.value, row.true, rtol=1e-9)
    assert [row.carried for row in backward.rows if row.name == "dh_next"] == [True, True, True]


def test_no_steps_hand_the_state_through():
    trace = gradcheck.trace(rnn, steps=0)
    assert trace.ok
    assert trace.walked.forward == trace.walked.backward == ()


def test_values_of_the_twin_stand_beside_the_outputs():
    torch = pytest.importorskip("torch")

    def twin(x, h_prev, W, U, b):
        return torch.tanh(x @ W + h_prev @ U + 2 * b)

    trace = gradcheck.trace(rnn, reference=twin, steps=1)
    (step,) = trace.walked.forward
    assert rows(step)["h"].wrong
    assert rows(step)["h"].true is not None


def test_behind_a_gradient_that_is_none_only_the_true_ones_go_on():
    def half(x: "B", h_prev: "B"):
        h = x * h_prev

        def backward(dh):
            dx = dh * h_prev
            return dx, None

        return h, backward

    trace = gradcheck.trace(half, {"x": [[2.0], [3.0]], "h_prev": [5.0]}, {"dh": [[1.0], [1.0]],
                            "dh_last": [0.0]}, steps=2)  # fmt: skip
    last, first = trace.walked.backward
    missing = rows(last)["dh_prev"]
    assert (missing.value, missing.wrong, missing.note) == (None, False, "to step 1")
    assert missing.true == [3.0]
    assert rows(last)["dx"].value == [10.0]
    told = [(row.name, row.value, row.true) for row in first.rows[1:]]
    expected = [("dh_prev", [3.0]), ("dh", [4.0]), ("dx", [20.0]), ("dh_prev", [8.0])]
    assert told == [(name, None, true) for name, true in expected]
    assert trace.findings["dh_prev[fd]"] == Unjudged(Reason.NOT_DERIVED)
    assert not trace.ok


def test_of_a_forward_alone_what_it_assigns_on_its_way_has_its_true_gradient():
    def alone(x: "B", w: "B"):
        a = x * w
        s = a**2
        s = s + a  # two values of one name have no one gradient
        g = s * a
        y = 3 * g
        return y

    trace = gradcheck.trace(alone, {"x": [2.0], "w": [1.0]}, {"dy": [1.0]})
    (step,) = trace.walked.backward
    told = [(row.name, row.value, row.true) for row in step.rows[1:]]
    # g = a**3 + a**2
    expected = [("dg", [3.0]), ("da", [48.0]), ("dx", [48.0]), ("dw", [96.0])]
    assert [name for name, _, _ in told] == [name for name, _ in expected]
    for (_, value, true), (_, want) in zip(told, expected, strict=True):
        assert value is None
        np.testing.assert_allclose(true, want, rtol=1e-12)


def test_a_backward_that_fails_is_told_with_what_was_assigned_before():
    def failing(x: "B"):
        y = 2 * x

        def backward(dy):
            dx = 2 * dy
            raise ValueError("no more")
            return dx

        return y, backward

    trace = gradcheck.trace(failing)
    assert trace.walked.failed.startswith("The backward fails with ValueError: no more")
    assert [row.name for row in trace.walked.backward[0].rows] == ["dy", "dx"]


def test_a_cell_without_lines_shows_what_goes_in_and_out():
    trace = gradcheck.trace(gradcheck.cell(rnn), steps=2)
    assert trace.ok
    assert trace.unfollowed == "The source of rnn is not known."
    names = [row.name for row in trace.walked.backward[0].rows]
    assert names == ["dh", "dh_last", "dh", "dx", "dh_prev", "dW", "dU", "db"]


def test_large_values_have_no_true_one_but_the_whole_is_judged():
    trace = gradcheck.trace(rnn, steps=1, sizes={"H": 40})
    assert trace.ok
    step = rows(trace.walked.backward[0])
    assert step["dU"].true is None  # 1600 entries
    assert step["db"].true is not None
