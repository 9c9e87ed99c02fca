"""Right code that once was called wrong, and wrong code that once passed."""

import numpy as np
import pytest
import torch

from gradcheck.api import proofread
from gradcheck.checking.check import checks
from gradcheck.drawing.draw import Example
from gradcheck.finding import Reason, Unjudged
from gradcheck.oracles import finite_differences
from gradcheck.oracles.autograd import Twin
from gradcheck.oracles.loss import Loss
from gradcheck.source.closure import closure
from tests.helpers import fault, found, red


def relu_rnn(slip):
    """A relu cell; ``slip`` makes dU from what is right."""

    def cell(x: "B D", h_prev: "B H", W: "D H", U: "H H", b: "H"):
        h = np.maximum(x @ W + h_prev @ U + b, 0)

        def backward(dh):
            da = dh * (h > 0)
            dU = slip(h_prev, da, dh, h)
            return da @ W.T, da @ U.T, x.T @ da, dU, da.sum(axis=0)

        return h, backward

    return cell


def relu_twin(x, h_prev, W, U, b):
    return torch.rnn_relu_cell(x, h_prev, W.T, U.T, b)


def test_a_right_relu_cell_passes():
    assert red(relu_rnn(lambda h_prev, da, dh, h: h_prev.T @ da), relu_twin) == []


@pytest.mark.parametrize(
    "slip",
    [
        lambda h_prev, da, dh, h: h_prev.T @ (dh * (h >= 0)),
        lambda h_prev, da, dh, h: h_prev.T @ (da - dh * (h == 0)),
        lambda h_prev, da, dh, h: h_prev.T @ (da + 0.1 * dh * (h <= 0)),
    ],
)
def test_a_mask_of_a_relus_output_is_exact(slip):
    """An exact zero disturbed by rounding flipped `h > 0`, and hid what hung on it."""
    assert red(relu_rnn(slip), relu_twin) == ["dU[fd]", "dU[autograd]", "dU[unrolled]"]


def layer_norm(x: "B D", g: "D", b: "D", *, eps=1e-5):
    mu = x.mean(axis=1, keepdims=True)
    rs = 1 / np.sqrt(x.var(axis=1, keepdims=True) + eps)
    n = (x - mu) * rs
    y = n * g + b

    def backward(dy):
        dn = dy * g
        centred = dn - dn.mean(axis=1, keepdims=True)
        dx = rs * (centred - n * (dn * n).mean(axis=1, keepdims=True))
        return dx, (dy * n).sum(axis=0), dy.sum(axis=0)

    return y, backward


def test_a_variance_that_conjugates_does_not_fool_the_complex_step_on_tiny_inputs():
    assert red(layer_norm) == []


def cross_entropy(x: "B D", w: "D", *, y: "B in {0, 1}"):
    z = x @ w
    p = 1 / (1 + np.exp(-z))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    def backward(dloss):
        d = dloss * (p - y) / len(y)
        return np.outer(d, w), x.T @ d

    return loss, backward


def test_the_rounding_of_the_forward_is_no_mistake_of_the_backward():
    assert red(cross_entropy) == []


def norm(x: "N"):
    z = np.linalg.norm(x)

    def backward(dz):
        return dz * x / z

    return z, backward


def test_a_step_across_a_kink_does_not_accuse():
    assert red(norm) == []


def cosh_slope(x: "B D", h_prev: "B H", W: "D H", U: "H H", b: "H"):
    h = np.tanh(x @ W + h_prev @ U + b)

    def backward(dh):
        da = dh / np.cosh(np.arctanh(h)) ** 2
        return da @ W.T, da @ U.T, x.T @ da, h_prev.T @ da, da.sum(axis=0)

    return h, backward


def test_a_derivation_at_the_edge_of_a_domain_is_not_judged_there():
    assert red(cosh_slope) == []


CACHE = {}


def one_cache(x: "B D", h_prev: "B H", W: "D H", U: "H H"):
    h = np.tanh(x @ W + h_prev @ U)
    CACHE.update(x=x, h=h, h_prev=h_prev)

    def backward(dh):
        da = dh * (1 - CACHE["h"] ** 2)
        return da @ W.T, da @ U.T, CACHE["x"].T @ da, CACHE["h_prev"].T @ da

    return h, backward


def test_one_cache_for_all_calls_is_judged_alike_whichever_node_asks_first():
    over_time = [f"{d}[unrolled]" for d in ("dx", "dh_prev", "dW", "dU")]
    assert red(one_cache) == over_time
    law = next(c for c in checks(closure(one_cache), None) if c.label == "law[again]")
    assert found(law).startswith("backward gives another dx once the forward")


def leaves(x: "B"):
    def backward(dy):
        raise SystemExit(3)

    return 2 * x, backward


def test_code_that_would_end_the_run_is_an_ordinary_failure():
    check = next(c for c in checks(closure(leaves), None) if c.label == "dx[fd]")
    assert found(check).startswith("backward fails with RuntimeError: SystemExit 3")


def exponential(x: "B D", W: "D H"):
    y = np.exp(x @ W)

    def backward(dy):
        da = dy * y
        return da @ W.T, x.T @ da

    return y, backward


def test_a_gradient_that_overflows_by_right_is_not_judged_and_warns_of_nothing():
    assert red(exponential, lambda x, W: torch.exp(x @ W)) == []


def unstable(a: "B D"):
    y = np.exp(a) / (1 + np.exp(a))

    def backward(dy):
        return dy * y * (1 - y)

    return y, backward


def test_a_forward_that_is_nan_where_its_twin_is_not_disagrees_with_it():
    huge = {"a": np.full((2, 2), 1e3)}
    check = next(checks(closure(unstable), Twin(lambda v: (torch.sigmoid(v["a"]),), None)))
    evidence = check.examiner.evidence(Example((("B", 2), ("D", 2)), 0))
    evidence.inputs = huge
    assert fault(check.judge(evidence)).startswith("y disagrees with its twin in 4 of 4 entries")


def test_a_forward_that_overflows_beside_the_input_leaves_differences_without_a_word():
    """exp(4.5 * 157.7284) is finite, and a step further it is not: no slope, no accusation."""

    def gate(x: "B D", W: "D H"):
        i = np.exp(x @ W)
        h = i / (1 + i)

        def backward(dh):
            da = dh * i / (1 + i) ** 2
            return da @ W.T, x.T @ da

        return h, backward

    cell = closure(gate)
    inputs = {"x": np.array([[157.7284]]), "W": np.array([[4.5]])}
    loss = Loss.at(lambda given: cell.run(given)[0], inputs, [np.array([[1.0]])])
    reference = finite_differences.gradient(loss, "x")
    assert np.isfinite(reference.value).all()
    assert np.isinf(reference.error).all()


def test_kinks_of_two_samples_do_not_cancel_in_the_bound_of_differences():
    """Any step crosses both kinks, and only one of the two samples is above its own."""

    def forward(given):
        return (np.maximum(given["w"] + np.array([1e-9, -1e-9]), 0),)

    inputs = {"w": np.array(0.0)}
    loss = Loss.at(forward, inputs, [np.array([1.0, -1.0])])
    reference = finite_differences.gradient(loss, "w")
    assert abs(reference.value - 1.0) <= reference.error


def test_what_the_forward_leaves_behind_is_not_taken_from_another_draw(tmp_path):
    """A mend may use names that backward does not read; they come from the draw that runs."""
    path = tmp_path / "cell.py"
    path.write_text(
        "import numpy as np\n\n\n"
        'def cell(x: "B D", W: "D H", U: "D H"):\n'
        "    p = x @ W\n    q = x @ U\n    m = p * q\n    h = np.tanh(m)\n\n"
        "    def backward(dh):\n"
        "        dm = dh * (1 - h**2)\n"
        "        dp, dq = dm * q, dm * m\n"
        "        return dp @ W.T + dq @ U.T, x.T @ dp, x.T @ dq\n\n"
        "    return h, backward\n"
    )
    (proof,) = proofread(path)
    assert [line.mends[0] for line in proof.lines if line.verdict == "wrong"] == [
        "dp, dq = dm * q, dm * p"
    ]


def clipped_products(x: "T H", h0: "H"):
    """A product of steps: the order is all one, but where one of them is clipped."""
    h, tape = h0, []
    for xt in x:
        a = h * (xt * xt * 0.5 + 0.9)
        tape.append((a, h, xt))
        h = np.minimum(a, 2.0)
    last = h

    def backward(dlast):
        d, dx = dlast, np.zeros_like(x)
        for t in range(len(x))[::-1]:
            a, before, xt = tape[t]
            d = d * (a < 2)
            dx[t] = d * before * xt
            d = d * (xt * xt * 0.5 + 0.9)
        return dx, d

    return last, backward


def test_an_order_that_matters_where_something_is_clipped_is_no_law():
    (check,) = [c for c in checks(closure(clipped_products), None) if c.label == "law[permutation]"]
    for seed in range(100):
        for dtype in ("float64", "float32"):
            example = Example((("T", 4), ("H", 5)), seed, "saturated", dtype)
            assert fault(check.judge(check.examiner.evidence(example))) is None


def test_a_kink_beside_a_smooth_bend_is_seen():
    """The bend of one output halves with the step; that of the other stays, and is far smaller."""

    def forward(values):
        x = values["x"]
        return np.array([1e3 * x[0] ** 2 + x[0], np.abs(x[0] - 1e-15)])

    cotangents = (np.array([1.0, 1e-6]),)
    loss = Loss.at(lambda values: (forward(values),), {"x": np.zeros(1)}, cotangents)
    reference = finite_differences.gradient(loss, "x")
    assert abs(reference.value[0] - (1 - 1e-6)) <= reference.error[0] < 1e-5


def doubly_exponential(nu: "H", x: "H"):
    e = np.exp(np.minimum(nu, 50.0))
    y = np.exp(-e) + x

    def backward(dy):
        return -dy * np.exp(-e) * e, dy.copy()

    return y, backward


def test_where_autograd_has_no_number_nothing_is_told():
    """0 times inf in the twin: the derivation's 0 is right."""
    twin = Twin(lambda v: (torch.exp(-torch.exp(v["nu"])) + v["x"],), None)
    (check,) = [c for c in checks(closure(doubly_exponential), twin) if c.label == "dnu[autograd]"]
    facts = check.examiner.evidence(Example((("H", 1),), 0, "huge"))
    facts.inputs = {"nu": np.array([980.0]), "x": np.ones(1)}
    assert check.judge(facts) == Unjudged(Reason.ORACLE)
