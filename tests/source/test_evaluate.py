"""Expressions are evaluated as Python evaluates them, and what is shared only once."""

import ast

import numpy as np
import pytest

from gradcheck.source.evaluate import Evaluator, compiled

SPACE = {
    "np": np,
    "a": np.arange(6.0).reshape(2, 3),
    "b": np.array([1.0, -2.0, 3.0]),
    "n": 2,
    "gates": {"i": np.array([0.5])},
    "parts": [1, 2],
    "options": {"axis": 1},
}


def tree(text):
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize(
    "text",
    [
        "a + b - 2 * a / 3 // 1 % 5 ** n",
        "a @ b",
        "-a * +b",
        "~np.array([True]) & (not n)",
        "a[1:, ::-1][0, -1]",
        "a.T.sum(axis=0, keepdims=True)",
        "np.concatenate([a, a], axis=1)",
        "gates['i'], (n, [1, 2])",
        "[part * n for part in parts]",  # what is not evaluated by itself is compiled
        "max(*parts)",
        "a.sum(**options)",
        "[*parts, n], (*parts, n)",
        "len(parts) if n > 1 else 0",
        "abs(n)",  # a name of Python's own
    ],
)
def test_a_value_is_what_python_says(text):
    expected = eval(text, dict(SPACE))
    np.testing.assert_equal(Evaluator(SPACE).value(tree(text)), expected)
    np.testing.assert_equal(eval(compiled(tree(text)), dict(SPACE)), expected)


@pytest.mark.parametrize(
    ("text", "error"), [("nowhere", NameError), ("a @ a", ValueError), ("gates['o']", KeyError)]
)
def test_nonsense_raises_what_python_raises(text, error):
    with pytest.raises(error):
        Evaluator(SPACE).value(tree(text))


def counting():
    calls = []

    def counted(value):
        calls.append(value)
        return value

    return calls, counted


def test_what_trees_share_is_evaluated_once():
    calls, counted = counting()
    root = tree("f(a) + f(b)")
    evaluator = Evaluator({**SPACE, "f": counted}, [root])
    evaluator.value(root)
    evaluator.value(ast.BinOp(root.left, ast.Mult(), root.right))
    assert len(calls) == 2


def test_what_is_not_shared_is_evaluated_anew():
    calls, counted = counting()
    evaluator = Evaluator({**SPACE, "f": counted})
    node = tree("f(a)")
    evaluator.value(node)
    evaluator.value(node)
    assert len(calls) == 2


def test_the_space_is_not_written_into():
    space = dict(SPACE)
    Evaluator(space).value(tree("[(m := part) for part in parts]"))
    assert set(space) == set(SPACE)
