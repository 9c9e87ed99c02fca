"""What is drawn: short decimals, the regimes, the domains; read-only and repeatable."""

import numpy as np
import pytest

from gradcheck.drawing import draw
from gradcheck.drawing.draw import AT_REST, REGIMES, Example
from gradcheck.source.closure import closure

SIZES = (("B", 3), ("H", 4), ("V", 5), ("T", 2))


def every_domain(
    h_prev: "B H",
    p: "H > 0",
    q: "H in (0, 1)",
    s: "",
    *,
    mask: "B H in {0, 1}",
    labels: "B < V",
    lengths: "B <= T",
    keep=0.9,
):
    h = h_prev * p * q * s

    def backward(dh): ...

    return h, backward


CELL = closure(every_domain)


def drawn(regime="ordinary", seed=0):
    return draw.inputs(CELL, Example(SIZES, seed, regime))


@pytest.mark.parametrize("regime", REGIMES)
def test_every_regime_keeps_to_shapes_and_domains(regime):
    for seed in range(20):
        values = drawn(regime, seed)
        assert values["h_prev"].shape == (3, 4)
        assert values["s"].shape == ()
        assert (values["p"] > 0).all()
        assert ((values["q"] > 0) & (values["q"] < 1)).all()
        assert set(np.unique(values["mask"])) <= {0.0, 1.0}
        assert set(np.unique(values["labels"])) <= set(range(5))
        assert set(np.unique(values["lengths"])) <= {1, 2}
        assert values["labels"].dtype.kind == "i"
        assert values["keep"] == 0.9


def test_ordinary_numbers_have_two_decimals_and_are_never_zero():
    values = np.concatenate([drawn(seed=seed)["h_prev"].ravel() for seed in range(50)])
    assert max(len(repr(float(abs(value)))) for value in values) <= 4
    assert abs(values).min() >= 0.05
    assert abs(values).max() <= 1.2
    assert 0.6 < values.std() < 0.8


def test_regimes_are_what_they_are_called():
    def largest(regime):
        return [abs(drawn(regime, seed)["h_prev"]).max() for seed in range(30)]

    assert max(largest("tiny")) < 1e-2
    assert min(largest("tiny")) < 1e-7
    assert max(largest("huge")) > 500
    assert 3 < max(largest("saturated")) <= 3.6
    zeros = [drawn("zeros", seed)["h_prev"] == 0 for seed in range(30)]
    assert any(z.all() for z in zeros)
    assert any(z.any() and not z.all() for z in zeros)
    assert not any((drawn("zeros", seed)["p"] == 0).any() for seed in range(30))  # no state
    assert not drawn(AT_REST)["h_prev"].any()
    assert not drawn("fortran")["h_prev"].flags.c_contiguous
    strided = drawn("strided")["h_prev"]
    assert not strided.flags.c_contiguous
    assert not strided.flags.f_contiguous


@pytest.mark.parametrize("regime", REGIMES)
def test_nothing_that_is_handed_out_can_be_made_writable(regime):
    values = [value for value in drawn(regime).values() if isinstance(value, np.ndarray)]
    values += draw.cotangents((np.ones((3, 4)),), Example(SIZES, 0, regime))
    for value in values:
        with pytest.raises(ValueError, match="read-only"):
            value[...] = 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            value.setflags(write=True)


def test_the_three_facts_of_an_example_repeat_it():
    first, second = drawn(seed=7), drawn(seed=7)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["h_prev"], drawn(seed=8)["h_prev"])


def test_cotangents_are_not_the_numbers_of_the_inputs():
    (cotangent,) = draw.cotangents((np.ones((3, 4)),), Example(SIZES, 0))
    assert not np.array_equal(cotangent, drawn()["h_prev"])
