"""One direction for all arguments sees whatever is wrong, and says nothing of what it cannot."""

import numpy as np
import pytest

from gradcheck.checking import passing
from gradcheck.drawing.draw import Example
from gradcheck.evidence import Examiner
from gradcheck.finding import Right
from gradcheck.oracles.probe import directions
from gradcheck.source.closure import closure

SIZES = (("B", 2), ("D", 3), ("H", 4))


def layer(x: "B D", W: "D H", b: "H", tiny: "H", unused: "H"):
    """``tiny`` has a gradient a million million times smaller than the others, ``unused`` none."""
    a = x @ W + b + 1e-12 * tiny
    y = np.tanh(a)

    def backward(dy):
        da = dy * (1 - y**2)
        db = da.sum(axis=0)
        found = {"x": da @ W.T, "W": x.T @ da, "b": db, "tiny": 1e-12 * db, "unused": 0 * db}
        name, index, factor = WRONG
        if name:
            found[name][index] = found[name][index] * factor
        if name == "unused":
            found[name][index] = factor
        return tuple(found.values())

    return y, backward


WRONG = None, None, None


@pytest.fixture
def wrong(monkeypatch):
    def slipped(name, index, factor):
        monkeypatch.setattr(f"{__name__}.WRONG", (name, index, factor))
        return passing.by_probe(Examiner(closure(layer)).evidence(Example(SIZES, 3)))

    return slipped


def test_a_right_gradient_takes_four_forwards_and_one_backward(wrong):
    runs = []

    def counted(x: "B D", w: "D"):
        runs.append(x.dtype)
        return np.tanh(x @ w), lambda dy: (
            np.outer(dy * (1 - np.tanh(x @ w) ** 2), w),
            x.T @ (dy * (1 - np.tanh(x @ w) ** 2)),
        )

    evidence = Examiner(closure(counted)).evidence(Example(SIZES[:2], 0))
    runs.clear()
    assert passing.smooth(evidence)
    assert all(isinstance(one, Right) for one in passing.by_probe(evidence).values())
    assert sorted(map(str, runs)) == ["complex128", "float64", "float64", "float64"]
    assert wrong(None, None, None).keys() == {"x", "W", "b", "tiny", "unused"}


@pytest.mark.parametrize("factor", [-1.0, 0.0, 1 + 1e-12])
@pytest.mark.parametrize("name", ["x", "W", "b", "tiny"])
def test_one_wrong_entry_is_seen_and_the_other_gradients_are_told_from_it(wrong, name, factor):
    index = (-1,) * (2 if name in ("x", "W") else 1)
    assert wrong(name, index, factor).keys() == {"x", "W", "b", "tiny", "unused"} - {name}


def test_a_gradient_that_should_be_zero_is_not_right_by_being_small(wrong):
    assert wrong("unused", 1, 1e-30).keys() == {"x", "W", "b", "tiny"}


def test_a_term_that_complex_numbers_lose_is_not_believed():
    def sized(x: "B"):
        # abs drops the imaginary part of the root, and the backward has dropped it as well.
        return x * np.abs(1 + x), lambda dy: dy * np.abs(1 + x)

    example = Example((("B", 3),), 0)
    assert passing.by_probe(Examiner(closure(sized)).evidence(example)) == {}


def test_a_kink_at_the_point_is_seen():
    example = Example((("B", 3),), 0)
    evidence = Examiner(closure(_relu_at(0.0))).evidence(example)
    assert passing.smooth(evidence)
    at = float(evidence.inputs["x"][1])
    assert not passing.smooth(Examiner(closure(_relu_at(at))).evidence(example))


def _relu_at(kink):
    def relu(x: "B"):
        return np.maximum(x, kink), lambda dy: dy * (x > kink)

    return relu


def test_directions_have_no_entry_near_zero_and_are_outer_products():
    generator = np.random.default_rng(0)
    scalar, vector, cube = directions([(), (4,), (2, 3, 4)], generator)
    for one in (vector, cube):
        dense = np.abs(one.dense(1.0))
        assert 1 / 8 <= dense.min() <= dense.max() <= 1.5**3
    gradient = generator.normal(size=(2, 3, 4))
    assert np.isclose(cube.along(gradient), np.sum(gradient * cube.dense(1.0)))
    assert np.isclose(cube.blurred(gradient) ** 2, np.sum((gradient * cube.dense(1.0)) ** 2))
    assert scalar.along(np.array(3.0)) == 3.0
