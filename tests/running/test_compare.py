"""When two arrays agree, what is allowed, and when agreement means nothing."""

import numpy as np
import pytest

from gradcheck.checking.check import checks
from gradcheck.checking.tally import Tally
from gradcheck.drawing.draw import Example
from gradcheck.evidence import Examiner
from gradcheck.finding import Reason, Right, Unjudged, Wrong
from gradcheck.oracles.autograd import Twin
from gradcheck.running.compare import alike, compare, operations
from gradcheck.running.precision import DOUBLE
from gradcheck.source.closure import closure
from tests.helpers import fault

WANT = np.array([[0.5, -2.0, 1e-9], [1.0, 0.25, 0.0]])


@pytest.mark.parametrize("scale", [1e-200, 1e-12, 1.0, 1e12])
@pytest.mark.parametrize("where", list(np.ndindex(2, 3)))
def test_an_entry_off_by_1e_13_of_the_largest_is_seen_at_every_scale(scale, where):
    got = scale * WANT
    assert compare(got, scale * WANT).agrees
    got[where] += scale * 2e-13
    comparison = compare(got, scale * WANT)
    assert np.argwhere(comparison.wrong).tolist() == [list(where)]
    assert comparison.judged


def test_the_bound_does_not_grow_with_the_size_of_the_array():
    large = np.ones((300, 300))
    got = large.copy()
    got[7, 9] += 1e-13
    assert not compare(got, large).agrees


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_agrees_with_nothing(value):
    got = WANT.copy()
    got[0, 0] = value
    assert not compare(got, WANT).agrees


def test_a_large_wrong_gradient_does_not_widen_its_own_bound():
    assert not compare(np.full(3, 1e20), np.array([1.0, 1.0, 1.0])).agrees


def test_noise_is_asked_only_beyond_the_first_bound_and_the_next_only_beyond_the_one_before():
    def noises():
        for spread in (1e-10, 1e-9):
            asked.append(spread)
            yield np.full(WANT.shape, spread), DOUBLE

    asked = []
    assert compare(WANT * (1 + 1e-15), WANT, noises=noises()).agrees
    assert asked == []
    assert compare(WANT + 1e-9, WANT, noises=noises()).agrees
    assert asked == [1e-10]
    asked.clear()
    assert compare(WANT + 1e-8, WANT, noises=noises()).agrees
    assert asked == [1e-10, 1e-9]
    assert not compare(WANT + 1e-7, WANT, noises=noises()).agrees


def test_many_tensors_at_one_go_are_compared_as_each_alone():
    generator = np.random.default_rng(0)
    want = {"W": generator.normal(size=(3, 4)), "b": np.zeros(4), "s": np.array(2.0),
            "tiny": np.full(3, 1e-200), "none": np.zeros((0, 2)),
            "large": generator.normal(size=(300, 300))}  # fmt: skip
    assert alike(want, want, DOUBLE).keys() == want.keys()
    for name in ("W", "b", "s", "tiny", "large"):
        for off in (1e-13, 1e-16, np.nan):
            got = {**want, name: want[name].copy()}
            got[name][(-1,) * want[name].ndim] += off * (1e-200 if name == "tiny" else 1)
            agree = {n: compare(got[n], want[n]).agrees for n in want}
            assert agree == {n: n in alike(got, want, DOUBLE) for n in want}, (name, off)


@pytest.mark.parametrize(("noise", "agrees"), [(1e-36, False), (1e-20, True)])
def test_an_entry_far_below_the_largest_is_not_wrong_by_all_of_itself(noise, agrees):
    want = np.array([1.0, 1e-20])
    got = np.array([1.0, -1e-20])
    comparison = compare(got, want, noises=[(np.full(2, noise), DOUBLE)])
    assert comparison.agrees == agrees
    assert compare(want * (1 + 1e-15), want, noises=map(pytest.fail, ["asked"])).agrees


def test_a_bound_that_hides_a_millionth_is_not_agreement():
    assert compare(WANT, WANT, own_error=1e-7).judged
    comparison = compare(WANT, WANT, own_error=1e-5)
    assert comparison.agrees
    assert not comparison.judged


def saturated_slope(a: "B H"):
    t = np.tanh(a)

    def backward(dt):
        return dt * (1 - t**2)

    return t, backward


def test_rounding_of_a_saturated_slope_is_no_false_alarm_and_not_judged():
    """1 - tanh(19)**2 is 0 in float64, while the true slope is 1e-16."""
    import torch

    cell = closure(saturated_slope)
    twin = Twin(lambda v: (torch.tanh(v["a"]),), None)
    evidence = Examiner(cell, twin).evidence(Example(_sizes(), 0))
    evidence.inputs = {"a": np.full((2, 3), 18.5)}
    for reference in (
        evidence.autograd("a"),
        evidence.numeric.best("a"),
        evidence.numeric.differences("a"),
    ):
        comparison = evidence.compared("a", reference)
        assert comparison.agrees
        assert not comparison.judged


def _sizes():
    return (("B", 2), ("H", 3))


def check_of(label, cell=saturated_slope):
    return next(check for check in checks(closure(cell), None) if check.label == label)


def test_a_check_that_judged_little_complains():
    tally = Tally()
    for k in range(100):
        tally.add(Right() if k < 24 else Unjudged(Reason.ROUNDING))
    assert fault(tally.complaint(check_of("da[fd]"))) == (
        "da could be judged in only 24 of 100 examples.\nIn the others the forward is not finite, "
        "or rounding hides every digit. Say where an argument lives, as in "
        '"B H > 0" or "B H in (0, 1)".'
    )


def test_a_gradient_that_is_zero_throughout_complains():
    tally = Tally()
    for _ in range(10):
        tally.add(Right(compare(np.zeros(3), np.zeros(3))))
    assert fault(tally.complaint(check_of("da[fd]"))) == (
        "da is zero in every example, as is the true gradient.\na does not reach the outputs: use "
        'it in the forward, or make it a constant, `*, a: "B H"`.'
    )
    tally.add(Right(compare(np.ones(3), np.ones(3))))
    assert tally.complaint(check_of("da[fd]")) is None
    assert Tally(examples=3).complaint(check_of("law[purity]")) is None


@pytest.mark.parametrize(("terms", "share"), [(1, 32), (64, 32), (256, 64), (16_384, 512)])
def test_more_roundings_are_allowed_to_long_sums_only_and_as_the_root_of_their_length(terms, share):
    allowed = share * DOUBLE.eps * 2.0  # of the largest entry
    assert operations(terms) == share
    assert compare(WANT + 0.9 * allowed, WANT, terms=terms).agrees
    assert not compare(WANT + 1.1 * allowed, WANT, terms=terms).agrees


def chain(x: "T B", w: "B"):
    h = np.cumsum(x * w, axis=0)

    def backward(dh):
        da = np.cumsum(dh[::-1], axis=0)[::-1].copy()
        da[SLIP] *= 1 + 1e-10
        return da * w, (da * x).sum(axis=0)

    return h, backward


SLIP = []


@pytest.mark.parametrize("slip", [[], [700]])
def test_a_slip_in_one_step_of_a_thousand_is_seen_and_rounding_of_all_of_them_is_not(
    monkeypatch, slip
):
    monkeypatch.setattr(f"{__name__}.SLIP", slip)
    evidence = Examiner(closure(chain)).evidence(Example((("T", 1000), ("B", 2)), 1))
    found = {
        check.label: isinstance(check.judge(evidence), Wrong)
        for check in checks(closure(chain), None)
        if check.oracle == "fd"
    }
    assert found == {"dx[fd]": bool(slip), "dw[fd]": bool(slip)}
