"""The laws about values: each with the cells that break it, what it says, and where it is not."""

import numpy as np
import pytest

from gradcheck.checking.check import checks
from gradcheck.checking.explore import Plan, search
from gradcheck.drawing.draw import Example
from gradcheck.evidence import Examiner
from gradcheck.finding import Reason, Right, Unjudged, Wrong
from gradcheck.laws import every as laws
from gradcheck.show.sentences import sentence
from gradcheck.source.cases import read
from gradcheck.source.closure import closure


def kept(function):
    """The names of the laws that apply to a cell."""
    return set(laws.of(Examiner(closure(function))))


def judged(function, law, seed=1, sizes=None, regime="ordinary", dtype="float64"):
    """The finding of a law on one example of a cell."""
    cell = closure(function)
    by_name = {name: k + 3 for k, name in enumerate(cell.size_names)} | (sizes or {})
    evidence = Examiner(cell).evidence(Example(tuple(by_name.items()), seed, regime, dtype))
    return laws.LAWS[law].judge(evidence)


def said(*example, **more):
    """The sentence on what a law finds wrong."""
    return sentence(judged(*example, **more))


def broken(function):
    """The laws that a cell breaks on the examples of a node."""
    found = checks(closure(function), None)
    laws_only = [check for check in found if check.subject == "law"]
    return {c.oracle for c in laws_only if search(c, Plan("fast", shrink=False)).failure}


def linear_layer(x: "B D", W: "D H", b: "H"):
    y = np.tanh(x @ W + b)

    def backward(dy):
        da = dy * (1 - y**2)
        return da @ W.T, x.T @ da, da.sum(axis=0)

    return y, backward


def test_a_right_cell_keeps_them_all():
    assert kept(linear_layer) == set(laws.LAWS) - {"fresh", "chunks", "padding"}
    assert broken(linear_layer) == set()


@pytest.mark.parametrize("regime", ["ordinary", "fortran", "strided", "huge", "tiny", "saturated"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_right_cell_keeps_them_in_every_regime(regime, dtype):
    for law in kept(linear_layer):
        assert not isinstance(judged(linear_layer, law, 7, None, regime, dtype), Wrong), law


# -- zero ----------------------------------------------------------------------------------------


def scales_by_the_largest(x: "B"):
    def backward(dy):
        size = np.abs(dy).max()
        return dy / size * 2 * size

    return 2 * x, backward


def decays_its_weights(x: "B", w: "B"):
    def backward(dy):
        return dy * w, dy * x + 0.25 * w

    return x * w, backward


def test_zero_is_no_number_after_a_division_by_it():
    assert said(scales_by_the_largest, "zero") == (
        "dx[0] is nan although every cotangent is zero.\n"
        "0 times an infinite slope is no number: write the slope so that it stays finite."
    )


def test_zero_and_a_term_without_a_cotangent():
    found = said(decays_its_weights, "zero")
    assert found.startswith("dw[0] is ")
    assert found.endswith(
        " although every cotangent is zero.\n"
        "Each term of a gradient has a cotangent as a factor: leave out what has none."
    )
    assert broken(decays_its_weights) == {"zero", "linear"}


# -- linear --------------------------------------------------------------------------------------

NOT_LINEAR = (
    "\nA gradient is linear in the cotangents: no clipping, no threshold and no square of them "
    "belongs in backward."
)


def clips(x: "B"):
    def backward(dy):
        return np.clip(2 * dy, -5, 5)

    return 2 * x, backward


def has_a_threshold(x: "B"):
    def backward(dy):
        return np.where(np.abs(dy) > 1e-3, 2 * dy, 0)

    return 2 * x, backward


def takes_the_part_above_zero(x: "B"):
    def backward(dy):
        return 2 * np.maximum(dy, 0)

    return 2 * x, backward


def shares_by_size(x: "B"):
    def backward(dy):
        return dy * np.abs(dy) / (np.abs(dy).max() + (not dy.any()))

    return 2 * x, backward


@pytest.mark.parametrize(
    ("cell", "factor"),
    [(clips, "1024"), (has_a_threshold, "2**-20"), (takes_the_part_above_zero, "-2**20")],
)
def test_linear_in_the_size_of_the_cotangent(cell, factor):
    found = said(cell, "linear")
    assert f" in backward({factor} * d), but " in found
    assert found.endswith(f" in {factor} * backward(d).{NOT_LINEAR}")
    assert "linear" in broken(cell)


def test_linear_in_the_sum_of_cotangents():
    found = said(shares_by_size, "linear")  # 1024 times is 1024 times as much
    assert found.startswith("dx[")
    assert " in backward(d + e), but " in found
    assert found.endswith(f" in backward(d) + backward(e).{NOT_LINEAR}")


def test_linear_within_what_is_declared_of_the_cotangents(tmp_path):
    path = tmp_path / "held.py"
    path.write_text(
        "import numpy as np\n\n\n"
        'def held(x: "B", c: "B"):\n'
        '    def backward(dy, dz: "zero"):\n'
        "        return 2 * dy, 0 * c + dz**2\n\n"
        "    return (2 * x, x + 0 * c), backward\n",
        encoding="utf-8",
    )
    (cell,) = read(path)
    evidence = Examiner(cell).evidence(Example((("B", 3),), 1))
    assert laws.LAWS["linear"].judge(evidence) == Right()


# -- batch ---------------------------------------------------------------------------------------


def averages_over_the_batch(x: "B D", w: "D"):
    def backward(dy):
        return dy[:, None] * w, (dy[:, None] * x).mean(axis=0)

    return x @ w, backward


def mixes_the_batch(x: "B D", w: "D"):
    def backward(dy):
        return (dy - dy.mean())[:, None] * w, x.T @ dy

    return x @ w, backward


def mean_of_the_batch(x: "B D", w: "D"):
    def backward(dloss):
        return np.broadcast_to(dloss * w / len(x), x.shape).copy(), dloss * x.mean(axis=0)

    return (x @ w).mean(), backward


def mean_that_is_summed(x: "B D", w: "D"):
    def backward(dloss):
        return np.broadcast_to(dloss * w / len(x), x.shape).copy(), dloss * x.sum(axis=0)

    return (x @ w).mean(), backward


def over_the_batch(x: "B D", w: "D"):
    """Sees all samples at once, as batch normalisation does."""
    a = x @ w

    def backward(dy):
        da = dy - dy.mean()
        return da[:, None] * w, x.T @ da

    return a - a.mean(), backward


def test_batch_of_a_weight():
    found = said(averages_over_the_batch, "batch", sizes={"B": 3, "D": 2})
    first, rest = found.split("\n")
    assert first.startswith("dw[1] is ")
    assert " for B=3, but " in first
    assert first.endswith(" as the sum of B=2 and B=1.")
    assert rest == (
        "The forward takes each B by itself, so dw is the sum of what each gives: sum over the "
        "whole axis B, and divide by nothing."
    )
    assert broken(averages_over_the_batch) == {"batch"}


def test_batch_of_an_argument_with_the_axis():
    found = said(mixes_the_batch, "batch", sizes={"B": 3, "D": 2})
    first, rest = found.split("\n")
    assert first.startswith("dx[")
    assert " among B=3, but " in first
    assert " with only B " in first
    assert rest == (
        "The forward takes each B by itself, so no entry of dx may depend on the others: no sum "
        "or mean over B belongs in it."
    )


def test_batch_of_a_loss_that_is_a_mean():
    assert "batch" not in broken(mean_of_the_batch)
    assert said(mean_that_is_summed, "batch").startswith("dw[1] is ")


def test_batch_is_no_law_where_the_forward_sees_all_samples():
    assert [one.axis.name for one in laws.apart(Examiner(closure(over_the_batch)))] == ["D"]
    assert broken(over_the_batch) == set()


def test_batch_says_nothing_of_one_sample():
    found = judged(averages_over_the_batch, "batch", sizes={"B": 1, "D": 1})
    assert found == Unjudged(Reason.NOTHING_TO_TRY)


def stacked_gates(x: "B D", W: "D 2*H"):
    """H is in arithmetic, so no axis; D is summed over within a product."""
    a = x @ W
    H = a.shape[1] // 2
    y = a[:, :H] * a[:, H:]

    def backward(dy):
        da = np.concatenate([dy * a[:, H:], dy * a[:, :H]], axis=1)
        return da @ W.T, x.T @ da

    return y, backward


def test_which_axes_are_taken_one_by_one_is_asked_of_the_forward():
    def axes(function):
        return [found.axis.name for found in laws.apart(Examiner(closure(function)))]

    assert axes(stacked_gates) == ["B"]
    assert axes(linear_layer) == ["B", "H"]
    assert axes(averages_over_the_batch) == ["B", "D"]  # a sum over D is a sum of its parts


# -- permutation ---------------------------------------------------------------------------------


def leaves_out_the_first(x: "B D", w: "D"):
    def backward(dy):
        dw = x[1:].T @ dy[1:]
        return dy[:, None] * w, dw

    return x @ w, backward


def running_sum(x: "T B"):
    def backward(dy):
        return np.cumsum(dy[::-1], axis=0)[::-1].copy()

    return np.cumsum(x, axis=0), backward


def square_without_a_transpose(x: "B H", U: "H H"):
    def backward(dy):
        return dy @ U, x.T @ dy

    return x @ U, backward


def test_permutation_of_the_batch():
    found = said(leaves_out_the_first, "permutation", 0)
    first, rest = found.split("\n")
    assert first.startswith("dw[")
    assert " once the order along B is another, but " in first
    assert first.endswith(" stood in its place.")
    assert rest == (
        "The forward does not care for the order along B, so dw may not either: no index of it "
        "may be left out or singled out."
    )


def test_permutation_is_no_law_along_time():
    found = [axis.name for axis in laws.indifferent(Examiner(closure(running_sum)))]
    assert found == ["B"]
    assert broken(running_sum) == set()


def test_a_square_axis_is_permuted_as_a_whole():
    # U is read through the wrong axis for every order alike: that is for the oracles to tell.
    assert broken(square_without_a_transpose) == set()


# -- chunks --------------------------------------------------------------------------------------


def carry(x: "T B", w: "B", h0: "B", drop=False, late=False):
    """h_t = w h_{t-1} + x_t; ``drop`` ignores the last state's cotangent, ``late`` h0's own."""
    hs = [h0]
    for x_t in x:
        hs.append(w * hs[-1] + x_t)

    def backward(dh, dlast):
        dx, dw, carried = np.zeros_like(x), np.zeros_like(w), 0 * dlast if drop else dlast
        for t in reversed(range(len(x))):
            carried = carried + dh[t]
            dx[t] = carried
            dw += carried * hs[t]
            carried = carried * w
        return dx, dw, np.zeros_like(h0) if late else carried

    return (np.stack(hs[1:]), hs[-1].copy()), backward


def carries(x: "T B", w: "B", h0: "B"):
    return carry(x, w, h0)


def drops_the_last(x: "T B", w: "B", h0: "B"):
    (h, last), inner = carry(x, w, h0, drop=True)

    def backward(dh, dlast):
        return inner(dh, dlast)

    return (h, last), backward


def forgets_the_first(x: "T B", w: "B", h0: "B"):
    (h, last), inner = carry(x, w, h0, late=True)

    def backward(dh, dlast):
        return inner(dh, dlast)

    return (h, last), backward


def difference(x: "T B", x_before: "B"):
    """What was before the first is the last entry of the chunk before: an input, not an output."""
    y = x - np.concatenate([x_before[None], x[:-1]])

    def backward(dy):
        dx = dy.copy()
        dx[:-1] -= dy[1:]
        return dx, -dy[0]

    return y, backward


def difference_without_the_one_before(x: "T B", x_before: "B"):
    y, right = difference(x, x_before)

    def backward(dy):
        return right(dy)[0], 0 * x_before

    return y, backward


def state_that_is_not_given_out(x: "T B", h0: "B"):
    """Half of the state stays inside, so no chunk can be continued."""
    h, hidden, hs = h0, np.zeros_like(h0), []
    for x_t in x:
        hidden = hidden + x_t
        h = h + hidden
        hs.append(h)

    def backward(dh):
        dx, carried, inner = np.zeros_like(x), 0, 0
        for t in reversed(range(len(x))):
            carried = carried + dh[t]
            inner = inner + carried
            dx[t] = inner
        return dx, np.asarray(carried + 0 * h0)

    return np.stack(hs), backward


def test_chunks_compose():
    assert "chunks" in kept(carries)
    assert broken(carries) == set()
    assert broken(difference) == set()
    assert str(laws.composed(Examiner(closure(carries))).states["h0"]) in ("h[-1]", "last")
    assert str(laws.composed(Examiner(closure(difference))).states["x_before"]) == "x[-1]"


def test_chunks_of_a_backward_that_drops_what_comes_back():
    found = said(forgets_the_first, "chunks", sizes={"T": 3})
    first, rest = found.split("\n")
    assert first.startswith("dx[")
    assert " over T=3, but " in first
    assert first.endswith(" over T=2 and then T=1 (h0 from h[-1]).")
    assert rest == (
        "The forward composes, so backward must: carry the gradient of each state through all "
        "steps, from the cotangents of the last, and add up what is shared at each step."
    )


def test_chunks_of_a_window_over_the_inputs():
    assert broken(difference_without_the_one_before) == {"chunks"}


def test_chunks_are_no_law_where_a_state_stays_inside():
    assert "chunks" not in kept(state_that_is_not_given_out)
    assert broken(state_that_is_not_given_out) == set()


# -- padding -------------------------------------------------------------------------------------


def padded_sum(x: "T B", w: "B", *, lengths: "B <= T"):
    live = np.arange(len(x))[:, None] < lengths
    read = np.where(live, x, 0)

    def backward(dy):
        return np.where(live, dy * w, 0), (dy * read).sum(axis=0)

    return (w * read).sum(axis=0), backward


def flows_back(x: "T B", w: "B", *, lengths: "B <= T"):
    live = np.arange(len(x))[:, None] < lengths
    read = np.where(live, x, 0)

    def backward(dy):
        return dy * w + 0 * x, (dy * read).sum(axis=0)

    return (w * read).sum(axis=0), backward


def reads_the_padding(x: "T B", w: "B", *, lengths: "B <= T"):
    live = np.arange(len(x))[:, None] < lengths

    def backward(dy):
        return np.where(live, dy * w, 0), (dy * x).sum(axis=0)

    return (w * np.where(live, x, 0)).sum(axis=0), backward


def multiplies_the_padding_by_zero(x: "T B", w: "B", *, lengths: "B <= T"):
    live = np.arange(len(x))[:, None] < lengths

    def backward(dy):
        return np.where(live, dy * w, 0), (dy * live * x).sum(axis=0)

    return (w * np.where(live, x, 0)).sum(axis=0), backward


def looks_behind_the_end(x: "T B", *, lengths: "B <= T"):
    def backward(dy):
        return dy * lengths + 0 * x

    return (x * lengths).sum(axis=0), backward


def test_padding_of_right_cells_and_of_those_that_look_at_it():
    assert "padding" in kept(padded_sum)
    assert broken(padded_sum) == set()
    assert "padding" not in kept(looks_behind_the_end)


def test_padding_gets_no_gradient():
    found = said(flows_back, "padding", sizes={"T": 4, "B": 3})
    first, rest = found.split("\n")
    assert first.startswith("dx[")
    assert ", but it lies behind the end: lengths[" in first
    assert rest == (
        "The outputs do not look at x there, so dx is zero: let nothing flow back from "
        "t = lengths on."
    )


LOOKS = (
    " behind the ends (lengths).\nThe outputs do not look at x there, so no gradient may: read it "
    "through the mask, in backward as in the forward."
)


def test_padding_reaches_no_weight():
    found = said(reads_the_padding, "padding", sizes={"T": 4, "B": 3})
    assert found.startswith("dw[")
    assert found.endswith(" once x is other numbers" + LOOKS)


def test_padding_that_is_no_number():
    found = said(multiplies_the_padding_by_zero, "padding", sizes={"T": 4, "B": 3})
    assert found.startswith("dw[")
    assert found.endswith(" is nan once x is nan" + LOOKS)


# -- layout --------------------------------------------------------------------------------------


def goes_by_memory(x: "B D"):
    def backward(dy):
        return 2 * np.lib.stride_tricks.as_strided(
            dy, dy.shape, (dy.shape[1] * dy.itemsize, dy.itemsize)
        )

    return 2 * x, backward


def flattens_in_memory_order(x: "B D"):
    def backward(dy):
        return (2 * dy.ravel(order="K")).reshape(dy.shape)

    return 2 * x, backward


def reads_the_base(x: "B D"):
    def backward(dy):
        base = dy if dy.base is None else np.nan_to_num(dy.base)
        return 2 * base.ravel()[: dy.size].reshape(dy.shape)

    return 2 * x, backward


def gaps_in_between(x: "B D"):
    def backward(dy):
        base = dy if dy.base is None else dy.base
        return 2 * base.ravel()[: dy.size].reshape(dy.shape)

    return 2 * x, backward


def test_layout_with_what_is_no_number_in_between():
    found = said(gaps_in_between, "layout", 0).splitlines()[0]
    assert found == "dx cannot be used for strided arrays."


@pytest.mark.parametrize(
    ("cell", "seed", "kind"),
    [
        (flattens_in_memory_order, 1, "Fortran-ordered"),
        (reads_the_base, 0, "strided"),
        (goes_by_memory, 2, "broadcast"),
    ],
)
def test_layout(cell, seed, kind):
    found = said(cell, "layout", seed)
    first, rest = found.split("\n")
    assert first.startswith("dx[")
    assert f" for {kind} arrays, but " in first
    assert first.endswith(" for contiguous copies of them.")
    assert rest == (
        "Go by index and shape and not by memory: no `as_strided`, `.strides`, `.base`, "
        "`.data`, "
        '`order="A"` or `order="K"`.'
    )


# -- precision -----------------------------------------------------------------------------------


def test_precision_of_a_buffer_and_of_a_cast(tmp_path):
    path = tmp_path / "coarse.py"
    path.write_text(
        "import numpy as np\n\n\n"
        'def buffer(x: "B H"):\n'
        "    hs = np.zeros(x.shape, np.float32)\n"
        "    for b in range(len(x)):\n"
        "        hs[b] = np.tanh(x[b])\n\n"
        "    def backward(dy):\n"
        "        return dy * (1 - np.tanh(x) ** 2)\n\n"
        "    return hs + 0 * x, backward\n\n\n"
        'def cast(x: "B H"):\n'
        "    def backward(dy):\n"
        "        slope = (1 - np.tanh(x) ** 2).astype(np.float32)\n"
        "        return dy * slope\n\n"
        "    return np.tanh(x), backward\n\n\n"
        'def inside(x: "B H"):\n'
        "    def backward(dy):\n"
        "        return dy * np.float32(1 - np.tanh(x) ** 2)\n\n"
        "    return np.tanh(x), backward\n",
        encoding="utf-8",
    )
    told = []
    for cell in read(path):
        evidence = Examiner(cell).evidence(Example((("B", 2), ("H", 3)), 3))
        told.append(sentence(laws.LAWS["precision"].judge(evidence)))
    assert told == [
        "hs is float32 in line 5 although inputs and outputs are float64.\n"
        "Make the buffer in the type of what it holds: `np.zeros(shape, x.dtype)`, or leave the "
        "dtype out.",
        "slope is float32 in line 17 although inputs and outputs are float64.\n"
        "Leave out what casts it, `.astype(...)`, `np.float32(...)` or `dtype=`: what it loses no "
        "later line brings back.",
        "A number is float32 in line 25 although inputs and outputs are float64.\n"
        "Leave out what casts it, `.astype(...)`, `np.float32(...)` or `dtype=`: what it loses no "
        "later line brings back.",
    ]


def test_precision_of_a_cell_in_float32_is_its_own():
    def openly(x: "B"):
        def backward(dy):
            return np.asarray(2 * dy, np.float32)

        return np.asarray(2 * x, np.float32), backward

    assert judged(openly, "precision", 6) == Right()
    assert judged(openly, "precision", 5) == Unjudged(Reason.SPARED)
