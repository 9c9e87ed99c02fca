"""Statements are written as people write them, and told alike where only the order differs."""

import ast

import pytest

from gradcheck.lines import statements
from gradcheck.lines.edits.edit import Edit


def tree(text):
    return ast.parse(text, mode="eval").body


@pytest.fixture
def line(script):
    """The line of a backward that a statement is."""

    def of(statement):
        body = "\n                    ".join(statement.split("\n"))
        lines = script(f"""
            def cell(x: "B D"):
                y = 2 * x

                def backward(dy):
                    {body}

                return y, backward
        """).lines
        return next(line for line in lines if not line.absent)

    return of


@pytest.mark.parametrize(
    ("written", "meant", "sign", "told"),
    [
        ("dx = dy", "2 * dy", None, "dx = 2 * dy"),
        ("dx[0] = dy", "2 * dy", None, "dx[0] = 2 * dy"),
        ("dx += dy", "2 * dy", None, "dx += 2 * dy"),
        ("return dy", "2 * dy", None, "return 2 * dy"),
        ("return dy, x", "x, dy", None, "return x, dy"),
        ("dx, dW = dy, x", "x, f(dy, (1, 2))", None, "dx, dW = x, f(dy, (1, 2))"),
        (
            "return x, f(dy)",
            "np.dot(x.T, dy), x.sum(axis=0)",
            None,
            "return np.dot(x.T, dy), x.sum(axis=0)",
        ),
        ("dx, dW = f(x), 1", "f(x, axis=0), 2", None, "dx, dW = f(x, axis=0), 2"),
        ("f = lambda a: a", "a * a", None, "f = lambda a: a * a"),
        ("np.add.at(x, 0, dy)", "np.add.at(x, 1, dy)", None, "np.add.at(x, 1, dy)"),
        ("for t in range(3):\n    dx = dy", "range(2)", None, "for t in range(2):"),
        ("for a, b in zip(x, dy):\n    a += b", "zip(dy, x)", None, "for a, b in zip(dy, x):"),
        ("dx = dy", "dy", "+=", "dx = dx + dy"),  # not in place: whose array is it?
        ("dx[0] = dy", "dy", "+=", "dx[0] += dy"),
        ("dx += dy", "dy", "=", "dx = dy"),
        ("dx += dy", "dy", "-=", "dx -= dy"),
    ],
)
def test_a_mend_is_a_whole_statement(line, written, meant, sign, told):
    edit = Edit(1.0, lambda: tree(meant), sign)
    assert statements.statement(line(written), edit) == told


def test_another_statement_is_told_as_it_is(line):
    other = ast.parse("np.add.at(dE, y, dx)").body[0]
    edit = Edit(1.0, lambda: tree("dx"), instead=lambda: other)
    assert statements.statement(line("dE[y] += dx"), edit) == "np.add.at(dE, y, dx)"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a * b + c", "c + b * a", True),
        ("a * (b * c)", "(c * a) * b", True),
        ("a + (b + c), d", "(c + a) + b, d", True),
        ("a - b", "b - a", False),
        ("a * b + c", "a * c + b", False),
        ("a @ b", "b @ a", False),
        ("a * (b + c)", "a * b + c", False),
        ("a / (b * c)", "a / (c * b)", True),
    ],
)
def test_only_the_order_of_terms_and_factors_is_no_difference(one, other, same):
    assert (statements.canonical(tree(one)) == statements.canonical(tree(other))) is same


@pytest.mark.parametrize(
    ("written", "signs"),
    [
        ("dx += dy", ("=", "-=")),
        ("dx -= dy", ("=", "+=")),
        ("dx = dy", ("+=", "-=")),
        ("dx[0] = dy", ("+=", "-=")),
        ("dx, dW = dy, x", ()),
        ("dx *= dy", ()),
        ("return dy", ()),
    ],
)
def test_the_other_signs_of_a_statement(line, written, signs):
    assert statements.signs(line(written)) == signs


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("dx = dy", [("dx", None)]),
        ("dx, dW = dy, x", [("dx", None), ("dW", None)]),
        ("da[:, 0], db = dy, x", [("da", "(:, 0)"), ("db", None)]),
        ("dx += dy", [("dx", None)]),
        ("dx[0] += dy", [(None, None)]),  # adds to a part, and claims no value of it
        ("d['x'] = dy", [("d", "'x'")]),
        ("return dy", []),
    ],
)
def test_what_a_line_assigns(line, written, parts):
    found = statements.target_parts(line(written))
    assert [(name, index and ast.unparse(index)) for name, index in found] == parts


def test_the_summands_of_a_right_hand_side():
    found = [ast.unparse(part) for part in statements.summands(tree("a * b + c + d, e + f"))]
    assert found[0] == "(a * b + c + d, e + f)"
    assert found[1:] == ["a * b + c + d", "a * b + c", "a * b", "c", "d", "e + f", "e", "f"]
