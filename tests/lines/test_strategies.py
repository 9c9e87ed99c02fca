"""Ways to explain wrong gradients, one by one, and the proof that a fault needs."""

import ast

from gradcheck.lines import mend
from gradcheck.lines.draws import examples
from gradcheck.lines.strategies import Strategies
from gradcheck.lines.trial import Bench, change_of

DECAY = """
    def decay(x: "T H", h0: "H", w: "H"):
        hs = [h0]
        for t in range(len(x)):
            hs.append(w * hs[t] + x[t])
        h = np.stack(hs[1:])

        def backward(dh):
            dx, dw, carried = np.zeros_like(x), np.zeros_like(w), np.zeros_like(h0)
            for t in range(len(x)):
                at = dh[t] + carried
                dx[t] = at
                dw = dw + at * hs[t]
                carried = at * w
            return dx, carried, dw

        return h, backward
"""
RNN = """
    def rnn(x: "B D", W: "D H"):
        h = np.tanh(x @ W)

        def backward(dh):
            slope = dh * (1 - h)
            dx = slope @ W.T
            return dx, x.T @ slope

        return h, backward
"""


def test_the_one_line_may_be_one_whose_value_says_nothing(script):
    """The header of a loop gives no value that a gradient could be traced to."""
    read = script(DECAY)
    bench = Bench(read, examples(read))
    ways = Strategies(read, bench, bench, frozenset())
    wrong = bench.names - bench.right({})
    faults, active = ways.one(ways.values({}), wrong)
    ((key, mends),) = faults.items()
    assert ways.lines[key].source == "for t in range(len(x)):"
    assert mends[0][0].text == "reversed(range(len(x)))"
    assert bench.right(active) == bench.names


def test_a_fault_that_is_not_needed_is_no_fault(script, monkeypatch):
    """A way to explain may name a line whose mend changes nothing: the proof drops it."""
    read = script(RNN)
    slope, dx, _ = (line for line in read.lines if not line.absent)
    changes = {
        slope.key: change_of(slope, ast.parse("dh * (1 - h**2)", mode="eval").body),
        dx.key: change_of(dx, dx.expression),
    }
    named = {slope.key: [], dx.key: []}
    monkeypatch.setattr(Strategies, "one", lambda *_: (named, changes))
    monkeypatch.setattr(Strategies, "by_names", lambda *_: (named, changes))
    monkeypatch.setattr(Strategies, "several", lambda *_: (named, changes))
    assert [fault.line for fault in mend.find(read).faults] == [slope]
