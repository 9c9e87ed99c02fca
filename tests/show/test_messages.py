"""The message of a failed check, word by word, for each of its verdicts."""

import re
from pathlib import Path

import numpy as np
import pytest

from gradcheck.checking.check import checks
from gradcheck.checking.explore import Plan, search
from gradcheck.drawing.draw import Example
from gradcheck.oracles.numeric import Numeric
from gradcheck.oracles.reference import Reference
from gradcheck.show import messages
from gradcheck.source.cases import read
from gradcheck.source.closure import closure
from gradcheck.verdicts.verdict import explain
from tests import helpers
from tests.helpers import fault, nodes

ROOT = Path(__file__).parents[2]


def message(function, label, twin=None, example=None):
    return helpers.message(nodes(function, twin)[label], example)


def unmeasured(said):
    """The text without figures of the size of rounding, which other versions may move."""
    return re.sub(r"\d(\.\d)?e-1\d", "#", said)


def flat(said):
    """The text without its line breaks."""
    return " ".join(said.split())


def triple(x: "B D", s: ""):
    def backward(dy):
        return dy * s, (dy * x).sum() / 3

    return x * s, backward


def test_the_derivation_is_wrong():
    said = message(triple, "ds[autograd]", lambda x, s: x * s)
    assert (
        unmeasured(said)
        == """\
triple: ds disagrees with autograd in its one entry, by 6.7e-01 of its size.

The derivation is wrong: the complex step and autograd agree with each other to #.

      backward  complex step  differences  autograd    error  allowed
  ds  0.223167        0.6695       0.6695    0.6695  4.5e-01  #

The smallest cell that shows it: B=1, D=1, seed=0, regime=ordinary
  x = [[1.03]]   s = -0.64   dy = [[0.65]]

To repeat it: pytest ..."""
    )


def test_without_a_twin_two_numeric_witnesses_speak():
    said = message(triple, "ds[fd]")
    assert unmeasured(said).splitlines()[:3] == [
        "triple: ds disagrees with the complex step in its one entry, by 6.7e-01 of its size.",
        "",
        "The derivation is wrong: the complex step and finite differences agree to #.",
    ]


def bent(x: "B D"):
    def backward(dy):
        return dy * (x > 0) * 1.1

    return np.abs(x), backward


def test_without_twin_and_complex_step_differences_speak_alone():
    said = message(bent, "dx[fd]")
    assert "bent: dx disagrees with finite differences in its one entry, by 1.0e-01" in said
    assert (
        "The derivation disagrees with finite differences, whose own error is known and small. "
        "There is no twin to ask." in flat(said)
    )


def right(x: "B D"):
    def backward(dy):
        return 2 * dy * x

    return x**2, backward


def test_the_twin_computes_something_else_and_the_derivation_is_right():
    said = message(right, "dx[autograd]", lambda x: x**2 + 0.5 * x)
    assert (
        "The twin computes something else: its forward gives other outputs on these inputs. "
        "The derivation agrees with the complex step." in flat(said)
    )


def doubly_wrong(x: "B D"):
    def backward(dy):
        return 3 * dy * x

    return x**2, backward


def test_the_twin_computes_something_else_and_the_derivation_is_wrong_too():
    said = message(doubly_wrong, "dx[autograd]", lambda x: x**2 + 0.5 * x)
    assert (
        "The twin computes something else: its forward gives other outputs on these inputs. "
        "The derivation is wrong as well: the complex step disagrees too. "
        "dx is 1.5 times what it should be." in flat(said)
    )


def test_the_forwards_differ():
    said = message(right, "forward[autograd]", lambda x: x**2 + 0.5 * x)
    assert (
        unmeasured(said)
        == """\
right: y disagrees with its twin in its one entry, by 3.3e-01 of its size.

The twin computes something else than the case. Its gradients cannot be compared before their
forwards agree; finite differences judge the derivation meanwhile.

            case    twin    error  allowed
  y[0,0]  1.0609  1.5759  5.1e-01  #

The smallest cell that shows it: B=1, D=1, seed=0, regime=ordinary
  x = [[1.03]]   dy = [[0.65]]

To repeat it: pytest ..."""
    )


def test_autograd_is_the_odd_one_out():
    said = message(right, "dx[autograd]", lambda x: x * x.detach())
    assert (
        "Autograd is the odd one out: the derivation agrees with the complex step, and the "
        "forwards are equal. Look in the twin for detach(), no_grad() or a custom backward."
        in flat(said)
    )


def test_differences_are_the_odd_one_out(monkeypatch):
    """They bound their own error too well for a cell to be found that fools them; so they lie."""

    def lying(self, name, every=False):
        value = np.full(self._run.inputs[name].shape, 7.0)
        return Reference("finite differences", value, 0 * value)

    for oracle in ("best", "differences"):
        monkeypatch.setattr(Numeric, oracle, lying)
    said = message(right, "dx[fd]", lambda x: x**2)
    assert (
        "The derivation and autograd agree; finite differences cannot be trusted here. A kink of "
        "the forward (max, abs, relu, a branch) within one step would explain it." in flat(said)
    )


def test_no_two_agree():
    said = message(doubly_wrong, "dx[autograd]", lambda x: x * x.detach())
    assert "No two of the three witnesses agree." in said


def failing_twin(x):
    raise RuntimeError("no kernel")


def test_a_twin_that_fails_is_told():
    said = message(right, "dx[autograd]", failing_twin)
    assert said.startswith("right: The twin fails with RuntimeError: no kernel\n")
    said = message(doubly_wrong, "dx[fd]", failing_twin)
    assert "The twin cannot be asked: The twin fails with RuntimeError: no kernel" in said


def test_a_twin_of_another_shape_is_told():
    said = message(right, "forward[autograd]", lambda x: (x**2).sum(0))
    assert said.startswith(
        "right: y has shape (1, 1) in the case and (1,) in its twin.\n\nGive both one shape.\n"
    )


def crashing(x: "B D"):
    def backward(dy):
        return dy @ np.ones((7, 7))

    return x**2, backward


def test_a_backward_that_crashes_is_told_with_its_line():
    said = message(crashing, "dx[fd]")
    assert said.startswith(
        "crashing: backward fails with ValueError: matmul: Input operand 1 has a"
    )
    assert "The smallest cell that shows it: B=1, D=1, seed=0, regime=ordinary" in said


def test_the_line_of_a_crash_is_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = 'def c(x: "B"):\n    def backward(dy):\n        return dy / missing\n'
    text += "    return x, backward\n"
    (tmp_path / "c.py").write_text(text, encoding="utf-8")
    (cell,) = read(tmp_path / "c.py")
    (check,) = (check for check in checks(cell, None) if check.label == "dx[fd]")
    assert fault(check.judge(check.examiner.evidence(Example((("B", 1),), 0)))) == (
        "backward fails with NameError: name 'missing' is not defined\n"
        "    c.py:3: return dy / missing"
    )


def many(x: "B D"):
    def backward(dy):
        return dy * x + np.arange(dy.size).reshape(dy.shape)

    return x**2, backward


def test_wrong_entries_come_worst_first_and_no_more_than_five():
    said = message(many, "dx[fd]", example=Example((("B", 5), ("D", 5)), 0))
    rows = [line.split() for line in said.splitlines() if line.startswith("  dx[")]
    errors = [float(row[-2]) for row in rows]
    assert errors == sorted(errors, reverse=True)
    assert len(rows) == 5
    assert "  and 20 more\n" in said


def off_by_little(x: "B D"):
    def backward(dy):
        return 2 * dy * x * (1 + 1e-12)

    return x**2, backward


def test_as_many_digits_as_it_takes_to_see_the_error():
    said = message(off_by_little, "dx[fd]")
    row = next(line for line in said.splitlines() if line.startswith("  dx[")).split()
    assert row[1] != row[2]


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "mistakes").glob("lstm_c*.py")))
def test_no_message_is_longer_than_a_screen(path):
    (cell,) = read(path)
    for check in checks(cell, None):
        record = search(check, Plan("fast"))
        verdict = explain(record, command=f'pytest "cases/lstm.py::lstm::{check.label}"')
        if verdict:
            text = messages.text(verdict)
            assert len(text.splitlines()) <= 32
            assert max(map(len, text.splitlines())) <= 100


def test_every_input_and_cotangent_is_printed_even_if_cut():
    cell = closure(bent)
    (check,) = (check for check in checks(cell, None) if check.label == "dx[fd]")
    text = helpers.message(check, Example((("B", 5), ("D", 5)), 0))
    assert "  x = [[" in text
    assert "  dy = [[" in text


def only_float64(x: "B"):
    y = x.copy()

    def backward(dy):
        dx = np.zeros(x.shape)
        np.multiply(dy, 1.0, out=dx.astype(dy.dtype) if dy.dtype == np.float64 else dx[:0])
        return (dy.copy(),)

    return y, backward


def test_a_crash_on_special_inputs_only_is_told_as_one():
    said = message(only_float64, "dx[fd]")
    assert "backward fails with ValueError" in said
    assert "Not on ordinary inputs in float64 of the same sizes: only on float32 ones." in flat(
        said
    )
