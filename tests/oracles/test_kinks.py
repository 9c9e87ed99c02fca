"""Points where the forward has two slopes: the message says so, and only a declaration helps."""

from pathlib import Path

import numpy as np
import pytest

from gradcheck.cells.cell import Cell
from gradcheck.checking.check import Check, checks
from gradcheck.checking.explore import search
from gradcheck.lines import declare
from gradcheck.oracles import kinks
from gradcheck.oracles.loss import Loss
from gradcheck.source.cases import read
from tests.helpers import fault

CELL = """
import numpy as np

def cell(x: "B D", h_prev: "B H", W: "D H"):
    a = np.tanh(x @ W)
    r{declared} = {forward}
    h = a + r

    def backward(dh):
        da = dh * (1 - a**2)
        return da @ W.T, dh * {slope}, x.T @ da

    return h, backward
"""


def written(tmp_path: Path, forward: str, slope: str, declared: str = "") -> Path:
    path = tmp_path / "cell.py"
    path.write_text(CELL.format(forward=forward, slope=slope, declared=declared), encoding="utf-8")
    return path


def checks_of(path: Path) -> list[Check]:
    (cell,) = read(path)
    assert isinstance(cell, Cell), cell.message
    return [check for check in checks(cell, None) if check.subject != "law"]


def faults(path: Path) -> dict[str, str]:
    found = {}
    for check in checks_of(path):
        record = search(check)
        if record.failure is not None:
            found[check.label] = fault(record.failure[1])
    return found


# The forward, its slope in the derivation, and the slopes of the two sides and the derivation.
UNDECLARED = [
    ("np.maximum(h_prev, 0)", "(h_prev > 0)", "0", "0.65", "0"),
    ("np.maximum(h_prev, 0)", "(h_prev >= 0)", "0", "0.65", "0.65"),
    ("np.abs(h_prev)", "np.sign(h_prev)", "-0.65", "0.65", "0"),
]


@pytest.mark.parametrize(("forward", "slope", "left", "right", "got"), UNDECLARED)
def test_a_kink_that_is_not_declared_is_told_with_its_slopes(
    tmp_path, forward, slope, left, right, got
):
    found = faults(written(tmp_path, forward, slope))
    assert found.keys() == {"dh_prev[fd]", "dh_prev[unrolled]"}
    assert found["dh_prev[fd]"] == (
        "dh_prev[0,0] is no single value here: the forward has a kink.\n"
        f"At h_prev[0,0] = 0 the slope is {left} to the left and {right} to the right; the "
        f"derivation gives {got}, a subgradient, which is accepted only where the case declares "
        "the kink."
    )


@pytest.mark.parametrize(("forward", "slope"), [row[:2] for row in UNDECLARED])
def test_a_declared_kink_takes_any_slope_between(tmp_path, forward, slope):
    path = written(tmp_path, forward, slope, ': "kink where h_prev = 0"')
    assert faults(path) == {}


def test_a_slope_outside_of_both_is_wrong_at_a_declared_kink_too(tmp_path):
    slope = "np.where(h_prev == 0, 7, np.sign(h_prev))"
    for declared in ("", ': "kink where h_prev = 0"'):
        fault = faults(written(tmp_path, "np.abs(h_prev)", slope, declared))["dh_prev[fd]"]
        assert fault.endswith("which lies outside of both, and is wrong whatever is declared.")


def test_no_kink_is_seen_where_the_two_slopes_are_one(tmp_path):
    smooth = written(tmp_path, "np.maximum(h_prev, 0) ** 2", "2 * np.maximum(h_prev, 0)")
    assert faults(smooth) == {}


@pytest.mark.parametrize(
    ("forward", "condition"),
    [
        ("np.maximum(h_prev, 0)", "h_prev = 0"),
        ("np.minimum(1 - a, 1 - a - h_prev)", "1 - a = 1 - a - h_prev"),
        ("0.5 * np.abs(h_prev)", "h_prev = 0"),
        ("np.clip(h_prev, 0, 9)", "h_prev = 0"),
        ("np.where(h_prev > 0, h_prev, 0)", "h_prev = 0"),
        ("np.max(h_prev, axis=0)", "np.sort(h_prev, 0)[-1:] = np.sort(h_prev, 0)[-2:-1]"),
        ("h_prev.min()", "np.sort(h_prev, None)[:1] = np.sort(h_prev, None)[1:2]"),
        (
            "np.amax(h_prev, 1)[:, None]",
            "np.sort(h_prev, 1)[:, -1:] = np.sort(h_prev, 1)[:, -2:-1]",
        ),
        (
            "h_prev.min(axis=-2)",
            "np.sort(h_prev, -2)[..., :1, :] = np.sort(h_prev, -2)[..., 1:2, :]",
        ),
    ],
)
def test_the_declaration_that_is_missing_is_written_out(tmp_path, forward, condition):
    path = written(tmp_path, forward, "(h_prev > 0)")
    inputs = {"x": np.ones((2, 1)), "h_prev": np.zeros((2, 2)), "W": np.ones((1, 2))}
    declared = declare.declaration(path, "cell", inputs).contract
    assert (declared.name, declared.text, declared.line) == ("r", f"kink where {condition}", 6)


POOL = """
import numpy as np

def pool(x: "T B D"):
    m{declared} = np.max(x, axis=0)

    def backward(dm):
        return dm * (x == m)

    return m, backward
"""
TIE = "kink where np.sort(x, 0)[-1:] = np.sort(x, 0)[-2:-1]"


@pytest.mark.parametrize("declared", ["", f': "{TIE}"'])
def test_two_equal_numbers_tie_in_a_maximum(tmp_path, declared):
    """Numbers of two decimals are equal often enough; declared, any slope between is right."""
    path = tmp_path / "pool.py"
    path.write_text(POOL.format(declared=declared), encoding="utf-8")
    assert set(faults(path)) == (set() if declared else {"dx[fd]"})


def test_no_declaration_is_made_up(tmp_path):
    path = written(tmp_path, "np.tanh(h_prev)", "1")
    inputs = {"x": np.ones((1, 1)), "h_prev": np.zeros((1, 1)), "W": np.ones((1, 1))}
    assert declare.declaration(path, "cell", inputs) is None


def slopes_at(function, x):
    x = np.array(x, dtype=float)
    loss = Loss.at(lambda given: (function(given["x"]),), {"x": x}, (np.ones(x.shape),))
    return kinks.kinks(loss, "x")


def test_only_a_kink_is_a_kink():
    assert slopes_at(lambda x: np.abs(x), [0.0, 0.5]) == (kinks.Kink((0,), -1.0, 1.0),)
    assert slopes_at(lambda x: np.abs(x - 1e-6), [0.0]) == ()  # beside it
    assert slopes_at(lambda x: np.exp(3 * x) + x**2, [0.0, 1.0, -0.3]) == ()
    assert slopes_at(lambda x: np.sign(x), [0.0]) == ()  # a jump has no slope at all
    assert slopes_at(lambda x: 1 / (1 + np.exp(-1e3 * x)), [0.0]) == ()
    assert slopes_at(lambda x: np.sqrt(x * x + 1e-8), [0.0]) == ()
    assert len(slopes_at(lambda x: np.abs(x), np.zeros(9))) == 5  # the first few


def test_a_forward_that_refuses_what_is_beside_the_point_has_no_kink_there():
    def refusing(x):
        if np.any(x < 0):
            raise ValueError(x)
        return np.abs(x)

    assert slopes_at(refusing, [0.0]) == ()
