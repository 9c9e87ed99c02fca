"""A cell worked through as it is printed, word by word."""

from pathlib import Path

import numpy as np

import gradcheck
from gradcheck.finding import Reason, Right, Unjudged
from gradcheck.show import steps
from gradcheck.steps.rows import Row, Step, Traced, Walked


def scaled(x: "H", s_prev: "H", w: "H"):
    s = s_prev + x * w

    def backward(ds):
        dx = ds * w
        dw = ds * x
        return dx, ds * 1.0, dw

    return s, backward


NUMBERS = {
    "x": [[1.0, 2.0], [3.0, -1.0]],
    "s_prev": [0.5, 0.0],
    "w": [0.25, 2.0],
}
COTANGENTS = {"ds": [[1.0, 0.0], [0.5, 1.0]], "ds_last": [0.0, 0.0]}

SHOWN = """\
scaled, 2 steps: every gradient is right here

Given, the same at every step
  w  2  0.25    2

Step 1, forwards
  x       2  1 2        given
  s_prev  2  0.5   0    given
  s       2  0.75    4  to step 2

Step 2, forwards
  x       2   3 -1      given
  s_prev  2  0.75    4  from step 1
  s       2  1.5   2    last

Step 2, backwards
              by hand      true
  ds       2  0.5   1                   given
  ds_last  2  0 0                       given
  ds       2  0.5   1      0.5   1      sum
  dx       2  0.125     2  0.125     2
  dw       2  1.5  -1      1.5  -1
  ds_prev  2  0.5   1      0.5   1      to step 1

Step 1, backwards
              by hand      true
  ds       2  1 0                       given
  ds_prev  2  0.5   1      0.5   1      from step 2
  ds       2  1.5   1      1.5   1      sum
  dx       2  0.375     2  0.375     2
  dw       2  1.5   2      1.5   2
  ds_prev  2  1.5   1      1.5   1

Over all steps
                by hand      true
  dx       2×2  0.375     2  0.375     2
                0.125     2  0.125     2
  ds_prev  2    1.5   1      1.5   1
  dw       2    3 1          3 1
"""


def test_two_steps_as_they_are_printed():
    text = str(gradcheck.trace(scaled, NUMBERS, COTANGENTS, steps=2))
    assert text.partition("::")[2] == SHOWN.rstrip("\n")


def told(*rows, findings=None, failed="", unfollowed=""):
    walked = Walked((), (), (Step(None, rows),), failed)
    trace = Traced("c", Path("c.py"), None, walked, (), findings or {"dx[fd]": Right()})
    return steps.plain(trace)


def test_a_value_that_is_shortened_ends_in_dots():
    text = told(Row("x", np.arange(8.0)), Row("W", np.ones((6, 1))))
    assert text.splitlines() == [
        "c.py::c: every gradient is right here",
        "",
        "Backwards",
        "  x  8    0 1 2 3 4 …",
        "  W  6×1  1",
        "          1",
        "          1",
        "          1",
        "          ⋮",
        "",
        "… and ⋮ stand for what is left out; --full shows it.",
    ]


def test_what_fits_is_shown_whole_and_nothing_is_said():
    text = told(Row("x", np.arange(5.0)), Row("n", np.array([1, 2])), Row("keep", 0.5))
    assert text.splitlines()[3:] == ["  x     5  0 1 2 3 4", "  n     2  1 2", "  keep     0.5"]


def test_a_wrong_value_has_the_digits_that_tell_it_from_the_true_one():
    hand, true = np.array([0.5, 1.0]), np.array([0.5, 1.0000001])
    text = told(Row("dx", hand, true, wrong=True), Row("dw", hand, hand))
    assert text.splitlines()[3:6] == [
        "          by hand  true",
        "✗  dx  2  0.5   1        0.5 1.0000001",
        "   dw  2  0.5   1  0.5   1",
    ]


def test_what_does_not_fit_side_by_side_stands_below():
    hand = np.full((1, 2), -1.2345e-10)
    name = "d_of_a_name_that_needs_room"
    text = told(Row(name, hand, 2 * hand, wrong=True, note="to step 12", carried=True))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[3].startswith(f"✗  {name}")
    assert lines[4].split()[0] == "true"
    assert "-2.469e-10" in lines[4]


def test_what_is_not_judged_or_fails_is_said():
    text = told(
        Row("dx", None, np.ones(1)),
        findings={"dx[fd]": Unjudged(Reason.NOT_DERIVED)},
        failed="The backward fails with ValueError: no",
    )
    assert text.startswith("c.py::c: not judged: dx\n")
    assert "not derived" in text
    assert "\nThe backward fails with ValueError: no\n" in text
    assert text.endswith("Not judged: not derived.")


def test_an_array_of_many_axes_is_a_line_for_each_row_and_an_empty_one_says_so():
    text = told(Row("x", np.arange(8.0).reshape(2, 2, 2)), Row("e", np.zeros((0, 2))))
    assert text.splitlines()[3:] == [
        "  x  2×2×2  0 1",
        "            2 3",
        "            4 5",
        "            6 7",
        "  e  0×2    empty",
    ]
