"""What is said beside the wrong lines, word by word."""

import pytest

from gradcheck.cells.cell import Contract
from gradcheck.cells.contracts import CONSTANT, KINK, ORTHOGONAL, ZERO
from gradcheck.lines.budget import Cut
from gradcheck.lines.hint import Hint
from gradcheck.show import hints


@pytest.mark.parametrize(
    ("contract", "said"),
    [
        (
            Contract(CONSTANT, "m", "constant", 0),
            "Every gradient is right if m is a constant. If that is meant, declare it: "
            '`m: "constant" = ...`.',
        ),
        (
            Contract(ZERO, "c", "zero", 0),
            "Every gradient is right where dc is zero. If that is meant, declare it: "
            '`def backward(dh, dc: "zero"):`.',
        ),
        (
            Contract(ORTHOGONAL, "h", "orthogonal to h", 0),
            "Every gradient is right where dh is orthogonal to h. If that is meant, declare it: "
            '`def backward(dh: "orthogonal to h", dc):`.',
        ),
        (
            Contract(KINK, "r", "kink where a = 0", 6),
            'If that is meant, declare it: `r: "kink where a = 0" = ...` in line 6.',
        ),
    ],
)
def test_a_contract_is_told_as_it_is_declared(contract, said):
    assert hints.sentence(Hint(contract, ("h", "c"))) == said


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        (
            Cut((4,), 1_000_321),
            "The search for wrong lines was cut off after 1000321 statements: not every edit of "
            "line 4 was tried.",
        ),
        (
            Cut((4, 5, 9, 10, 11, 20), 1_000_321),
            "The search for wrong lines was cut off after 1000321 statements: not every edit of "
            "lines 4, 5, 9 to 11 and 20 was tried.",
        ),
        (
            Cut((7, 8), 12, by_clock=True),
            "The search for wrong lines was cut off by the clock, and may get further on another "
            "machine: not every edit of lines 7 and 8 was tried.",
        ),
    ],
)
def test_a_search_that_was_cut_off_says_so(cut, said):
    assert hints.unfinished(cut) == said
