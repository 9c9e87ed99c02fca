"""Each oracle on functions whose gradient is known, and where it must decline."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gradcheck.checking.check import checks
from gradcheck.drawing.draw import Example
from gradcheck.evidence import Examiner
from gradcheck.oracles import autograd, complex_step, finite_differences
from gradcheck.oracles.autograd import Twin
from gradcheck.oracles.loss import Loss
from gradcheck.show import patterns
from gradcheck.show.witnesses import columns
from gradcheck.source.closure import closure
from gradcheck.verdicts.verdict import explain
from tests.helpers import fault, judged

RNG = np.random.default_rng(0)
ONE = (np.ones(()),)


def scalar(function):
    """A forward of one argument x and one scalar output, sum(function(x))."""

    def forward(inputs):
        with np.errstate(all="ignore"):
            return (np.asarray(np.sum(function(inputs["x"]))),)

    return forward


def by_fd(function, x):
    return finite_differences.gradient(Loss.at(scalar(function), {"x": x}, ONE), "x")


def by_complex_step(function, x):
    return complex_step.gradient(Loss.at(scalar(function), {"x": x}, ONE), "x")


SMOOTH = {
    "exp": (np.exp, np.exp),
    "tanh": (np.tanh, lambda x: 1 / np.cosh(np.minimum(x, 300)) ** 2),
    "sin of 9x": (lambda x: np.sin(9 * x), lambda x: 9 * np.cos(9 * x)),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / x**2),
    "log": (np.log, lambda x: 1 / x),
}


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e3])
@pytest.mark.parametrize("name", SMOOTH)
def test_differences_err_by_no_more_than_they_say(name, scale):
    function, derivative = SMOOTH[name]
    x = scale * RNG.uniform(0.1, 1.0, (4, 5))
    if name == "exp":
        x = np.minimum(x, 50)
    reference = by_fd(function, x)
    error = np.abs(reference.value - derivative(x))
    assert (error <= reference.error + 1e-15 * np.abs(derivative(x))).all()


@pytest.mark.parametrize("name", SMOOTH)
def test_differences_are_sharp_on_ordinary_numbers(name):
    function, derivative = SMOOTH[name]
    x = RNG.uniform(0.1, 1.2, (4, 5))
    want = derivative(x)
    reference = by_fd(function, x)
    assert np.abs(reference.value - want).max() < 1e-10 * np.abs(want).max()
    assert reference.error.max() < 1e-8 * np.abs(want).max()


@pytest.mark.parametrize("name", SMOOTH)
def test_the_complex_step_is_exact_to_rounding(name):
    function, derivative = SMOOTH[name]
    for scale in (1e-6, 1.0, 30.0):
        x = scale * RNG.uniform(0.1, 1.0, (4, 5))
        reference = by_complex_step(function, x)
        assert np.abs(reference.value / derivative(x) - 1).max() < 1e-13


def in_a_real_buffer(x):
    y = np.empty(x.shape)
    y[...] = x * x
    return y


def half_in_a_real_buffer(x):
    y = np.zeros(x.shape)
    y[0] = np.real(x[0]) ** 2
    return y + x


LOSING = {
    "abs": np.abs,
    "real buffer": in_a_real_buffer,
    "part of a real buffer": half_in_a_real_buffer,
    "cast": lambda x: x.astype(np.float64) ** 2,
    "real part": lambda x: np.real(x) ** 2,
    "variance": lambda x: np.var(x, axis=0),
    "norm": lambda x: np.linalg.norm(x, axis=0),
    "conjugate": lambda x: x * np.conj(x),
    "not finite": lambda x: 1 / (1 + np.exp(1000 * (1 + x))),
    "refused": lambda x: np.logaddexp(0, x),
    "branch on the type": lambda x: x**2 if np.isrealobj(x) else x**3,
}


@pytest.mark.parametrize("name", LOSING)
def test_the_complex_step_declines_where_imaginary_parts_are_lost(name):
    for seed in range(20):
        x = np.random.default_rng(seed).integers(5, 121, (3, 4)) / 100
        with np.errstate(all="ignore"):
            assert by_complex_step(LOSING[name], x) is None


def test_the_complex_step_is_not_fooled_by_terms_that_cancel():
    # With the signs of x as directions, the derivative of the sum of |x| can be exactly zero.
    x = np.array([0.89, 1.14, 1.07, -0.64])
    weights = np.array([0.55, -1.18, 0.08, -0.55])
    assert by_complex_step(lambda x: weights * np.abs(x), x) is None


def test_a_complex_step_that_differences_refute_does_not_accuse(monkeypatch):
    def cube(x: "B"):
        def backward(dy):
            return 3 * dy * x**2

        return x**3, backward

    def lying(loss, name):
        return complex_step.Reference(complex_step.NAME, np.ones(3), np.zeros(3))

    evidence = Examiner(closure(cube)).evidence(Example((("B", 3),), 0))
    monkeypatch.setattr(complex_step, "gradient", lying)
    assert evidence.numeric.best("x").oracle == complex_step.NAME
    assert evidence.numeric.confirmed("x").oracle == finite_differences.NAME
    assert evidence.numeric.best("x").oracle == finite_differences.NAME


def twin_of(function):
    return Twin(lambda values: (function(**values),), path=None)


def linear(x: "B D", W: "D H", unused: ""):
    def backward(dy):
        return dy @ W.T, x.T @ dy, np.zeros(())

    return x @ W, backward


def test_autograd_is_float64_and_an_ignored_argument_has_a_zero_gradient():
    cell = closure(linear)
    twin = twin_of(lambda x, W, unused: x @ W)
    evidence = Examiner(cell, twin).evidence(Example(_sizes(cell), 0))
    for name in ("x", "W"):
        reference = evidence.autograd(name)
        assert reference.value.dtype == np.float64
        assert np.allclose(reference.value, evidence.hand[name], rtol=1e-15)
    assert evidence.autograd("unused").value == 0


@pytest.mark.parametrize("regime", ["fortran", "strided", "ordinary"])
def test_autograd_sees_the_same_numbers_in_every_layout(regime):
    cell = closure(linear)
    twin = twin_of(lambda x, W, unused: x @ W)
    evidence = Examiner(cell, twin).evidence(Example(_sizes(cell), 0, regime))
    assert np.allclose(evidence.beside.outputs[0], evidence.outputs[0], rtol=1e-15)


def test_the_disturbed_twin_moves_by_rounding_and_no_more():
    cell = closure(linear)
    twin = twin_of(lambda x, W, unused: torch.tanh(x @ W))
    evidence = Examiner(cell, twin).evidence(Example(_sizes(cell), 0))
    _, still = autograd.run(twin, cell, evidence.inputs, lambda _: evidence.cotangents)
    seen = []
    for seed in range(4):
        _, moved = autograd.disturbed(twin, cell, evidence.inputs, evidence.cotangents, seed)
        seen.append(moved["W"] - still["W"])
    assert 0 < np.abs(seen).max() < 1e-14


def _sizes(cell):
    return tuple((name, k + 2) for k, name in enumerate(cell.size_names))


def large(x: "B D", W: "D H"):
    h = np.tanh(x @ W / 8)

    def backward(dh):
        da = dh * (1 - h**2) / 8
        return da @ W.T, x.T @ da

    return h, backward


def off_by(change):
    def run(x: "B D", W: "D H"):
        h, backward = large(x, W)

        def changed(dh):
            dx, dW = backward(dh)
            return dx, change(dW.copy())

        return h, changed

    return closure(run)


def one_entry(factor):
    def change(dW):
        middle = np.argsort(np.abs(dW), axis=None)[dW.size // 2]
        dW.flat[middle] *= factor
        return dW

    return change


LARGE = Example((("B", 8), ("D", 64), ("H", 48)), 0)


@pytest.mark.parametrize("oracle", ["best", "differences"])
def test_many_entries_are_probed_along_directions(oracle):
    evidence = Examiner(closure(large)).evidence(LARGE)
    for name, count in (("x", 512), ("W", 3)):
        reference = getattr(evidence.numeric, oracle)(name)
        assert reference.value.size == count
        comparison = evidence.compared(name, reference)
        assert comparison.agrees
        assert comparison.judged


@pytest.mark.parametrize(
    ("oracle", "change"),
    [
        ("best", lambda dW: dW * (1 + 1e-12)),
        ("best", one_entry(1 + 1e-9)),
        ("differences", lambda dW: dW * (1 + 1e-9)),
        ("differences", one_entry(1 + 1e-6)),
    ],
)
def test_directions_see_small_errors(oracle, change):
    evidence = Examiner(off_by(change)).evidence(LARGE)
    assert not evidence.compared("W", getattr(evidence.numeric, oracle)("W")).agrees


def test_a_failure_along_directions_is_told_as_one():
    evidence = Examiner(off_by(lambda dW: dW * 1.5)).evidence(LARGE)
    (check,) = [c for c in checks(evidence.cell, None) if c.label == "dW[fd]"]
    record = judged(check, LARGE)
    assert fault(record.wrong) == (
        "dW disagrees with the complex step along 3 of 3 random directions, "
        "by up to 5.0e-01 of the largest."
    )
    verdict = explain(record)
    assert columns(verdict.finding, verdict.witnesses) == {}
    (pattern,) = verdict.patterns
    assert patterns.sentence(pattern) == "dW is 1.5 times what it should be."


def test_differences_whose_noise_is_unknown_say_nothing_of_a_constant():
    loss = Loss.at(scalar(np.zeros_like), {"x": np.ones(2)}, ONE)
    reference = finite_differences.gradient(replace(loss, blurs=(np.array(np.nan),)), "x")
    assert not reference.known
