"""A search ends by a count, tells what it left, and keeps what it had found by then."""

import pytest

from gradcheck.drawing.draw import Example
from gradcheck.lines import budget, mend
from gradcheck.lines.blame import Blamer
from gradcheck.lines.budget import Budget, Cut

TWO_SLIPS = """
    def rnn(x: "B D", W: "D H"):
        a = x @ W
        h = np.tanh(a)

        def backward(dh):
            da = dh * (1 - h)
            dW = 2 * x.T @ da
            dx = da @ W.T
            return dx, dW

        return h, backward
"""
HOPELESS = """
    def cell(x: "B D", w: "D"):
        s = np.sin(x) * w

        def backward(ds):
            tmp = np.arctan(ds) + 0.1
            dx = tmp * 17
            return dx, (ds * np.sin(x)).sum(axis=0)

        return s, backward
"""


def test_a_budget_allows_a_count():
    limited = Budget(most=100)
    limited.spend(99)
    assert limited.allows([4])
    assert limited.cut is None
    limited.spend(1)
    assert not limited.allows([7, 4])
    assert not limited.allows([5])
    assert limited.cut == Cut((4, 5, 7), 100)


def test_one_way_may_not_spend_all():
    limited = Budget()
    limited.spend(budget.MOST // 2)
    assert not limited.allows([4], since=0)
    assert limited.allows([4], since=limited.spent)


def test_the_clock_is_an_emergency():
    late = Budget(seconds=0)
    assert not late.allows([3])
    assert late.cut == Cut((3,), 0, by_clock=True)


@pytest.fixture
def few(monkeypatch):
    """Lets a search spend so many statements."""
    return lambda most: monkeypatch.setattr(Budget.__init__, "__defaults__", (most, 150.0))


def test_a_search_that_is_cut_off_accuses_nobody_and_says_what_it_left(script, few):
    few(1_000)
    found = mend.find(script(HOPELESS))
    assert found.faults == ()
    assert found.unexplained == {"x"}
    assert found.cut == Cut((6, 7, 8, 9), found.cut.spent)  # 6: where one may be missing
    assert found.cut.spent >= 1_000


def test_what_was_found_so_far_is_told(script, few):
    """Somewhere on the way it has found one of the two."""
    whole = mend.find(script(TWO_SLIPS))
    spent = whole.bench.budget.spent
    found = []
    for part in range(20, 30):
        few(spent * part // 30)
        found.append(mend.find(script(TWO_SLIPS)))
    assert {len(one.faults) for one in found} >= {0, 1}
    told = {fault.line.source for fault in whole.faults}
    assert all({fault.line.source for fault in one.faults} <= told for one in found)
    assert all(one.cut is not None for one in found if len(one.faults) < 2)


def test_a_search_that_explains_everything_leaves_nothing(script):
    assert mend.find(script(TWO_SLIPS)).cut is None


def test_a_cell_is_searched_once_also_where_nothing_is_found(script, monkeypatch):
    read = script(HOPELESS)
    searches = []
    find = mend.find
    monkeypatch.setattr(mend, "find", lambda *given: searches.append(given) or find(*given))
    blamer = Blamer(read.cell, lambda: read)
    first = blamer.blame(Example((("B", 2), ("D", 3)), 1))
    assert first.lines == ()
    assert blamer.blame(Example((("B", 3), ("D", 2)), 2)) is first
    assert len(searches) == 1


def test_but_once_more_where_it_had_no_example_to_start_from(script, monkeypatch):
    """The nodes over time have sizes of their own."""
    read = script(HOPELESS)
    searches = []
    find = mend.find
    monkeypatch.setattr(mend, "find", lambda *given: searches.append(given) or find(*given))
    blamer = Blamer(read.cell, lambda: read)
    blamer.blame(Example((("T", 2), ("B", 2), ("D", 3)), 1))
    for seed in (1, 2):
        blamer.blame(Example((("B", 2), ("D", 3)), seed))
    assert [bool(telling) for _, telling in searches] == [False, True]
