"""A function in closure form is a cell by itself, wherever it was written."""

import pytest

from gradcheck.errors import CaseError
from gradcheck.source.closure import closure


def test_a_closure_needs_no_file():
    def double(x: "B"):
        def backward(dy):
            return 2 * dy

        return 2 * x, backward

    assert closure(double).outputs == ("y",)

    def broken(x: "B"):
        return x / 0 + undefined

    with pytest.raises(CaseError, match="NameError: name 'undefined' is not defined"):
        closure(broken)
