"""Each kind of edit takes back the slip that it is named for, at the cost in its table."""

import ast
import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gradcheck.lines.edits import growing, in_place
from gradcheck.lines.edits.edit import Edit, Material, fits
from gradcheck.lines.edits.every import edits

# One sample more than units, so that shapes tell apart; arrays of the same shape stand together.
B, D, H, T = 4, 2, 3, 5
ARRAYS = {
    **dict.fromkeys(["dc", "dh", "c", "c_prev", "f", "i", "o", "g"], (B, H)),
    **dict.fromkeys(["x"], (B, D)),
    **dict.fromkeys(["W", "dW"], (D, H)),
    **dict.fromkeys(["U", "dU"], (H, H)),
    **dict.fromkeys(["bf", "bi"], (H,)),
    **dict.fromkeys(["z"], (B, H + D)),
    **dict.fromkeys(["dy"], (B,)),
    **dict.fromkeys(["h", "dh_all"], (T, B, H)),
    **dict.fromkeys(["s"], (B, 1)),
}
WHOLE = {"n": 2, "t": 1, "y": np.array([2, 0, 1, 1]), "D": D}


def tree(text):
    return ast.parse(text, mode="eval").body


def material(text, names, siblings=(), **given):
    """The material of an expression with some of the arrays in sight."""
    generator = np.random.default_rng(0)
    space = {name: generator.normal(size=shape) for name, shape in ARRAYS.items()}
    space |= {"np": np, **WHOLE, "gates": {"i": space["i"], "f": space["f"]}}
    return Material(tree(text), space, tuple(names), siblings=tuple(map(tree, siblings)), **given)


def listed(text, names=(), statement=None, **given):
    """The least cost of each text, sign and statement that edits of an expression come to."""
    found = {}
    node = ast.parse(statement or f"d = {text}").body[0]
    for edit in edits(node, material(text, names, **given)):
        known = f"{edit.sign} {edit.text}" if edit.sign else edit.text
        found[known] = min(edit.cost, found.get(known, edit.cost))
    return found


def shown(part):
    return part if isinstance(part, str) else ""


# The kind, what was written, what was meant, and what is in sight.
IN_PLACE = [
    ("a part alone", "dh * c", "dh", {}),
    ("another operator", "dc - dh", "dc + dh", {}),
    ("operands exchanged", "dc @ U", "U @ dc", {}),
    ("a product transposed", "dc.T @ x", "x.T @ dc", {}),
    ("other brackets", "dc + dh * o", "(dc + dh) * o", {}),
    ("a neighbouring name", "dc * c", "dc * c_prev", {"names": ["c", "c_prev"]}),
    ("another name", "dh * g", "dh * c_prev", {"names": ["g", "c_prev"]}),
    ("given too late", "dh * c", "dc * o * c", {"later": {"dh": tree("dc * o")}}),
    ("another index", "h[n]", "h[t]", {"whole": ("n", "t")}),
    ("another index", "h[D - 1]", "h[t]", {"whole": ("t",)}),
    ("beside another index", "h[n]", "h[t + 1]", {"whole": ("n", "t")}),
    ("another key", "gates['i']", "gates['f']", {"keys": ("i", "f")}),
    ("another number", "3 * dh", "2 * dh", {}),
    ("another slice", "z[:, :D]", "z[:, H:]", {"slices": (tree("z[:, H:]").slice,)}),
    ("another entry", "gates['i'] * dh", "gates['f'] * dh", {"keys": ("i", "f")}),
    ("an index one off", "h[t]", "h[t - 1]", {}),
    ("an index two off", "h[t]", "h[t + 2]", {}),
    ("the other part", "z[:, :D]", "z[:, D:]", {}),
    ("a bound one off", "z[:, 1:D]", "z[:, 1:D + 1]", {}),
    ("a slice behind a bias", "z[:, :D]", "z[:, 1:1 + D]", {}),
    ("so many from there on", "z[:, n:D]", "z[:, n:n + D]", {}),
    ("the other way round", "range(t)", "reversed(range(t))", {}),
    ("a keyword too many", "dc.sum(axis=0)", "dc.sum()", {}),
    ("a mean for a sum", "dc.mean(axis=0)", "dc.sum(axis=0)", {}),
    ("a sum for the first", "dc[0]", "dc.sum(axis=0)", {}),
    ("each its own", "dy.mean()", "dy[:, None]", {}),
    ("another function", "np.exp(c)", "np.tanh(c)", {"functions": ("np.tanh",)}),
    ("arguments exchanged", "np.where(f, dh, o)", "np.where(f, o, dh)", {}),
    ("elements exchanged", "[dh, dc]", "[dc, dh]", {}),
    ("an exponent lost", "1 - g", "1 - g ** 2", {}),
    ("a sign lost", "dh * c", "-(dh * c)", {}),
    ("a complement", "dh * f", "dh * (1 - f)", {}),
    ("a function lost", "dh * c", "dh * np.tanh(c)", {"functions": ("np.tanh",)}),
    ("a column", "dc * dy", "dc * dy[:, None]", {}),
    ("a transpose lost", "x @ dc", "x.T @ dc", {}),
    ("a sum lost", "dc", "dc.sum(axis=0)", {}),
    ("an array of its own", "dc + dh", "dc.copy() + dh", {}),
    ("an array of its own", "dc", "np.zeros_like(dc)", {}),
]
COSTS = {kind.name: kind.cost for kind in (*in_place.OF_A_NODE, *in_place.AROUND_A_VALUE)}


@pytest.mark.parametrize(("kind", "written", "meant", "given"), IN_PLACE, ids=shown)
def test_a_node_is_what_was_meant(kind, written, meant, given):
    assert listed(written, **given).get(meant) == COSTS[kind]


def test_every_kind_has_an_example():
    assert list(dict.fromkeys(kind for kind, *_ in IN_PLACE)) == list(COSTS)


GROWN = [
    (1.6, "dh * c", "dh * c / x.shape[0]", {"sizes": ("x.shape[0]",)}),
    (1.6, "dh * c", "dh * c * keep", {"sizes": ("keep",)}),
    (2.0, "dc", "dc * f", {"names": ["f"]}),
    (2.0, "dc", "dc * (1 - f)", {"names": ["f"]}),
    (2.1, "dc", "dc * (1 - g ** 2)", {"names": ["g"]}),
    (2.2, "dc", "dc * f * (1 - f)", {"names": ["f"]}),
    (2.3, "dh", "dh * np.tanh(c)", {"names": ["c"]}),
    (2.4, "dh", "dh * (1 - tanh(c) ** 2)", {"names": ["c"], "functions": ("tanh",)}),
    (2.0, "s + dc", "s * f + dc", {"names": ["f"]}),  # what gives a term the shape of the line
    (2.4, "dh", "dh - dc.mean(axis=-1, keepdims=True)", {"names": ["dc"]}),
    (2.6, "dh", "dh * f / x.shape[0]", {"names": ["f"], "sizes": ("x.shape[0]",)}),
    (2.0, "dh", "dh + dc", {"names": ["dc"]}),
    (2.3, "dc", "dc + dh * o", {"names": ["dh", "o"]}),
    (2.5, "dc", "dc + dh * (1 - o)", {"names": ["dh", "o"]}),
    (2.4, "dW", "dW + x.T @ dc", {"names": ["x", "dc"]}),
    (2.4, "x", "x + dc @ W.T", {"names": ["dc", "W"]}),
    (2.4, "dh_all", "dh_all + h @ U.T", {"names": ["h", "U"]}),
    (2.2, "bf", "bf + dc.sum(axis=0)", {"names": ["dc"]}),
    (2.0, "dh * c", "dh * np.where(c > 0, c, 1)", {"conditions": (tree("c > 0"),)}),
    (2.0, "dh", "np.where(c > 0, 0, dh)", {"conditions": (tree("c > 0"),)}),
    (2.4, "dc", "dc + dh * o * c", {"siblings": ["dh * o * c"]}),
    (2.2, "U @ dU", "U @ dU + U.T @ dU", {}),
    (4.4, "dc", "dc + dh * o * (1 - g ** 2)", {"names": ["dh", "o", "g"], "deep": True}),
]


@pytest.mark.parametrize(("cost", "written", "meant", "given"), GROWN, ids=shown)
def test_a_factor_or_a_term_was_left_out(cost, written, meant, given):
    assert listed(written, **given).get(meant) == pytest.approx(cost)


def test_every_kind_of_growth_is_cheaper_than_another_expression():
    grown = [
        *(*growing.WITH_A_SIZE, *growing.SLOPES, *growing.WITH_A_NAME, *growing.WITH_A_TERM),
        growing.OVER_A_SIZE,
    ]
    assert max(kind.cost for kind in grown) < 3.0
    assert len({kind.name for kind in grown}) == len(grown)


RENAMED = [
    (1.2, "df * f * (1 - f)", "df * i * (1 - i)", {"names": ["f", "i"]}),
    (1.0, "bf * bf", "bf * bi", {"names": ["bf", "bi"]}),  # in one place only
    (1.2, "c * dh * (1 - dc)", "c * dc * (1 - dh)", {"names": ["dh", "dc"]}),
    (1.2, "gates['i'] * (1 - gates['i'])", "gates['f'] * (1 - gates['f'])", {"keys": ("i", "f")}),
    (1.2, "np.tanh(c) * np.tanh(g)", "c * g", {}),
    (1.8, "z[:, :D], z[:, D:]", "(z[:, :n], z[:, n:])", {"sizes": ("n",)}),
    (1.8, "z[:, :D], z[:, D:]", "(z[:, n:], z[:, :n])", {"sizes": ("n",)}),
    (1.0, "dh, dc, dW", "(dW, dc, dh)", {}),
]


@pytest.mark.parametrize(("cost", "written", "meant", "given"), RENAMED, ids=shown)
def test_names_keys_and_sizes_throughout(cost, written, meant, given):
    assert listed(written, **given).get(meant) == cost


def test_a_letter_is_another_in_all_names_at_once():
    """da_f and f stand for da_i and i, which two exchanges of one name would not give."""
    given = {name: np.ones((B, H)) for name in ("da_f", "da_i", "f", "i")}
    stuff = Material(tree("da_f * f"), given, tuple(given))
    texts = [edit.text for edit in edits(ast.parse("d = da_f * f").body[0], stuff)]
    assert "da_i * i" in texts


ELSEWHERE = [
    (1.1, "d[n, 0] -= 1", "d[n, y[n]] -= 1"),
    (1.1, "d[0] = dh", "d[n] = dh"),
    (1.2, "dE[y] += dh", "np.add.at(dE, y, dh)"),
    (1.2, "dE[y] -= dh", "np.subtract.at(dE, y, dh)"),
    (1.2, "dE[y] = dh", "np.add.at(dE, y, dh)"),
    (1.0, "da[:, :D] = dh", "da[:, D:] = dh"),
]


@pytest.mark.parametrize(("cost", "written", "meant"), ELSEWHERE)
def test_a_value_goes_elsewhere(cost, written, meant):
    value = written.partition("= ")[2]
    assert listed(value, statement=written, whole=("n", "y")).get(meant) == cost


@pytest.mark.parametrize("statement", ["d = dh", "return dh", "d = np.add.at(dE, y, dh)"])
def test_a_whole_name_has_no_other_entries(statement):
    node = ast.parse(statement).body[0]
    assert all(edit.instead is None for edit in edits(node, material("dh", ["dh"])))


def test_another_sign_of_the_statement():
    assert listed("dh", signs=("=", "-="))["-= dh"] == 1.1


def test_what_gives_nothing_but_zeros_was_never_derived():
    """Written anew it is cheap; a value that was derived is rather edited."""
    anew = listed("np.zeros_like(dc)", ["dh", "f", "dc"])["dh * f"]
    assert anew < 2.0 < 3.0 < listed("np.sin(c)", ["dh", "f"])["dh * f"]


def test_only_what_keeps_the_shape_is_put_to_a_term():
    found = listed("dc", ["dc", "f", "W", "x"])
    assert "dc * f" in found
    assert not {"dc * W", "dc * x", "dc + W", "W", "dc + x"} & set(found)
    assert fits((1, H), (B, H))
    assert not fits((B, H), (1, H))


def test_trees_are_made_only_when_they_are_asked_for():
    def never():
        raise AssertionError

    assert Edit(1.0, never).cost == 1.0


def test_what_is_in_sight_is_evaluated_once():
    """A term that calls an expensive function is asked for its shape again and again."""
    calls = []

    def slow(value):
        calls.append(value)
        return value

    stuff = material("slow(c) + dh", ["c", "dh", "dc", "f"], siblings=["slow(f)"])
    stuff = Material(**{**vars_of(stuff), "space": {**stuff.space, "slow": slow}})
    assert len(list(edits(ast.parse("d = slow(c) + dh").body[0], stuff))) > 50
    assert len(calls) == 2


def vars_of(stuff):
    return {
        name: getattr(stuff, name) for name in Material.__dataclass_fields__ if name != "shapes"
    }


ORDER = """
import ast
import numpy as np
from gradcheck.lines.edits.edit import Material
from gradcheck.lines.edits.every import edits

line = ast.parse("d = df * f * np.tanh(c) * np.exp(g)").body[0]
names = ["df", "di", "f", "i", "c", "g", "dc"]
space = {"np": np, **dict.fromkeys(names, np.ones((2, 3)))}
print([edit.text for edit in edits(line, Material(line.value, space, tuple(names)))])
"""


def test_the_order_is_the_same_in_every_process():
    """No set of strings decides which of two mends is told first."""
    told = set()
    for seed in "12":
        done = subprocess.run(
            [sys.executable, "-c", ORDER],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        told.add(done.stdout)
    assert len(told) == 1
    assert "di * i * np.tanh(c)" in told.pop()


def test_the_commonest_slips_come_first():
    found = list(edits(ast.parse("d = dh * c").body[0], material("dh * c", ["dh", "c", "f"])))
    costs = [cost for cost, _ in itertools.groupby(sorted(edit.cost for edit in found))]
    assert costs[0] == 1.0
    assert costs[-1] > 3.0
