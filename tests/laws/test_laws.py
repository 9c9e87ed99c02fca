"""The laws: each with the cells that break it, and the sentence that says so."""

import numpy as np
import pytest

from gradcheck.drawing.draw import Example
from gradcheck.evidence import Examiner
from gradcheck.finding import Wrong
from gradcheck.laws import every as laws
from gradcheck.running.run import Crash
from gradcheck.show.sentences import sentence
from gradcheck.source.closure import closure


def evidence(cell):
    cell = closure(cell)
    sizes = tuple((name, k + 2) for k, name in enumerate(cell.size_names))
    return Examiner(cell).evidence(Example(sizes, 0))


def broken(cell):
    """The laws that a cell breaks, with their sentences."""
    facts, told = evidence(cell), {}
    for name, law in laws.of(Examiner(facts.cell)).items():
        try:
            found = law.judge(facts)
        except Crash as crash:
            told[name] = str(crash)
            continue
        if isinstance(found, Wrong):
            told[name] = sentence(found)
    return told


def right(x: "B", w: "B"):
    y = x * w

    def backward(dy):
        return dy * w, dy * x

    return y, backward


def writes_into_its_cotangent(x: "B", w: "B"):
    def backward(dy):
        dy *= 2
        return dy * w / 2, dy * x / 2

    return x * w, backward


def stores_into_an_argument(x: "B", w: "B"):
    def backward(dy):
        dw = dy * x
        np.multiply(dy, w, out=x)
        return x.copy(), dw

    return x * w, backward


def writes_into_an_output(x: "B", w: "B"):
    y = x * w

    def backward(dy):
        y[0] = 7.0
        return dy * w, dy * x

    return y, backward


def forward_writes(x: "B", w: "B"):
    x *= 2

    def backward(dy):
        return 2 * dy * w, dy * x

    return x * w, backward


def writes_what_is_there(x: "B", w: "B"):
    def backward(dy):
        dy += 0
        return dy * w, dy * x

    return x * w, backward


def keeps_a_count(x: "B", w: "B"):
    calls = []

    def backward(dy):
        calls.append(1)
        return dy * w * len(calls), dy * x

    return x * w, backward


COUNT = []


def keeps_a_count_between_forwards(x: "B", w: "B"):
    COUNT.append(1)
    count = float(len(COUNT))

    def backward(dy):
        return dy * w * count, dy * x * count

    return x * w * count, backward


def backward_of_this_forward_only(x: "B", w: "B"):
    COUNT.append(1)
    count = float(len(COUNT))

    def backward(dy):
        return dy * w * count, dy * x

    return x * w, backward


def returns_its_cotangent(x: "B", w: "B"):
    def backward(dy):
        return dy, dy.copy()

    return x + w, backward


def returns_a_view_of_an_argument(x: "B", w: "B"):
    def backward(dy):
        return w[::-1], dy * x

    return x * w, backward


def returns_one_array_twice(x: "B", w: "B"):
    def backward(dy):
        d = 1 * dy
        return d, d

    return x + w, backward


def returns_an_output(x: "B", w: "B"):
    y = x * w

    def backward(dy):
        return y, dy * x

    return y, backward


def pops_its_caches(x: "B", w: "B"):
    caches = [(x, w)]

    def backward(dy):
        a, b = caches.pop()
        return dy * b, dy * a

    return x * w, backward


def writes_into_what_the_forward_kept(x: "B", w: "B"):
    kept = {"pair": [x.copy(), w.copy()]}

    def backward(dy):
        a, b = kept["pair"]
        dx = dy * b
        a *= dy
        return dx, a.copy()

    return x * w, backward


def assigns_what_the_forward_kept(x: "B", w: "B"):
    slope = w.copy()

    def backward(dy):
        nonlocal slope
        slope = dy * slope
        return slope.copy(), dy * x

    return x * w, backward


def writes_deep_inside(x: "B", w: "B"):
    def step(a):
        gate = a * 1.0

        def back(dy):
            gate[...] = dy * gate
            return gate.copy()

        return back

    steps = [step(w)]

    def backward(dy):
        return steps[0](dy), dy * x

    return x * w, backward


def keeps_and_reads(x: "B", w: "B"):
    """Lists, dicts, functions and numbers that backward reads and leaves alone."""
    kept = {"pair": [x.copy(), w.copy()], "name": "x", "nothing": None, "nan": float("nan")}
    functions = [lambda dy: dy * kept["pair"][1]]

    def backward(dy):
        return functions[0](dy), dy * kept["pair"][0]

    return x * w, backward


def test_a_right_cell_breaks_none():
    assert broken(keeps_and_reads) == {}

    assert broken(right) == {}


RANDOM = (
    "\nIt draws random numbers, or keeps state between calls. A mask is given as a constant:\n"
    '    *, mask: "B H in {0, 1}"'
)


@pytest.mark.parametrize(
    ("cell", "law", "sentence"),
    [
        (
            writes_into_its_cotangent,
            "purity",
            "backward writes into dy, which belongs to its caller.\n"
            "Write `dy = dy + ...` where it says `dy += ...` or stores into dy.",
        ),
        (
            stores_into_an_argument,
            "purity",
            "backward writes into the argument x.\nWork on a copy: `x.copy()`.",
        ),
        (
            forward_writes,
            "purity",
            "The forward writes into its argument x.\nWork on a copy: `x = x.copy()`.",
        ),
        (
            pops_its_caches,
            "purity",
            "backward changes the length of caches, which the forward kept.\n"
            "Read it without taking out or putting in: `for one in reversed(caches)` instead of "
            "`caches.pop()`.",
        ),
        (
            writes_into_what_the_forward_kept,
            "purity",
            "backward writes into an array inside of kept, which the forward kept.\n"
            "Work on a copy of it: `.copy()`.",
        ),
        (
            writes_deep_inside,
            "purity",
            "backward writes into an array inside of steps, which the forward kept.\n"
            "Work on a copy of it: `.copy()`.",
        ),
        (
            assigns_what_the_forward_kept,
            "purity",
            "backward puts something else into slope, which the forward kept.\n"
            "Give what it computes a name of its own.",
        ),
        (
            writes_what_is_there,
            "purity",
            "It writes into an array that was handed in, though it leaves every value as it was.",
        ),
        (
            keeps_a_count,
            "again",
            "Two calls of backward differ in dx.\n"
            "It changes something that the forward kept, or draws random numbers.",
        ),
        (
            keeps_a_count_between_forwards,
            "repeatable",
            "Two calls of the forward differ in y." + RANDOM,
        ),
        (
            backward_of_this_forward_only,
            "repeatable",
            "Two calls differ in dx, although the forward repeats itself.\n"
            "backward draws random numbers, or keeps something from one call to the next.",
        ),
        (
            returns_its_cotangent,
            "aliasing",
            "dx shares memory with the cotangent dy.\n"
            "Adding to one in place would change the other: return `dx.copy()`.",
        ),
        (
            returns_a_view_of_an_argument,
            "aliasing",
            "dx shares memory with the argument w.\n"
            "Adding to one in place would change the other: return `dx.copy()`.",
        ),
        (
            returns_one_array_twice,
            "aliasing",
            "dw shares memory with the gradient dx.\n"
            "Adding to one in place would change the other: return `dw.copy()`.",
        ),
        (
            returns_an_output,
            "aliasing",
            "dx shares memory with the output y.\n"
            "Adding to one in place would change the other: return `dx.copy()`.",
        ),
    ],
)
def test_a_broken_law_is_told_in_a_sentence(cell, law, sentence):
    assert broken(cell)[law] == sentence


def test_an_output_that_changes_is_caught():
    assert broken(writes_into_an_output)["purity"] == (
        "backward writes into the output y.\nWork on a copy: `y.copy()`."
    )


def test_a_cell_that_writes_is_still_judged_by_its_values():
    found = evidence(writes_into_its_cotangent)
    assert found.caller.writes
    for name in ("x", "w"):
        assert found.compared(name, found.numeric.best(name)).agrees


def test_a_second_backward_that_fails_is_told():
    with pytest.raises(Crash, match="A second backward fails with IndexError: pop from empty list"):
        laws.LAWS["again"].judge(evidence(pops_its_caches))


LAST = {}


def reads_the_last_forward(x: "B", w: "B"):
    LAST["w"] = w

    def backward(dy):
        return dy * LAST["w"], dy * x

    return x * w, backward


def test_a_backward_that_reads_the_last_forward_is_told():
    assert broken(reads_the_last_forward) == {
        "again": "backward gives another dx once the forward has run on other inputs.\nIt reads "
        "what the last forward left; let it use the variables of its own."
    }
