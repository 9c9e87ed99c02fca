"""The wrong lines of small cells: one, several by their names, two that hide each other, or none.

Each cell is of a few lines, so that a search takes a fraction of a second.
"""

import ast

import pytest

from gradcheck.drawing.draw import Example
from gradcheck.lines import mend


@pytest.fixture
def findings(script):
    return lambda text, telling=(): mend.find(script(text), telling)


def told(findings):
    """The source of each fault, and the likeliest mend of it."""
    return {fault.line.source: (*fault.mends, None)[0] for fault in findings.faults}


RNN = """
    def rnn(x: "B D", W: "D H"):
        a = x @ W
        h = np.tanh(a)

        def backward(dh):
            da = {da}
            dW = {dW}
            dx = {dx}
            return {end}

        return h, backward
"""
RIGHT = {"da": "dh * (1 - h**2)", "dW": "x.T @ da", "dx": "da @ W.T", "end": "dx, dW"}


def rnn(**slips):
    return RNN.format(**{**RIGHT, **slips})


def test_a_right_cell_has_no_fault(findings):
    found = findings(rnn())
    assert (found.wrong, found.faults, found.changes) == (frozenset(), (), {})
    assert found.settled


def test_one_wrong_line_explains_everything(findings):
    found = findings(rnn(da="dh * (1 - h)"))
    assert found.wrong == {"x", "W"}
    assert told(found) == {"da = dh * (1 - h)": "da = dh * (1 - h ** 2)"}
    assert found.clear
    assert found.claimed  # and the lines that it feeds are judged by their names
    assert found.bench.right(found.changes) == {"x", "W"}


def test_of_mends_that_differ_in_order_only_one_is_told(findings):
    """The factor that was left out could stand in three places."""
    found = findings("""
        def product(x: "B D", a: "D", b: "D", c: "D"):
            y = x * a * b * c

            def backward(dy):
                dx = dy * a * b
                return dx, (dy * x * b * c).sum(0), (dy * x * a * c).sum(0), (dy * x * a * b).sum(0)

            return y, backward
    """)
    (fault,) = found.faults
    assert fault.mends == ("dx = dy * a * b * c",)


def test_two_lines_of_different_gradients(findings):
    found = findings(rnn(dW="2 * x.T @ da", dx="-da @ W.T"))
    assert set(told(found)) == {"dW = 2 * x.T @ da", "dx = -da @ W.T"}
    assert found.settled
    assert not found.clear


def test_two_lines_of_which_one_hides_the_other(findings):
    found = findings(rnn(da="dh * (1 - h)", dW="2 * x.T @ da"))
    assert set(told(found)) == {"da = dh * (1 - h)", "dW = 2 * x.T @ da"}
    assert found.bench.right(found.changes) == {"x", "W"}


def test_two_lines_that_feed_the_same_gradients(findings):
    """Neither alone makes any gradient right, and their names claim nothing."""
    found = findings("""
        def cell(x: "B D", z: "B D", w: "B D"):
            y = (x + z + w) ** 2 + np.exp(x - z + 2 * w)

            def backward(dy):
                m = 3 * dy * (x + z + w)
                n = -dy * np.exp(x - z + 2 * w)
                return m + n, m - n, m + 2 * n

            return y, backward
    """)
    assert told(found) == {
        "m = 3 * dy * (x + z + w)": "m = 2 * dy * (x + z + w)",
        "n = -dy * np.exp(x - z + 2 * w)": "n = dy * np.exp(x - z + 2 * w)",
    }


def test_a_line_whose_name_claims_nothing(findings):
    text = rnn(da="dh * (1 - h)").replace("da", "carried")
    assert told(findings(text)) == {"carried = dh * (1 - h)": "carried = dh * (1 - h ** 2)"}


def test_gradients_returned_in_the_wrong_order(findings):
    found = findings("""
        def product(a: "B D", b: "B D"):
            y = a * b

            def backward(dy):
                return dy * a, dy * b

            return y, backward
    """)
    assert told(found) == {"return dy * a, dy * b": "return dy * b, dy * a"}


def test_the_order_of_a_loop_is_judged_by_a_run(findings):
    found = findings("""
        def decay(x: "T H", w: "H"):
            hs = [np.zeros(len(w))]
            for t in range(len(x)):
                hs.append(w * hs[t] + x[t])
            h = np.stack(hs[1:])

            def backward(dh):
                dx, dw, carried = np.zeros_like(x), np.zeros_like(w), np.zeros_like(w)
                for t in range(len(x)):
                    carried = dh[t] + carried
                    dx[t] = carried
                    dw = dw + carried * hs[t]
                    carried = carried * w
                return dx, dw

            return h, backward
    """)
    assert told(found) == {
        "for t in range(len(x)):": "for t in reversed(range(len(x))):",
    }


def test_a_missing_line_is_told_at_the_head(findings):
    """The cotangent of the state must take in what reaches it through h."""
    found = findings("""
        def gate(x: "B H", o: "B H"):
            c = np.sin(x)
            h = o * c

            def backward(dh, dc):
                return dc * np.cos(x), dh * c

            return (h, c), backward
    """)
    absent = [fault for fault in found.faults if fault.line.absent]
    (mended, *_) = found.faults[0].mends
    assert "dh * o" in mended or "o * dh" in mended
    assert len(absent) <= 1
    assert found.bench.right(found.changes) == {"x", "o"}


def test_what_cannot_be_mended_is_unexplained_and_nobody_is_accused(findings):
    found = findings("""
        def cell(x: "B D", w: "D"):
            s = np.sin(x) * w

            def backward(ds):
                tmp = np.arctan(ds) + 0.1
                dx = tmp * 17
                return dx, (ds * np.sin(x)).sum(axis=0)

            return s, backward
    """)
    assert found.wrong == found.unexplained == {"x"}
    assert found.faults == ()
    assert not found.settled


def test_an_unfinished_derivation_is_judged_by_its_names(findings):
    found = findings(rnn(da="dh * (1 - h)", end="None, None"))
    assert found.missing == {"x", "W"}
    assert found.wrong == frozenset()
    assert told(found) == {"da = dh * (1 - h)": "da = dh * (1 - h ** 2)"}


def test_a_line_is_accused_without_a_mend_if_no_other_could_be_meant(findings):
    """Its name claims a value that it does not have; no small edit gives it that."""
    found = findings(rnn(da="np.arctan(dh) + 0.1", end="dx, None"))
    assert found.missing == {"W"}
    (fault,) = found.faults
    assert (fault.line.source, fault.mends) == ("da = np.arctan(dh) + 0.1", ())
    assert fault.error > 0


SELDOM = """
    def cell(x: "B D"):
        y = x**2

        def backward(dy):
            dx = dy * x * (2 + (x.shape[0] == 7))
            return (dx,)

        return y, backward
"""


def test_an_example_that_is_known_to_tell_is_looked_at(findings):
    """Wrong at a size that is not drawn: only who knows an example of it can have it judged."""
    assert findings(SELDOM).wrong == frozenset()
    found = findings(SELDOM, [Example((("B", 7), ("D", 2)), 1)])
    assert found.wrong == {"x"}
    assert list(told(found)) == ["dx = dy * x * (2 + (x.shape[0] == 7))"]


def test_mends_are_statements_of_python(findings):
    for fault in findings(rnn(da="dh * (1 - h)", dW="2 * x.T @ da")).faults:
        for text in fault.mends:
            ast.parse(text)


BACKWARDS = {
    "a small slip in the return": (
        ["dh = dh * (1 - h**2)", "return dh @ W.T / len(x), x.T @ dh"],
        ("return dh @ W.T / len(x), x.T @ dh", "return dh @ W.T, x.T @ dh"),
    ),
    "the first for a sum": (
        ["da = dh * (1 - h**2)", "dx = da @ W.T", "return dx, (x[:, :, None] * da[:, None])[0]"],
        (
            "return dx, (x[:, :, None] * da[:, None])[0]",
            "return dx, (x[:, :, None] * da[:, None]).sum(axis=0)",
        ),
    ),
    "a line that raises": (
        ["da = dh * (1 - h**2)", "dx = da @ W", "return dx, x.T @ da"],
        ("dx = da @ W", "dx = da @ W.T"),
    ),
    "a cotangent ignored": (
        ["dh = 0 * dh", "da = dh * (1 - h**2)", "return da @ W.T, x.T @ da"],
        ("dh = 0 * dh", "dh = dh"),
    ),
    "a value that is given too late": (
        ["dx = dh @ W.T", "dh = dh * (1 - h**2)", "return dx, x.T @ dh"],
        ("dx = dh @ W.T", "dx = dh * (1 - h ** 2) @ W.T"),
    ),
    "what is kept is written into": (
        ["da = dh * (1 - h**2)", "W[...] = 2 * W", "return da @ W.T, x.T @ da"],
        ("W[...] = 2 * W", "W[...] = W"),
    ),
}


@pytest.mark.parametrize("kind", BACKWARDS)
def test_one_line_of_a_backward_has_a_mend(findings, kind):
    lines, said = BACKWARDS[kind]
    body = "".join(f"            {line}\n" for line in lines)
    text = RNN.partition("            da =")[0] + body + "\n        return h, backward\n"
    assert told(findings(text)) == dict([said])


def test_a_value_of_its_own_for_one_that_is_written_into(findings):
    """Two names have one array: what is done to the one is done to the other."""
    found = findings("""
        def wave(x: "B D", y: "B D"):
            h = np.sin(x * y)

            def backward(dh):
                da = dh * np.cos(x * y)
                dx = da
                dx *= y
                dy = da * x
                return dx, dy

            return h, backward
    """)
    assert told(found) == {"dx *= y": "dx = dx * y"}


def test_a_mask_that_was_dropped(findings):
    found = findings("""
        def leaky(x: "B D", w: "D"):
            a: "kink where a = 0" = x * w
            h = np.where(a > 0, a, np.expm1(a))

            def backward(dh):
                da = dh * np.exp(a)
                return da * w, (da * x).sum(axis=0)

            return h, backward
    """)
    assert told(found) == {"da = dh * np.exp(a)": "da = dh * np.where(a > 0, 1, np.exp(a))"}


def test_a_slip_that_shows_at_large_sizes_alone(findings):
    """A line may be too large there for its response, and small enough on other draws."""
    telling = Example((("B", 2), ("D", 2), ("H", 24)), 1)
    found = findings(rnn(dW="x.T @ da", dx="da @ W.T\n            dW[:, 20:21] *= 2"), [telling])
    assert [fault.line.source for fault in found.faults] == ["dW[:, 20:21] *= 2"]


def test_what_cancels_is_no_error(findings):
    """A bias before a normalisation has no gradient; the rounding of the truth is none of it."""
    found = findings("""
        def centred(x: "B D", b: "D"):
            a = np.exp(x) + b.sum()
            h = a - a.mean(axis=1, keepdims=True)

            def backward(dh):
                da = dh - dh.mean(axis=1, keepdims=True)
                return da * np.exp(x) * 1.0001, np.full_like(b, da.sum())

            return h, backward
    """)
    assert [fault.line.source for fault in found.faults] == [
        "return da * np.exp(x) * 1.0001, np.full_like(b, da.sum())"
    ]
