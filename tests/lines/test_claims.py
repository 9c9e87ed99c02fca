"""A name dX claims dL/dX: each line that makes the claim is judged, given true values before it."""

import ast

import pytest

from gradcheck.drawing.draw import Example
from gradcheck.lines.claims import Claims
from gradcheck.lines.edits.edit import Edit
from gradcheck.lines.trial import Bench


@pytest.fixture
def claims(script):
    """The claims of a cell, and its lines by their source."""

    def of(text):
        read = script(text)
        names = read.cell.size_names
        sizes = tuple((name, k + 2) for k, name in enumerate(names))
        bench, fresh = (Bench(read, [Example(sizes, seed)]) for seed in (1, 2))
        assert bench.draws
        return Claims(read, bench, fresh), {line.source: line for line in read.lines}

    return of


RNN = """
    def rnn(x: "B D", W: "D H"):
        a = x @ W
        h = np.tanh(a)

        def backward(dh):
            da = {da}
            dW = {dW}
            dx = {dx}
            return dx, dW

        return h, backward
"""
RIGHT = {"da": "dh * (1 - h**2)", "dW": "x.T @ da", "dx": "da @ W.T"}


def verdicts(claims, lines):
    return {source: claims.verdicts.get(line.key) for source, line in lines.items()}


def test_right_lines_keep_what_their_names_claim(claims):
    found, lines = claims(RNN.format(**RIGHT))
    assert not found.suspects
    for name in RIGHT:
        assert found.kept(lines[f"{name} = {RIGHT[name]}"])


def test_a_wrong_line_is_told_apart_from_those_that_it_feeds(claims):
    """dW and dx are wrong as they are returned; given a true da they are right."""
    found, lines = claims(RNN.format(**{**RIGHT, "da": "dh * (1 - h)"}))
    told = verdicts(found, lines)
    assert told["da = dh * (1 - h)"] is False
    assert told["dW = x.T @ da"] is told["dx = da @ W.T"] is True
    assert list(found.suspects) == [lines["da = dh * (1 - h)"].key]


def test_every_wrong_line_is_told_though_one_feeds_the_other(claims):
    found, lines = claims(RNN.format(**{**RIGHT, "da": "dh * (1 - h)", "dx": "2 * da @ W.T"}))
    told = verdicts(found, lines)
    assert [source for source, right in told.items() if right is False] == [
        "da = dh * (1 - h)",
        "dx = 2 * da @ W.T",
    ]


def test_an_edit_is_right_if_it_gives_the_true_value(claims):
    found, lines = claims(RNN.format(**{**RIGHT, "da": "dh * (1 - h)"}))

    def keeps(text):
        edit = Edit(1.0, lambda: ast.parse(text, mode="eval").body)
        return found.keeps(edit, lines["da = dh * (1 - h)"])

    assert keeps("dh * (1 - h ** 2)")
    assert not keeps("dh * (1 - h ** 3)")
    assert not keeps("(dh * (1 - h ** 2)).astype(np.float32)")
    assert not keeps("nowhere")


def test_the_error_of_a_line_is_its_own(claims):
    text = RNN.format(**{**RIGHT, "da": "3 * dh * (1 - h**2)", "dx": "2 * da @ W.T"})
    found, lines = claims(text)
    assert found.error(lines["da = 3 * dh * (1 - h**2)"]) == pytest.approx(2.0)
    assert found.error(lines["dx = 2 * da @ W.T"]) == pytest.approx(1.0)  # and not five


def test_a_value_of_another_shape_has_no_size_of_error(claims):
    found, lines = claims(RNN.format(**{**RIGHT, "dW": "(x.T @ da).sum(axis=0)"}))
    line = lines["dW = (x.T @ da).sum(axis=0)"]
    assert line.key in found.suspects
    assert found.error(line) is None


def test_who_means_something_else_by_a_name_is_not_taken_at_their_word(claims):
    """A right derivation in which da is minus the gradient: its true value would break dW."""
    found, lines = claims(
        RNN.format(da="-dh * (1 - h**2)", dW="-(x.T @ da)", dx="-(da @ W.T)"),
    )
    assert lines["da = -dh * (1 - h**2)"].key not in found
    assert not found.suspects


@pytest.mark.parametrize(("sum_", "right"), [("da + dy", True), ("da + 2 * dy", False)])
def test_only_what_completes_a_gradient_claims_it(claims, sum_, right):
    found, lines = claims(f"""
        def twice(x: "B D"):
            a = 2 * x
            y = a + np.sin(a)

            def backward(dy):
                da = dy * np.cos(a)
                da = {sum_}
                dx = 2 * da
                return (dx,)

            return y, backward
    """)
    assert lines["da = dy * np.cos(a)"].key not in found
    assert found.kept(lines[f"da = {sum_}"]) is right


def test_an_entry_claims_its_part_and_a_sum_over_a_loop_nothing(claims):
    found, lines = claims("""
        def gates(x: "B D", W: "D 2"):
            a = x @ W
            y = np.sin(a)

            def backward(dy):
                da = np.empty_like(a)
                da[:, 0] = dy[:, 0] * np.cos(a[:, 0])
                da[:, 1] = dy[:, 1] * np.sin(a[:, 1])
                dW = np.zeros_like(W)
                for n in range(len(x)):
                    dW = dW + np.outer(x[n], da[n])
                return da @ W.T, dW

            return y, backward
    """)
    told = verdicts(found, lines)
    assert told["da[:, 0] = dy[:, 0] * np.cos(a[:, 0])"] is True
    assert told["da[:, 1] = dy[:, 1] * np.sin(a[:, 1])"] is False
    assert told["dW = dW + np.outer(x[n], da[n])"] is None
