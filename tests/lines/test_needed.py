"""What a line would need for the gradients to come out right, on a cell that fits in the head."""

import numpy as np
import pytest

from gradcheck.drawing.draw import Example
from gradcheck.lines import instrument
from gradcheck.lines.mend import find
from gradcheck.lines.needed import Values
from gradcheck.lines.response import response
from gradcheck.lines.trial import Bench
from gradcheck.source.listing import Listing


def scaled(x: "B", w: "B"):
    y = 3 * w * x

    def backward(dy):
        da = 2 * dy
        dx = da * w
        dw = 3 * dy * x
        return dx, dw

    return y, backward


@pytest.fixture
def bench():
    script = instrument.script(Listing.of_function(scaled))
    return Bench(script, [Example((("B", 2),), 1), Example((("B", 3),), 2)])


def line(bench, source):
    return next(line for line in bench.script.lines if line.source == source)


def test_the_response_to_a_line_is_how_the_gradients_move_with_it(bench):
    drawn = bench.draws[0]
    answer = response(bench, drawn, bench.script.lines, {})
    key = line(bench, "da = 2 * dy").key
    size = np.max(np.abs(drawn.truth["x"]))
    moved = np.diag(drawn.inputs["w"] / size)
    assert np.allclose(answer.gradients[key][answer.rows["x"]], moved)
    assert not answer.gradients[key][answer.rows["w"]].any()


def test_what_is_needed_of_the_wrong_line_is_half_as_much_again(bench):
    values = Values(bench, bench.script.lines, {})
    key = line(bench, "da = 2 * dy").key
    (first, *_) = values.needed((key,), frozenset({"x", "w"}))
    assert np.allclose(first.changes[key], bench.draws[0].cotangents[0])
    assert values.alone(key, frozenset({"x", "w"}))


def test_a_line_that_the_wrong_gradient_does_not_hang_on_can_repair_nothing(bench):
    values = Values(bench, bench.script.lines, {})
    assert not values.alone(line(bench, "dw = 3 * dy * x").key, frozenset({"x"}))


def test_the_wrong_line_is_found_and_mended(bench):
    (fault,) = find(bench.script).faults
    assert (fault.line.source, fault.mends[0]) == ("da = 2 * dy", "da = 3 * dy")
