"""A failure at held sizes is searched down to the smallest that still fail."""

import pytest

from gradcheck.checking.check import Check
from gradcheck.checking.explore import Plan, search
from gradcheck.evidence import Examiner
from gradcheck.finding import Right, Wrong
from tests.helpers import cell_of


def matrix(x: "N M"):
    y = 2 * x
    return y, lambda dy: (2 * dy,)


def shorter(x: "T-2 M"):
    y = 2 * x
    return y, lambda dy: (2 * dy,)


def found(fails, function=matrix, **sizes):
    """The sizes with which a search ends, of a check that fails where it is said, and how many
    examples it asked."""
    asked = []

    def judge(evidence):
        asked.append(evidence.example)
        return Wrong("zero-term") if fails(**dict(evidence.example.sizes)) else Right()

    check = Check("x", "fd", "law", Examiner(cell_of(function)), judge)
    record = search(check, Plan("fast", sizes=sizes))
    return dict(record.failure[0].sizes), len(asked)


@pytest.mark.parametrize("entry", [1, 2, 3, 17, 64, 700, 1000, 1024])
def test_a_fault_that_shows_from_some_size_on_is_found_at_exactly_that_size(entry):
    sizes, asked = found(lambda N, M: entry <= N, N=1024)
    assert sizes == {"N": entry, "M": 1}
    assert asked < 60


def test_sizes_that_only_fail_together_are_lowered_one_beside_the_other():
    assert found(lambda N, M: N * M >= 100, N=512, M=512)[0] == {"N": 1, "M": 100}
    assert found(lambda N, M: N >= 30 and N == M, N=512, M=512)[0] == {"N": 512, "M": 512}


def test_a_size_that_does_not_fit_the_shapes_is_not_tried():
    sizes, _ = found(lambda T, M: True, shorter, T=64)
    assert sizes == {"T": 2, "M": 1}


def test_sizes_that_are_not_held_shrink_as_always():
    assert found(lambda N, M: M >= 2, N=9)[0] == {"N": 1, "M": 2}
