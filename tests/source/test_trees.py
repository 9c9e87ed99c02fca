"""Syntax trees are rewritten without touching the old one."""

import ast

import pytest

from gradcheck.source import trees
from gradcheck.source.evaluate import Evaluator


def written(text):
    return ast.parse(text, mode="eval").body


def test_one_node_is_replaced_and_the_old_tree_is_left_as_it_was():
    root = written("a * b + a")
    new = trees.replaced(root, root.left.left, trees.parsed("c"))
    assert (ast.unparse(new), ast.unparse(root)) == ("c * b + a", "a * b + a")
    assert new.right is root.right


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (lambda: trees.substituted(written("df * f"), {"f": "i", "df": "di"}), "di * i"),
        (lambda: trees.unwrapped(written("np.tanh(c) * o"), "np.tanh"), "c * o"),
        (lambda: trees.rekeyed(written("W['f'] @ U['f']"), "f", "i"), "W['i'] @ U['i']"),
        (lambda: trees.filled("1 - _", written("f")), "1 - f"),
    ],
)
def test_a_tree_that_is_made_of_another(made, text):
    assert ast.unparse(made()) == text


def test_a_function_is_no_value_but_what_it_is_given_is():
    found = [ast.unparse(node) for node in trees.expressions(written("np.tanh(c) + f.sum()"))]
    assert "c" in found
    assert "f" in found
    assert "np" not in found
    assert "np.tanh" not in found


def test_names_that_differ_in_one_letter():
    assert trees.letter("dWf", "dWi") == ("f", "i")
    assert trees.letter("dWf", "dUi") is None
    assert trees.letter("h", "h_prev") is None


@pytest.mark.parametrize(
    "text", ["a @ b.T", "-a[:, 1:]", "[x * 2 for x in (1, 2)]", "max(1, *(2, 3))"]
)
def test_an_expression_is_worth_what_python_makes_of_it(text):
    import numpy as np

    space = {"a": np.arange(6.0).reshape(2, 3), "b": np.ones((2, 3)), "max": max}
    assert np.array_equal(Evaluator(space).value(written(text)), eval(text, dict(space)))
