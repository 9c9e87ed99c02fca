"""What an edit of a line may draw on is what the line can see, and no more."""

import ast

import pytest

from gradcheck.drawing.draw import Example
from gradcheck.lines.material import gathered
from gradcheck.lines.trial import Bench

CELL = """
    def cell(x: "B D", W: "D H", *, y: "B < H", keep=0.5):
        H = W.shape[1]
        gates = {"i": x @ W}
        h = np.tanh(gates["i"][:, :H])

        def backward(dh):
            da = dh * (1 - h**2)
            dx = da @ W.T
            dW = x.T @ da
            return dx, dW

        return h, backward
"""


@pytest.fixture
def material(script):
    read = script(CELL)
    bench = Bench(read, [Example((("B", 2), ("D", 3), ("H", 4)), 1)])
    _, _, spaces = bench.watched(bench.draws[0], {})

    def of(name):
        line = next(line for line in read.lines if not line.absent and name in line.targets)
        return gathered(read, bench.draws[0], line, spaces[line.key])

    return of


def test_names_are_those_in_sight_the_gradients_first(material):
    assert set(material("dx").names) >= {"dh", "da", "x", "W", "h"}
    assert not {"dx", "dW"} & set(material("da").names)
    assert material("dx").names[0].startswith("d")
    assert material("dx").shapes["da"] == (2, 4)


def test_whole_numbers_sizes_keys_and_slices_are_those_of_the_cell(material):
    found = material("dx")
    assert set(found.whole) >= {"H", "y"}
    assert set(found.sizes) >= {"H", "keep", "x.shape[0]", "x.shape[1]"}
    assert "i" in found.keys
    assert "(:, :H)" in [ast.unparse(part) for part in found.slices]
    assert "np.tanh" in found.functions
    assert found.signs == ("+=", "-=")


def test_siblings_are_the_other_lines(material):
    siblings = [ast.unparse(sibling) for sibling in material("dx").siblings]
    assert "x.T @ da" in siblings
    assert "da @ W.T" not in siblings


def test_values_are_those_that_the_line_had(material):
    found = material("dx")
    assert found.shape(found.expression) == (2, 3)
    assert found.value(ast.parse("nowhere", mode="eval").body) is None
