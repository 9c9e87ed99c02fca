"""Syntax trees are rewritten without touching the old one."""

import ast

import pytest

from gradcheck.source import trees
from gradcheck.source.trees import parsed


def text(node):
    return ast.unparse(ast.fix_missing_locations(node))


def test_one_node_is_replaced_by_identity_and_the_rest_is_shared():
    root = ast.parse("a * b + a", mode="eval").body
    new = trees.replaced(root, root.right, ast.Name("c", ast.Load()))
    assert text(new) == "a * b + c"
    assert text(root) == "a * b + a"
    assert new.left is root.left


def test_a_tree_in_which_nothing_changes_is_the_same_tree():
    root = parsed("np.tanh(a)[0] if b else [c, {'k': d}]")
    assert trees.rewritten(root, lambda node: node) is root


def test_what_is_replaced_is_not_looked_into_again():
    root = trees.rewritten(
        parsed("a + a"),
        lambda node: parsed("a + 1") if getattr(node, "id", "") == "a" else node,
    )
    assert text(root) == "a + 1 + (a + 1)"


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("np.tanh(a)", ["np.tanh(a)", "a"]),  # and neither np nor np.tanh
        ("a.sum(axis=0)", ["a", "a.sum(axis=0)", "0"]),
        ("b[1:, n]", ["b[1:, n]", "b", "(1:, n)", "1:", "1", "n"]),
    ],
)
def test_expressions_are_those_that_have_a_value(expression, found):
    assert sorted(map(text, trees.expressions(parsed(expression)))) == sorted(found)


def test_names_are_substituted_at_once_so_that_two_can_be_exchanged():
    assert text(trees.substituted(parsed("a * b"), {"a": "b", "b": "a"})) == "b * a"
    assert text(trees.substituted(parsed("z[:D]"), {"D": "x.shape[0]"})) == "z[:x.shape[0]]"


def test_a_function_is_taken_off_wherever_it_is_called_with_one_argument():
    assert text(trees.unwrapped(parsed("f(a) * f(b) + f(c, 1) + g(d)"), "f")) == (
        "a * b + f(c, 1) + g(d)"
    )


def test_a_key_is_another_everywhere():
    assert text(trees.rekeyed(parsed("s['i'] * s['f'] * t['i']"), "i", "o")) == (
        "s['o'] * s['f'] * t['o']"
    )


@pytest.mark.parametrize(
    ("one", "other", "pair"),
    [
        ("daf", "dai", ("f", "i")),
        ("f", "i", ("f", "i")),
        ("daf", "daf", None),
        ("daf", "dio", None),
        ("dWf", "dUi", None),
        ("c", "c_prev", None),
    ],
)
def test_names_that_differ_in_one_letter(one, other, pair):
    assert trees.letter(one, other) == pair


@pytest.mark.parametrize(
    ("made", "written"),
    [
        (trees.filled("1 - _", parsed("f")), "1 - f"),
        (trees.transposed(parsed("a")), "a.T"),
        (trees.complement(trees.squared(parsed("h"))), "1 - h ** 2"),
        (trees.over(trees.times(parsed("a"), parsed("b")), parsed("n")), "a * b / n"),
        (trees.plus(parsed("a"), parsed("b")), "a + b"),
        (trees.calling(parsed("a"), "swapaxes", 1, 2), "a.swapaxes(1, 2)"),
        (trees.reducing(parsed("a"), "sum", 0), "a.sum(axis=0)"),
        (trees.reducing_last(parsed("a"), "mean"), "a.mean(axis=-1, keepdims=True)"),
        (ast.Subscript(parsed("a"), trees.COLUMN, ast.Load()), "a[:, None]"),
    ],
)
def test_trees_are_what_they_are_named(made, written):
    assert text(made) == written
