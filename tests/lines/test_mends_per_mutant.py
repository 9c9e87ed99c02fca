"""Mutation and mending keep each other honest: the mutated line comes back, with a right mend.

A few mutants of each form of cell; benchmarks/mends.py has every cell and every kind of slip.
"""

from pathlib import Path

import pytest

from benchmarks.asked import BACK
from benchmarks.mends import asked_of

CASES = Path(__file__).parents[2] / "cases"

# One step; a mask; a complex recurrence; a scatter; steps that have backwards of their own.
ASKED = [("rnn", 4), ("lstm", 2), ("gru", 1), ("rnn_relu", 2), ("lru", 1), ("embedding", 2)]
ASKED += [("stacked_lstm", 1)]


@pytest.mark.parametrize(("name", "most"), ASKED, ids=[name for name, _ in ASKED])
def test_the_mutated_line_comes_back_with_a_mend_that_is_right(name, most):
    found = asked_of(CASES / f"{name}.py", name, most)
    assert len(found) == most
    assert [str(one) for one in found if one.came != BACK] == []
