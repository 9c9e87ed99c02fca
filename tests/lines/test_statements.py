"""A mended line is written as its author would have written it."""

import ast
from types import SimpleNamespace

import pytest

from gradcheck.lines.edits.edit import Edit
from gradcheck.lines.statements import canonical, statement


def mended(line, right, sign=None):
    (node,) = ast.parse(line).body
    edit = Edit(1.0, lambda: ast.parse(right, mode="eval").body, sign)
    return statement(SimpleNamespace(statement=node), edit)


@pytest.mark.parametrize(
    ("line", "right", "text"),
    [
        ("da = dh * h", "dh * (1 - h ** 2)", "da = dh * (1 - h ** 2)"),
        ("dW += x", "x.T", "dW += x.T"),
        (
            "return a, f(b)",
            "np.dot(x.T, da), a.sum(axis=0)",
            "return np.dot(x.T, da), a.sum(axis=0)",
        ),
        ("da, db = f(x), 1", "f(x, axis=0), 2", "da, db = f(x, axis=0), 2"),
        ("d = lambda a: a", "1 - a", "d = lambda a: 1 - a"),
        ("for t in range(T): pass", "reversed(range(T))", "for t in reversed(range(T)):"),
        ("for a, b in z: pass", "reversed(z)", "for a, b in reversed(z):"),
    ],
)
def test_the_statement_of_a_mend(line, right, text):
    assert mended(line, right) == text


def test_a_sign_of_a_name_is_not_written_in_place():
    assert mended("dc = dh * o", "dh * o", "+=") == "dc = dc + dh * o"
    assert mended("dW[0] = x", "x", "+=") == "dW[0] += x"


def test_the_order_of_terms_and_factors_is_no_difference():
    one, other = (ast.parse(t, mode="eval").body for t in ("a * b + c", "c + b * a"))
    assert canonical(one) == canonical(other)
    assert canonical(one) != canonical(ast.parse("a * c + b", mode="eval").body)
