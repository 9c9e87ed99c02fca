"""One listing: which statements are a derivation, wherever its function was written."""

import ast
import linecache
import textwrap
from pathlib import Path

import numpy as np
import pytest

from gradcheck.errors import CaseError
from gradcheck.lines import instrument
from gradcheck.mutation import mutants
from gradcheck.source import cases
from gradcheck.source.listing import Listing

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "cases").glob("*.py"))

# What runs other statements has no value to be judged; what is in it does.
HOLDING = (ast.If, ast.With)


def first_lines(nodes):
    return sorted((node.lineno, ast.unparse(node).splitlines()[0]) for node in nodes)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_mutation_edits_is_what_proofreading_judges(path):
    """Statement by statement; docstrings are no part of a derivation, and neither has them."""
    for cell in cases.read(path):
        listing = Listing.of(path, cell.name)
        edited = [
            place.statement
            for site in listing.sites
            for place in mutants.places(listing, site, {})
            if not isinstance(place.statement, HOLDING)
        ]
        judged = [line.statement for line in instrument.script(listing).lines if not line.absent]
        assert first_lines(edited) == first_lines(judged)
        assert len(edited) > 0


def test_the_cases_have_cells_of_every_form():
    assert sum(len(cases.read(path)) for path in FILES) >= 77


STEP = """
    import numpy as np

    slope = lambda y: 1 - y**2
    unused = lambda y: y

    def _step(x, h_prev, W):
        def squashed(a):
            return np.tanh(a)

        h = squashed(x @ W + h_prev)

        def backward(dh):
            da = dh * slope(h)
            return da @ W.T, da, x.T @ da

        return h, backward

    def cell(x: "T B D", h_prev: "B D", W: "D D"):
        '''Runs a step several times.'''
        h, steps = h_prev, []
        for x_t in x:
            h, back = _step(x_t, h, W)
            steps.append(back)
        total = lambda parts: np.sum(parts, axis=0)
        finish = lambda dh: 1.0 * dh

        def backward(dh):
            '''Says what it does.'''
            dxs, dWs = [], []
            dh = finish(dh)
            for back in reversed(steps):
                dx_t, dh, dW_t = back(dh)
                dxs.insert(0, dx_t)
                dWs.append(dW_t)
            return np.array(dxs), dh, total(dWs)

        return 1.0 * h, backward
"""


@pytest.fixture
def file(tmp_path):
    def write(text, name="cell.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write


def sources(listing):
    return [line.source for line in instrument.script(listing).lines if not line.absent]


DERIVATION = [
    "dxs, dWs = [], []",
    "dh = finish(dh)",
    "for back in reversed(steps):",
    "dx_t, dh, dW_t = back(dh)",
    "dxs.insert(0, dx_t)",
    "dWs.append(dW_t)",
    "return np.array(dxs), dh, total(dWs)",
    "slope = lambda y: 1 - y**2",
    "da = dh * slope(h)",
    "return da @ W.T, da, x.T @ da",
    "total = lambda parts: np.sum(parts, axis=0)",
    "finish = lambda dh: 1.0 * dh",
]


def test_steps_helpers_and_named_lambdas_are_part_of_it_and_what_the_forward_runs_is_not(file):
    assert sources(Listing.of(file(STEP), "cell")) == DERIVATION


def test_a_line_of_a_step_sees_the_names_of_its_own_call(file):
    """Each call has its own, though the backward has not asked for them."""
    script = instrument.read(file(STEP), "cell")
    inputs = {"x": np.ones((2, 1, 1)), "h_prev": np.zeros((1, 1)), "W": np.ones((1, 1))}
    line = next(line for line in script.lines if line.source == "da = dh * slope(h)")
    before = []

    def change(space):
        before.append(float(space["h_prev"][0, 0]))
        return eval("dh * (1 - h**2)", dict(space))

    _, backward = script.cell.run(inputs)
    plain = backward([np.ones((1, 1))])
    script.hooks.changes = {line.key: change}
    changed = backward([np.ones((1, 1))])
    assert before == pytest.approx([np.tanh(1.0), 0.0])  # the last step first
    for one, other in zip(plain, changed, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_names_of_a_step_are_not_those_of_the_cell(file):
    """`dh` of a step that runs T times is not dL/dh of the forward."""
    script = instrument.read(file(STEP), "cell")
    assert {line.site for line in script.lines if line.source.startswith("da")} == {2}
    assert {line.site for line in script.lines if line.source.startswith("dh")} == {0}


# Functions that stand in no file, or not at its top.


def made(scale):
    def twice(a):
        return 2 * a

    def times(dy):
        return scale * dy

    def cell(x: "B"):
        y = twice(x) * scale / 2

        def backward(dy):
            dx = times(dy)
            return dx

        return y, backward

    return cell


def test_a_function_made_inside_of_another_has_a_listing():
    listing = Listing.of_function(made(np.array(3.0)))
    assert sources(listing) == ["dx = times(dy)", "return dx", "return scale * dy"]
    (gradient,) = [listing.cell().run({"x": np.ones(2)})[1]([np.ones(2)])]
    assert gradient.tolist() == [3.0, 3.0]
    assert listing.path == Path(__file__)
    text = linecache.getlines(__file__)
    assert text[listing.backward.lineno - 1].strip() == "def backward(dy):"


def typed(text, space, name):
    """As a notebook does it: each input a file of its own, which only linecache has."""
    text = textwrap.dedent(text)
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), space)


def test_a_function_typed_into_a_notebook_has_a_listing(tmp_path):
    space = {"np": np, "x": np.zeros(3)}  # a variable that the cell hides
    typed("def slope(h):\n    return 1 - h**2\n", space, "<input-1>")
    typed(
        """
        def cell(x: "B"):
            h = np.tanh(x)
            def backward(dh):
                return dh * slope(h)
            return h, backward
        """,
        space,
        "<input-2>",
    )
    listing = Listing.of_function(space["cell"])
    assert (str(listing.path), listing.cell().source) == ("<input-2>", None)
    assert sources(listing) == ["return dh * slope(h)", "return 1 - h**2"]


def test_a_name_is_what_it_stands_for_by_now(file):
    path = file("""
        import numpy as np
        def slope(h):
            return 0 * h
        def other(h):
            return 1 - h**2
        slope = other
        def cell(x: "B"):
            h = np.tanh(x)
            def backward(dh):
                return dh * slope(h)
            return h, backward
    """)
    listing = Listing.of(path, "cell")
    assert sources(listing) == ["return dh * slope(h)", "return 1 - h**2"]
    script = instrument.script(listing)
    script.hooks.watching = True
    script.cell.run({"x": np.zeros(1)})[1]([np.ones(1)])
    assert len(script.hooks.seen) == 3  # dh before the first line, and both lines


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (eval("lambda x: x"), "The lines of <lambda> cannot be followed: Python keeps no source"),
        (len, "The lines of len cannot be followed: it is no Python function."),
    ],
)
def test_what_cannot_be_followed_is_said(function, said):
    with pytest.raises(CaseError, match=said):
        Listing.of_function(function)


def test_a_counter_around_the_cell_cannot_be_followed():
    count = 0

    def cell(x: "B"):
        nonlocal count
        count += 1

        def backward(dy):
            return dy

        return x, backward

    with pytest.raises(CaseError, match="it changes count, a variable of the function around it"):
        Listing.of_function(cell)


def test_a_file_without_the_cell(file):
    with pytest.raises(CaseError, match=r"cell\.py defines no cell called other\."):
        Listing.of(file(STEP), "other")


def test_declarations_report_and_hold_from_a_listing_as_from_a_file(file):
    path = file("""
        import numpy as np
        def bent(a):
            h: "kink where a = 0" = np.maximum(a, 0)
            return h
        def cell(x: "B"):
            y = bent(x)
            def backward(dy):
                return dy * (x > 0)
            return y, backward
    """)
    (cell,) = cases.read(path)
    listing = Listing.of(path, "cell")
    assert listing.contracts == cell.contracts
    for one in (cell, listing.cell(), instrument.script(listing).cell):
        assert one.at({"x": np.array([0.0, 1.0])}).margin == 0
        assert one.at({"x": np.array([0.5, 1.0])}).margin == 0.5
