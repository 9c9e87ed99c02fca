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
