"""Rounding is measured through every way of writing NumPy, and where it cannot be, it is said.

Saturated slopes, 1 - t**2 of a t near 1, tell: what is not measured there is a false alarm.
"""

import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch

from gradcheck.cells.cell import Cell
from gradcheck.checking.check import Check, checks
from gradcheck.checking.explore import search
from gradcheck.drawing.draw import DTYPES, REGIMES, Example
from gradcheck.evidence import Examiner
from gradcheck.finding import Unjudged
from gradcheck.oracles.autograd import Twin
from gradcheck.running.monte_carlo import Disturbance, Disturbed, disturb
from gradcheck.source.cases import read
from tests.helpers import fault

COPIES = """
import numpy as np

def cell(a: "B H", w: "B H"):
    t = np.tanh(np.array(a) * np.asarray(w))

    def backward(dt):
        da = np.asarray(dt) * (1 - t**2)
        return da * w, da * a

    return t, backward
"""

NAMES = """
from numpy import array, asarray, empty_like, tanh

def cell(a: "B H", w: "B H"):
    a, w = array(a), asarray(w)
    t = tanh(a * w)

    def backward(dt):
        da = empty_like(t)
        da[:] = array(dt) * (1 - t**2)
        return da * w, da * a

    return t, backward
"""

BUFFERS = """
import numpy as np

def cell(a: "B H", w: "B H"):
    product, slope = np.zeros(a.shape), np.empty(a.shape)
    product[:] = a
    for row, factor in enumerate(w):
        entries = product[row]
        entries *= factor
    t = np.tanh(product)
    slope[:] = 1 - t**2

    def backward(dt):
        da = np.empty_like(slope)
        da[:] = dt * slope
        return da * w, da * a

    return t, backward
"""

LOOPS = """
import numpy as np

def cell(a: "B H", w: "B H"):
    t, slope = np.zeros(a.shape), np.zeros(a.shape)
    for b in range(a.shape[0]):
        for h in range(a.shape[1]):
            u = np.tanh(a[b, h] * w[b, h])
            t[b, h], slope[b, h] = u, 1 - u**2

    def backward(dt):
        da = np.zeros(a.shape)
        dw = np.zeros(a.shape)
        for b in range(a.shape[0]):
            for h in range(a.shape[1]):
                da[b, h] += dt[b, h] * slope[b, h] * w[b, h]
                dw[b, h] += dt[b, h] * slope[b, h] * a[b, h]
        return da, dw

    return t, backward
"""

PYTHON = """
import math

import numpy as np

def cell(a: "B H", w: "B H"):
    numbers = [list(zip(*rows)) for rows in zip(a.tolist(), w.tolist())]
    t = [[math.tanh(x * y) for x, y in row] for row in numbers]

    def backward(dt):
        slope = np.array([[1 - u**2 for u in row] for row in t]).reshape(a.shape)
        return dt * slope * w, dt * slope * a

    return np.array(t).reshape(a.shape), backward
"""

# The same tanh; what is subtracted cancels on tiny inputs.
CANCELLING = PYTHON.replace("math.tanh(x * y)", "2 / (1 + math.exp(-2 * x * y)) - 1")

COMPILED = """
import numpy as np

def compiled(product):
    numbers = np.frombuffer(product.tobytes(), product.dtype)
    return np.tanh(numbers).reshape(product.shape)

def cell(a: "B H", w: "B H"):
    t = compiled(a * w)

    def backward(dt):
        da = dt * (1 - t**2)
        return da * w, da * a

    return t, backward
"""

STRICT = """
import numpy as np

def strict(*arrays):
    if any(type(array) is not np.ndarray for array in arrays):
        raise TypeError("NumPy's own arrays only")

def cell(a: "B H", w: "B H"):
    strict(a, w)
    t = np.tanh(a * w)

    def backward(dt):
        strict(dt)
        da = dt * (1 - t**2)
        return da * w, da * a

    return t, backward
"""

SEEN = {"copies": COPIES, "names": NAMES, "buffers": BUFFERS, "loops": LOOPS}
UNSEEN = {"python": PYTHON, "cancelling": CANCELLING, "compiled": COMPILED, "strict": STRICT}
TWIN = Twin(lambda v: (torch.tanh(v["a"] * v["w"]),), None)


def cell_of(tmp_path: Path, text: str) -> Cell:
    path = tmp_path / "cell.py"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    (cell,) = read(path)
    assert isinstance(cell, Cell), cell.message
    return cell


def gradients_of(cell: Cell) -> list[Check]:
    return [check for check in checks(cell, TWIN) if check.argument]


def example(regime: str = "ordinary", dtype: str = "float64", seed: int = 0) -> Example:
    return Example((("B", 3), ("H", 4)), seed, regime, dtype)


@pytest.mark.parametrize("text", [*SEEN.values(), *UNSEEN.values()], ids=[*SEEN, *UNSEEN])
def test_right_code_of_every_style_raises_no_alarm(tmp_path, text):
    for check in gradients_of(cell_of(tmp_path, text)):
        assert search(check).failure is None
        for regime in REGIMES:
            for dtype in DTYPES:
                for seed in range(5):
                    evidence = check.examiner.evidence(example(regime, dtype, seed))
                    assert fault(check.judge(evidence)) is None


@pytest.mark.parametrize("text", SEEN.values(), ids=SEEN)
def test_a_tiny_error_is_seen_where_all_rounding_is(tmp_path, text):
    assert Examiner(cell_of(tmp_path, text)).evidence(example()).run.rounding.complete
    off = cell_of(tmp_path, _off(text, 1e-11))
    assert _faulty(off)


@pytest.mark.parametrize("text", UNSEEN.values(), ids=UNSEEN)
def test_where_some_rounding_is_not_seen_a_millionth_is(tmp_path, text):
    """Less than that is not: nothing tells it from rounding."""
    assert not Examiner(cell_of(tmp_path, text)).evidence(example()).run.rounding.complete
    assert _faulty(cell_of(tmp_path, _off(text, 1e-6)))
    assert not _faulty(cell_of(tmp_path, _off(text, 1e-8)))


@pytest.mark.parametrize("text", UNSEEN.values(), ids=UNSEEN)
def test_nor_is_anything_judged_beyond_the_first_digits_of_a_saturated_gate(tmp_path, text):
    cell = cell_of(tmp_path, _off(text, 1e-6))
    evidence = Examiner(cell, TWIN).evidence(example("saturated"))
    comparison = evidence.compared("a", evidence.autograd("a"))
    assert comparison.agrees
    assert not comparison.judged


def _off(text: str, error: float) -> str:
    """The cell with one gradient wrong by a relative error."""
    for returned in ("return da * w, da * a", "return da, dw", "return dt * slope * w,"):
        if returned in text:
            first = returned.removeprefix("return ").split(",")[0]
            return text.replace(f"return {first},", f"return (1 + {error}) * ({first}),")
    raise AssertionError(text)


def _faulty(cell: Cell) -> bool:
    evidence = Examiner(cell, TWIN).evidence(example())
    return not evidence.compared("a", evidence.autograd("a")).agrees


def test_an_overflow_of_python_is_no_more_than_one_of_numpy(tmp_path):
    """math.exp raises where np.exp gives inf; only on huge inputs nothing is said of either."""
    text = PYTHON.replace("math.tanh(x * y)", "math.tanh(x * y) + 0 * math.exp(x * y)")
    cell = cell_of(tmp_path, text)
    (check,) = (check for check in checks(cell, TWIN) if check.label == "da[fd]")
    facts = [check.examiner.evidence(example("huge", seed=seed)) for seed in range(20)]
    assert any(isinstance(check.judge(evidence), Unjudged) for evidence in facts)
    assert all(fault(check.judge(evidence)) is None for evidence in facts)


def test_numbers_below_the_normal_range_move_by_a_step_of_theirs_and_never_to_zero():
    smallest = np.finfo(np.float32).smallest_subnormal
    still = np.array([0, 1, -1, 40, 1e9], np.float32) * smallest
    moved = [
        np.array(disturb(still, Disturbance(np.random.default_rng(seed)))) / smallest
        for seed in range(20)
    ]
    assert np.all(np.sign(moved) == np.sign(still))
    assert np.std(moved, axis=0)[3] > 0.3
    assert np.max(np.abs(np.array(moved) - still / smallest), axis=0)[1:4].tolist() <= [1, 1, 1]


def test_a_subnormal_is_known_to_a_step_only(tmp_path):
    """exp(r) of r = -100 has two digits in float32, and its root is a normal number."""
    text = """
    import numpy as np

    def cell(r: "H", x: "H"):
        e = np.exp(np.minimum(r, -3))
        s = np.sqrt(e)
        y = s * x

        def backward(dy):
            return dy * x * s / 2 * (r < -3), dy * s

        return y, backward
    """
    cell = cell_of(tmp_path, text)
    twin = Twin(lambda v: (torch.sqrt(torch.exp(v["r"].clamp(max=-3))) * v["x"],), None)
    for seed in range(20):
        evidence = Examiner(cell, twin).evidence(Example((("H", 3),), seed, "huge", "float32"))
        evidence.inputs = {"r": np.float32([-100.2, -99.7, -101.1]), "x": np.ones(3, np.float32)}
        assert evidence.compared("x", evidence.autograd("x")).agrees


def disturbed(values: object) -> Disturbed:
    return disturb(np.array(values), Disturbance(np.random.default_rng(0)))


def test_disturbed_arrays_keep_what_arrays_and_scalars_do_in_place():
    rows = disturbed(np.ones((2, 3)))
    row = rows[0]
    row += 1  # a view: the array changes
    assert np.allclose(rows, [[2, 2, 2], [1, 1, 1]])
    first = before = rows[0, 0]
    first += 1  # a scalar: the array does not, nor what else had the number
    assert np.allclose([float(first), float(before), float(rows[0, 0])], [3, 2, 2])
    total = np.zeros(3)
    np.add(rows[0], rows[1], out=total)
    assert np.allclose(total, 3)


@pytest.mark.parametrize(
    "made",
    [
        lambda x: x[0],
        lambda x: x[0, 0],
        lambda x: next(iter(x[0])),
        lambda x: x.dot(x.T),
        lambda x: np.where(x > 0, x, 0.0),
        lambda x: np.concatenate([x, x]),
        lambda x: x.sum(),
        lambda x: np.linalg.norm(x),
        lambda x: np.einsum("ij,jk->ik", x, x, optimize=True),
        lambda x: np.dot(x, x, out=np.zeros((2, 2))) + x,
        lambda x: np.add(x, x, out=x),
    ],
)
def test_what_comes_of_a_disturbed_array_is_one(made):
    assert isinstance(made(disturbed(np.ones((2, 2)))), Disturbed)
