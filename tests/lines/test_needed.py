"""The value that a line needs is the solution of A x = b: on systems whose answer is known.

A is what the gradients see of each entry of the line, b what they lack, x the change of the line.
"""

import ast

import numpy as np
import pytest

from gradcheck.drawing.draw import Example
from gradcheck.lines.edits.edit import Edit
from gradcheck.lines.needed import Values
from gradcheck.lines.response import Response
from gradcheck.lines.trial import Bench

ALL = frozenset({"x", "W"})


def edit(text, sign=None):
    return Edit(1.0, lambda: ast.parse(text, mode="eval").body, sign)


# The system alone.


def system(matrix, error, lines=None):
    """A draw of which only the system is known; the rows are of one argument, x."""
    gradients = {0: np.array(matrix, float)}
    rows = {"x": slice(0, len(error))}
    values = {key: np.zeros(np.shape(one)[1]) for key, one in gradients.items()}
    return Response(None, ("x",), rows, np.array(error, float), values, gradients, lines or {})


def test_a_system_with_one_solution():
    found = system([[1, 2], [3, 4], [4, 6]], [5, 11, 16]).needed([0], ["x"])
    np.testing.assert_allclose(found.changes[0], [1, 2])
    assert not found.idle


def test_a_system_without_a_solution():
    assert system([[1, 2], [3, 4], [4, 6]], [5, 11, 17]).needed([0], ["x"]) is None


def test_a_system_of_lower_rank_has_a_solution_only_where_its_rows_agree():
    twice = [[1, 2], [2, 4], [3, 6]]
    assert system(twice, [1, 3, 3]).needed([0], ["x"]) is None
    found = system(twice, [5, 10, 15]).needed([0], ["x"])
    np.testing.assert_allclose(np.array(twice) @ found.changes[0], [5, 10, 15])
    assert np.linalg.matrix_rank(found.shows[0]) == 1
    assert not found.idle


def test_that_there_is_a_solution_says_nothing_if_there_always_is_one():
    assert system([[1, 2]], [5]).needed([0], ["x"]).idle
    assert system([[1, 2], [3, 4]], [5, 6]).needed([0], ["x"]).idle


@pytest.mark.parametrize("error", [[np.nan, 1], [np.inf, 1]])
def test_what_is_not_finite_has_no_solution(error):
    assert system([[1], [1]], error).needed([0], ["x"]) is None


def test_only_the_rows_that_are_asked_for_count():
    both = Response(
        None,
        ("W", "x"),
        {"W": slice(0, 1), "x": slice(1, 3)},
        np.array([7.0, 2.0, 4.0]),
        {0: np.zeros(1)},
        {0: np.array([[0.0], [1.0], [2.0]])},
        {},
    )
    assert both.needed([0], ["W", "x"]) is None
    np.testing.assert_allclose(both.needed([0], ["x"]).changes[0], [2])


@pytest.mark.parametrize(
    ("direct", "forth", "back"), [((0, 3), 2, 0), ((1, 3), 2, 0), ((1, 3), 0, 2), ((1, 3), 2, 0.25)]
)
def test_what_is_seen_of_two_lines_is_what_each_does_by_itself(direct, forth, back):
    """Each moves the other, as in a loop over time; that is no part of its own effect."""
    one, other = direct
    two = system(
        [[one + other * forth]] * 2,
        [other, other],
        {(1, 0): np.array([[forth]]), (0, 1): np.array([[back]])},
    )
    two.gradients[1], two.values[1] = np.array([[other + one * back]] * 2), np.zeros(1)
    found = two.needed([0, 1], ["x"])
    np.testing.assert_allclose([found.shows[0][0, 0], found.shows[1][0, 0]], direct, atol=1e-12)


# Systems of a cell.

LINEAR = """
    def cell(x: "B D", W: "D H"):
        y = x @ W

        def backward(dy):
            m = {m}
            n = {n}
            return m @ W.T, x.T @ n

        return y, backward
"""


@pytest.fixture
def values(script):
    """What the lines of a text need, and the lines by what they assign."""

    def of(text, **sizes):
        read = script(text)
        bench = Bench(read, [Example(tuple(sizes.items()), seed) for seed in (1, 2)])
        assert len(bench.draws) == 2
        keys = {name: line.key for line in read.lines for name in line.targets if not line.absent}
        return Values(bench, read.lines, {}), keys

    return of


def test_what_the_gradients_see_of_a_line_is_measured(values):
    found, keys = values(LINEAR.format(m="3 * dy", n="dy"), B=1, D=2, H=3)
    (answer, _) = found.answers
    scale = np.max(np.abs(answer.drawn.truth["x"]))
    seen = answer.gradients[keys["m"]][answer.rows["x"]] * scale
    np.testing.assert_allclose(seen, answer.drawn.inputs["W"], rtol=1e-6)
    np.testing.assert_allclose(answer.gradients[keys["m"]][answer.rows["W"]], 0)


def test_the_line_that_is_wrong_can_repair_what_is_red_and_no_other_can(values):
    found, keys = values(LINEAR.format(m="3 * dy", n="dy"), B=2, D=3, H=2)
    assert found.proved(keys["m"], ALL)
    assert not found.alone(keys["n"], ALL)
    assert found.error(keys["m"], ALL) == pytest.approx(2.0)  # three times the value is two off
    assert found.error(keys["n"], ALL) is None


def test_edits_are_judged_against_what_is_needed(values):
    found, keys = values(LINEAR.format(m="3 * dy", n="dy"), B=2, D=3, H=2)
    (line,) = (line for line in found.lines if line.key == keys["m"])
    assert found.fits(line, edit("dy"), ALL)
    assert found.fits(line, edit("(2 + 1) * dy / 3"), ALL)
    assert not found.fits(line, edit("2 * dy"), ALL)
    assert not found.fits(line, edit("dy.T"), ALL)
    assert not found.fits(line, edit("nowhere"), ALL)
    assert found.fits(line, edit("2 * dy", "+="), ALL)  # another sign: a run must tell


def test_two_lines_that_only_together_repair_what_is_red(values):
    found, keys = values(LINEAR.format(m="3 * dy", n="-dy"), B=2, D=3, H=2)
    assert (keys["m"], keys["n"]) in list(found.together(ALL))
    targets = {line.key: to for line, to in found.targets((keys["m"], keys["n"]), ALL)}
    lines = {line.key: line for line in found.lines}
    for key in (keys["m"], keys["n"]):
        assert targets[key].fit(lines[key], edit("dy"))
        assert not targets[key].fit(lines[key], edit("2 * dy"))


def test_what_one_line_can_repair_comes_in_the_largest_parts(values):
    """All of it only the statement that returns it could; each of the others, one."""
    found, _ = values(LINEAR.format(m="3 * dy", n="-dy"), B=2, D=3, H=2)
    parts = list(found.repairable(frozenset(), ALL))
    assert parts == [ALL, frozenset({"W"}), frozenset({"x"})]


HIDDEN = """
    def scaled(x: "B D", s: ""):
        y = s * x

        def backward(dy):
            t = 3 * dy * x
            return s * dy, t.sum()

        return y, backward
"""


def test_a_line_of_which_the_gradients_see_only_a_sum(values):
    """A is of rank one: its value is not known, and no edit of it can be ruled out by it."""
    found, keys = values(HIDDEN, B=2, D=3)
    names = frozenset({"x", "s"})
    assert found.alone(keys["t"], names)
    assert found.error(keys["t"], names) is None
    (line,) = (line for line in found.lines if line.key == keys["t"])
    assert found.fits(line, edit("dy"), names)


LOOP = """
    def summed(x: "T B D", W: "D H"):
        y = x.sum(axis=0) @ W

        def backward(dy):
            dW = np.zeros_like(W)
            for t in range(len(x)):
                dW += {term}
            return np.stack([dy @ W.T] * len(x)), dW

        return y, backward
"""


def test_the_terms_of_a_sum_over_time_are_told_apart(values):
    found, keys = values(LOOP.format(term="2 * x[t].T @ dy"), T=3, B=1, D=2, H=2)
    for answer in found.answers:
        assert answer.values[keys["dW"]].size == 3 * 2 * 2
    (line,) = (line for line in found.lines if line.key == keys["dW"])
    assert found.fits(line, edit("x[t].T @ dy"), ALL)


def test_the_needed_value_itself_is_a_change_that_repairs(values):
    found, keys = values(LINEAR.format(m="3 * dy", n="dy"), B=2, D=3, H=2)
    (line,) = (line for line in found.lines if line.key == keys["m"])
    change = found.change(line, ALL, found.bench.draws)
    assert found.bench.right({}) == {"W"}
    assert found.bench.right({line.key: change}) == ALL


def test_a_name_that_shares_memory_with_another_is_not_followed(values):
    """The gradient is filled through an alias: to set the name would cut the two apart."""
    found, _ = values(
        """
        def doubled(x: "B D"):
            y = 2 * x

            def backward(dy):
                dx = np.zeros_like(x)
                part = dx[:, :1]
                dx += 2 * dy
                part += dy[:, :1]
                return (dx,)

            return y, backward
        """,
        B=2,
        D=2,
    )
    assert all(not isinstance(line.statement, ast.Assign) for line in found.lines)
