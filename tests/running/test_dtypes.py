"""What is coarser than the inputs is seen: which type, in which line, and in which variable."""

import sys

import numpy as np
import pytest

from gradcheck.drawing.draw import Example
from gradcheck.evidence import Examiner
from gradcheck.running import dtypes
from gradcheck.running.dtypes import Narrow
from gradcheck.running.precision import DOUBLE, HALF, SINGLE
from gradcheck.source.cases import read

HEAD = """import numpy as np


def cell(x: "B D", W: "D H"):
"""
TAIL = """
    def backward(dy):
        return dy @ W.T, x.T @ dy

    return y, backward
"""


@pytest.fixture
def seen(tmp_path):
    """What is found in a cell with these lines from line 5 on; and the evidence of it."""

    def found(body, tail=TAIL, helpers="", dtype="float64", sizes=(2, 3, 4)):
        path = tmp_path / "cell.py"
        lines = "".join(f"    {line}\n" for line in body)
        path.write_text(HEAD + lines + tail + helpers, encoding="utf-8")
        (cell,) = read(path)
        example = Example(tuple(zip(("B", "D", "H"), sizes, strict=True)), 1, dtype=dtype)
        evidence = Examiner(cell).evidence(example)
        return dtypes.found(cell, evidence.inputs, evidence.cotangents, evidence.precision)

    return found


def named(found):
    """The variables, each with its line and type."""
    return [(one.name, one.line, one.precision) for one in found if one.name]


def nameless(found):
    """The lines in which an operation meets a coarse number."""
    return {(one.line, one.precision) for one in found if one.name is None}


def test_nothing_is_coarse_in_float64(seen):
    assert seen(["y = np.tanh(x @ W)"]) == ()


def test_a_buffer_that_is_only_stored_into_is_told_of_by_the_line_that_made_it(seen):
    found = seen(
        [
            "a = np.zeros((len(x), W.shape[1]), np.float32)",
            "for t in range(len(x)):",
            "    a[t] = x[t] @ W",
            "y = np.array(a, np.float64)",
        ]
    )
    assert named(found) == [("a", 5, SINGLE)]
    assert nameless(found) == set()


def test_a_list_of_arrays_and_a_dict(seen):
    found = seen(["rows = [np.float32(1) * 0 + row.astype('f4') for row in x]", "y = x @ W"])
    assert ("rows", 5, SINGLE) in named(found)
    found = seen(["kept = {'a': np.asarray(x @ W, np.float16)}", "y = x @ W"])
    assert ("kept", 5, HALF) in named(found)


@pytest.mark.parametrize(
    "line",
    [
        "y = (x @ W).astype(np.float32) * 1.5 + 0 * (x @ W)",
        "y = np.asarray(x, np.float32) @ W",
        "y = np.array(x, dtype='f') @ W",
        "y = np.einsum('bd,dh->bh', x, W, dtype=np.float32, casting='same_kind') + 0 * (x @ W)",
        "y = np.sum(x[:, :, None] * W, axis=1, dtype=np.float32) + 0 * (x @ W)",
        "y = np.add(x @ W, 0, dtype=np.float32, casting='same_kind') + 0 * (x @ W)",
        "y = x @ W + np.zeros_like(x @ W, dtype=np.float32).__iadd__(x @ W) * 0",
        "y = np.float32(x[0, 0]) * (x @ W)",
        "y = np.float32(0.1) * (x @ W)",
    ],
)
def test_a_cast_inside_an_expression(seen, line):
    found = seen([line])
    assert (5, SINGLE) in nameless(found)
    assert named(found) == []


def test_a_cast_in_backward(seen):
    tail = """
    def backward(dy):
        da = dy.astype(np.float32)
        return dy @ W.T, x.T @ (1.0 * da + 0 * dy)

    return y, backward
"""
    found = seen(["y = x @ W"], tail)
    assert ("da", 8, SINGLE) in named(found)
    assert (8, SINGLE) in nameless(found)


def test_a_helper_of_the_same_file(seen):
    helpers = """

def squashed(a):
    half = np.tanh(a).astype(np.float16)
    return 1.0 * half + 0 * a
"""
    found = seen(["y = squashed(x @ W)"], helpers=helpers)
    assert ("half", 14, HALF) in named(found)


def test_what_is_behind_a_failure_stays_unseen_and_what_is_before_it_stands(seen):
    found = seen(
        [
            "y = x @ W",
            "if isinstance(x, np.ndarray) and type(x) is not np.ndarray:",
            "    z = (x @ W).astype(np.float32)",
            "    raise ValueError",
        ]
    )
    assert ("z", 7, SINGLE) in named(found)


@pytest.mark.parametrize(
    "line",
    [
        "y = x @ W * np.eye(len(x), dtype=np.float32)[:, :1]",
        "y = (x @ W) * (x[:, :1] > 0).astype(np.float32)",
        "y = x @ W + np.finfo(np.float32).eps",
        "mask = (x > 0).astype('f4'); y = (x * mask) @ W",
        "count = np.float32(len(x)); y = x @ W / count",
    ],
)
def test_what_no_type_rounds_does_not_count(seen, line):
    assert seen([line]) == ()


def test_a_cell_in_float32_by_its_own_choice_is_not_coarse(seen):
    body = ["y = (x @ W).astype(np.float32)"]
    tail = TAIL.replace("dy @ W.T, x.T @ dy", "(dy @ W.T).astype('f4'), (x.T @ dy).astype('f4')")
    assert seen(body, tail) == ()


def test_in_float32_only_what_is_coarser_still(seen):
    assert seen(["a = (x @ W).astype(np.float32)", "y = 1.0 * a"], dtype="float32") == ()
    found = seen(["a = (x @ W).astype(np.float16)", "y = 1.0 * a + 0 * (x @ W)"], dtype="float32")
    assert ("a", 5, HALF) in named(found)


def test_a_tracer_such_as_that_of_coverage_is_there_again_afterwards(seen):
    def tracer(frame, event, argument):
        return tracer

    outer = sys.gettrace()
    sys.settrace(tracer)
    try:
        found = seen(["a = (x @ W).astype(np.float32)", "y = 1.0 * a + 0 * (x @ W)"])
        kept = sys.gettrace()
    finally:
        sys.settrace(outer)
    assert kept is tracer
    assert ("a", 5, SINGLE) in named(found)


def test_a_cell_without_a_file_is_seen_by_its_operations():
    from gradcheck.source.closure import closure

    def cell(x: "B"):
        def backward(dy):
            return (2 * dy.astype(np.float32)).astype(np.float64)

        return 2 * x, backward

    evidence = Examiner(closure(cell)).evidence(Example((("B", 2),), 1))
    found = dtypes.found(evidence.cell, evidence.inputs, evidence.cotangents, DOUBLE)
    assert found == (Narrow(SINGLE, None),)


def test_a_cast_to_a_power_of_two_may_have_been_another_number(tmp_path):
    path = tmp_path / "cell.py"
    path.write_text(
        'import numpy as np\n\n\ndef cell(x: "B"):\n    def backward(dy):\n'
        "        return dy * (1 - np.tanh(x) ** 2).astype(np.float32)\n\n"
        "    return np.tanh(x), backward\n",
        encoding="utf-8",
    )
    (cell,) = read(path)
    evidence = Examiner(cell).evidence(Example((("B", 2),), 1, "tiny"))
    found = dtypes.found(cell, evidence.inputs, evidence.cotangents, evidence.precision)
    assert found == (Narrow(SINGLE, 6),)
