"""float32 and mixed code: judged by its own rounding, never by less and never by more."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gradcheck.cells.cell import Cell
from gradcheck.checking.check import checks
from gradcheck.checking.explore import Plan, search
from gradcheck.drawing.draw import Example
from gradcheck.evidence import Examiner
from gradcheck.running import precision
from gradcheck.running.compare import compare
from gradcheck.running.precision import DOUBLE, HALF, SINGLE
from gradcheck.source.cases import read
from tests import helpers

ROOT = Path(__file__).parents[2]

OPEN = """
import numpy as np

def cell(x: "B D", h_prev: "B H", W: "D H", U: "H H"):
    x, h_prev, W, U = (v.astype(np.float32) for v in (x, h_prev, W, U))
    h = np.tanh(x @ W + h_prev @ U)

    def backward(dh):
        da = dh * (1 - {slope})
        return da @ W.T, da @ U.T, x.T @ da, h_prev.T @ da

    return h, backward
"""
BUFFER = """
import numpy as np

def cell(x: "T B D", W: "D H", U: "H H"):
    T, B, _ = x.shape
    hs = np.zeros((T + 1, B, W.shape[1]), "float32")
    for t in range(T):
        hs[t + 1] = np.tanh(x[t] @ W + hs[t] @ U)

    def backward(dh):
        dx, dW, dU, carry = np.zeros(x.shape), np.zeros(W.shape), np.zeros(U.shape), 0.0
        for t in reversed(range(T)):
            da = (dh[t] + carry) * (1 - hs[t + 1] ** 2)
            dx[t] = da @ W.T
            dW += x[t].T @ da
            dU += hs[t{index}].T @ da
            carry = da @ U.T
        return dx, dW, dU

    return hs[1:].astype(float), backward
"""


def cell_of(tmp_path: Path, text: str) -> Cell:
    path = tmp_path / "cell.py"
    path.write_text(text, encoding="utf-8")
    (cell,) = read(path)
    assert isinstance(cell, Cell), cell.message
    return cell


FAST = Plan("fast", shrink=False)


def red(cell: Cell) -> set[str]:
    """The nodes of gradients that fail."""
    return set(helpers.red(cell, plan=FAST))


def test_a_right_cell_in_float32_is_right(tmp_path):
    cell = cell_of(tmp_path, OPEN.format(slope="h**2"))
    assert cell.dtype == "float32"
    assert red(cell) == set()


def test_a_right_cell_in_float32_is_never_wrong_without_readable_source(tmp_path):
    """Differences of a coarse forward see little, and then say nothing."""
    cell = cell_of(tmp_path, OPEN.format(slope="h**2"))
    for check in checks(replace(cell, finer=None, source=None), None):
        if check.subject != "law":
            assert search(check, FAST).failure is None


def test_a_wrong_cell_in_float32_is_wrong(tmp_path):
    assert {"dx[fd]", "dW[fd]"} <= red(cell_of(tmp_path, OPEN.format(slope="h")))


LETTERS = OPEN.replace("v.astype(np.float32)", 'v.astype("f")').replace(
    "da = dh * (1 - {slope})", 'da = np.zeros(h.shape, "f")\n        da[:] = dh * (1 - {slope})'
)


def test_a_type_may_be_written_as_a_letter(tmp_path):
    cell = cell_of(tmp_path, LETTERS.format(slope="h**2"))
    assert cell.finer is not None
    assert red(cell) == set()


def test_a_letter_is_a_type_only_where_one_is_asked_for(tmp_path):
    text = OPEN.format(slope="h**2").replace("v.astype(np.float32)", "v")
    text = text.replace("h = np.tanh(", 'gates = dict(f=1.0)\n    h = gates["f"] * np.tanh(')
    assert cell_of(tmp_path, text).finer is None  # nothing names a type
    both = text.replace("def cell(", 'ONE = np.ones(1, "f")\n\ndef cell(')
    cell = cell_of(tmp_path, both)
    assert cell.finer is not None  # and gates["f"] is still there, or it would fail
    assert red(cell) == set()


def test_float32_that_the_file_does_not_name_is_asked_for_by_name(tmp_path):
    hidden = OPEN.replace("np.float32", 'getattr(np, "float" + "32")').format(slope="h**2")
    (check,) = (c for c in checks(cell_of(tmp_path, hidden), None) if c.label == "dW[fd]")
    said = helpers.found(check, FAST)
    assert said is not None
    assert said.endswith(
        "It computes in float32 without a word of it in its file, which differences cannot see "
        "through. Write `np.float32` there."
    )


@pytest.mark.parametrize("factor", [1 + 1e-4, 1 - 1e-4])
def test_one_part_in_ten_thousand_is_seen_in_float32(tmp_path, factor):
    wrong = OPEN.format(slope="h**2").replace("x.T @ da", f"x.T @ da * np.float32({factor})")
    assert "dW[fd]" in red(cell_of(tmp_path, wrong))


def test_code_with_a_float32_buffer_is_judged_by_the_rounding_of_the_buffer(tmp_path):
    cell = cell_of(tmp_path, BUFFER.format(index=""))
    assert cell.dtype == "float64"
    assert red(cell) == set()
    evidence = Examiner(cell).evidence(Example((("T", 3), ("B", 2), ("D", 4), ("H", 3)), 0))
    comparison = evidence.compared("W", evidence.numeric.best("W"))
    assert 1e-9 < comparison.worst[0] < comparison.worst[1] < 1e-4
    assert comparison.precision is SINGLE


def test_a_float32_buffer_hides_no_wrong_step(tmp_path):
    assert red(cell_of(tmp_path, BUFFER.format(index=" + 1"))) == {"dU[fd]"}


@pytest.mark.parametrize("name", ["lstm", "gru", "cross_entropy"])
def test_every_case_is_also_judged_in_float32(name):
    cell = read(ROOT / "cases" / f"{name}.py")[0]
    assert isinstance(cell, Cell)
    (check,) = [check for check in checks(cell, None) if check.label.endswith("[fd]")][:1]
    search(check)
    dtypes = [example.dtype for example in check.examiner._known]
    assert dtypes.count("float32") >= 8
    sizes = tuple((size, k + 2) for k, size in enumerate(cell.size_names))
    evidence = Examiner(cell).evidence(Example(sizes, 3, "ordinary", "float32"))
    argument = cell.arguments[0].name
    assert evidence.inputs[argument].dtype == np.float32
    assert evidence.cotangents[0].dtype == evidence.outputs[0].dtype
    assert not evidence.inputs[argument].flags.writeable
    assert evidence.numeric.best(argument).value.dtype == np.float64


def test_a_comparison_follows_the_coarsest_number():
    want = np.array([1.0, -0.5])
    assert compare(want * (1 + 1e-6), want, precision=SINGLE).agrees
    assert not compare(want * (1 + 1e-5), want, precision=SINGLE).agrees
    assert not compare(want * (1 + 1e-6), want).agrees
    assert not compare(want, want, own_error=2e-3, precision=SINGLE).judged
    assert compare(want, want, own_error=5e-4, precision=SINGLE).judged


def test_precisions():
    assert precision.of(np.float64) is precision.of(np.longdouble) is DOUBLE
    assert precision.of("float32") is precision.of(np.complex64) is SINGLE
    assert precision.of(np.float16) is HALF
    assert precision.of(int) is DOUBLE
    assert precision.coarser(SINGLE, DOUBLE) is SINGLE
