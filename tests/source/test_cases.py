"""Reading a case file: what is a cell, and what to write where it is not one yet."""

import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from gradcheck.cells.cell import Cell
from gradcheck.source.cases import Malformed, read

NAME_THEM = (
    "Give each a name, as in `h = ...`, and end the forward with `return h` or `return h, c`."
)
NOT_OUTPUTS = "End the forward with `return (h, c), backward`, or `return y, backward`."


@pytest.fixture
def case(tmp_path, monkeypatch):
    """Write a case file and read it."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="cell.py"):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return read(path)

    return write


def test_a_cell_is_its_signature_and_its_backward(case):
    (cell,) = case("""
        import numpy as np

        def step(x: "B D", h_prev: "B H", W: "D H", *, mask: "B H in {0, 1}", keep=0.5):
            h = (x @ W + h_prev) * mask / keep
            def backward(dh, dy):
                ...
            return (h, h.sum(axis=1)), backward

        def helper(a): return a
        def _private(x: "B"): return x
    """)
    assert isinstance(cell, Cell)
    assert cell.name == "step"
    assert cell.gradients == ("dx", "dh_prev", "dW")
    assert [constant.name for constant in cell.constants] == ["mask", "keep"]
    assert cell.constants[1].value == 0.5
    assert cell.outputs == ("h", "y")
    assert cell.states == (("h_prev", "h"),)
    assert cell.size_names == ("B", "D", "H")
    assert cell.source.line == 4


def test_one_file_may_hold_a_family_and_one_of_it_may_be_malformed(case):
    good, bad = case("""
        def good(x: "B"):
            def backward(dy): return 2 * dy
            return 2 * x, backward

        def bad(x: "B"):
            return 2 * x
    """)
    assert isinstance(good, Cell)
    assert isinstance(bad, Malformed)


def test_annotations_that_are_strings_anyway(case):
    (cell,) = case("""
        from __future__ import annotations
        import numpy as np

        def cell(x: "B"):
            def backward(dy): return 2 * dy
            return 2 * x, backward

        def helper(a: np.ndarray) -> np.ndarray: return a
    """)
    assert cell.arguments[0].shape.text == "B"


def test_an_edit_within_the_same_second_is_seen(case):
    text = 'def cell(x: "B"):\n    def backward(dy): return dy\n    return {} * x, backward\n'
    for factor in (2, 3):
        (cell,) = case(text.format(factor))
        outputs, _ = cell.run({"x": np.ones(1)})
        assert outputs[0] == factor


def test_a_case_may_import_its_neighbours(case, tmp_path):
    (tmp_path / "my_activations.py").write_text("def double(a): return 2 * a\n", encoding="utf-8")
    (cell,) = case("""
        from my_activations import double

        def cell(x: "B"):
            def backward(dy): return double(dy)
            return double(x), backward
    """)
    assert isinstance(cell, Cell)


BODY = "\n    def backward(dy): return 2 * dy\n    return 2 * x, backward\n"
MALFORMED = {
    "shape": (
        'def cell(x: "B)"):' + BODY,
        "The shape string of x cannot be read: 'B)' is not an axis.\n"
        '  "B)"\n    ^\n'
        'Write axes separated by spaces, such as "B D", "4*H" or "H+D H".',
    ),
    "no string": (
        'def cell(x: "B", n):' + BODY,
        'n has no shape string.\nWrite n: "B H", or put a constant that is not differentiated '
        "behind a star: `*, n=...`.",
    ),
    "starred": (
        'def cell(x: "B", *rest):' + BODY,
        "*rest has no shape.\nName every argument and give it a shape.",
    ),
    "labels": (
        'def cell(x: "B", y: "B < V"):' + BODY,
        'y: "B < V" has separate values, and so no gradient.\n'
        'Make it a constant, behind a star: `*, y: "B < V"`.',
    ),
    "default": (
        'def cell(x: "B" = None):' + BODY,
        "x has a default value, but every argument is drawn.\nLeave the default out.",
    ),
    "constant without a value": (
        'def cell(x: "B", *, keep):' + BODY,
        "The constant keep has no value, and no shape string says how to draw it.\n"
        'Write a number, `*, keep=0.9`, or a shape with a domain, `*, keep: "B < V"`.',
    ),
    "constant of another kind": (
        'def cell(x: "B", *, mode="same"):' + BODY,
        "The constant mode is 'same', and no shape string says how to draw it.\n"
        'Write a number, `*, mode=0.9`, or a shape with a domain, `*, mode: "B < V"`.',
    ),
    "a backward that is not returned": (
        'def cell(x: "B"):\n    y = 2 * x\n    def backward(dy): return 2 * dy\n    return y\n',
        f"cell does not return its backward.\n{NOT_OUTPUTS}",
    ),
    "an output without a name": (
        'def cell(x: "B"):\n    return 2 * x\n',
        f"`return 2 * x` does not name its output.\n{NAME_THEM}",
    ),
    "a number": (
        'def cell(x: "B"):\n    return 2.0\n',
        f"cell returns a float alone, without its backward.\n{NOT_OUTPUTS}",
    ),
    "nothing": (
        'def cell(x: "B"):\n    y = 2 * x\n',
        f"cell returns nothing.\n{NOT_OUTPUTS}",
    ),
    "an output twice": (
        'def cell(x: "B"):\n    return x, x, x\n',
        f"`return (x, x, x)` does not name 3 outputs.\n{NAME_THEM}",
    ),
    "outputs and something else": (
        'def cell(x: "B"):\n    return x, x, "backward"\n',
        "cell returns a tuple of 3 (ndarray, ndarray, str), not outputs and backward.\n"
        + NOT_OUTPUTS,
    ),
    "list": (
        'def cell(x: "B"):\n    def backward(dy): return dy\n    return [2 * x], backward\n',
        f"Output 1 of cell is a list, not a NumPy array.\n{NOT_OUTPUTS}",
    ),
    "int64": (
        'def cell(x: "B"):\n    def backward(dy): return dy\n'
        '    return x.astype("int64"), backward\n',
        "y is int64 although every input is float64.\n"
        "Remove the cast, or the buffer of another type, that it went through.",
    ),
    "name of a cotangent": (
        'def cell(x: "B"):\n    def backward(grad): return grad\n    return 2 * x, backward\n',
        "backward's parameter grad does not name an output.\n"
        'Write "d" and the name of the output: dh is the cotangent of h.',
    ),
    "number of cotangents": (
        'def cell(x: "B"):\n    def backward(dh, dc): return dh\n    return 2 * x, backward\n',
        "backward(dh, dc) should take one cotangent for each output, and there is 1 output.\n"
        "Name them after the outputs: `def backward(dh, dc):` for `return (h, c), backward`.",
    ),
    "state of two shapes": (
        'def cell(h_prev: "H", W: "H K"):\n    h = h_prev @ W\n'
        "    def backward(dh): return dh, dh\n    return h, backward\n",
        "h_prev has shape (2,) and h has shape (3,), but they are one state: h is the next step's "
        "h_prev.\nGive them one shape, or one of them another name.",
    ),
    "negative size": (
        'def cell(x: "B-9"):' + BODY,
        "An axis has a negative size at B=2, seed=0, regime=ordinary.\n"
        "Write axes that stay above 0.",
    ),
    "crash": (
        'def cell(x: "B"):\n    y = x / undefined\n    return y, None\n',
        "Its forward fails at B=2, seed=0, regime=ordinary with NameError: name 'undefined' is not "
        "defined\n    cell.py:2: y = x / undefined",
    ),
    "only constants": (
        'def cell(*, x: "B"):' + BODY,
        None,
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_cell_is_told_what_to_write(case, name):
    text, expected = MALFORMED[name]
    (cell,) = case(text)
    assert isinstance(cell, Malformed)
    expected = expected or "every argument is a constant: there is no gradient to check."
    assert cell.message == f"cell.py:1: cell is not a cell yet.\n{expected}"


NO_CELL = (
    "cell.py defines no cell: no function has a shape string for each argument.\n"
    'Write, for instance, `def cell(x: "B D", W: "D H", b: "H"):`; docs/shapes.md has the grammar.'
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", NO_CELL),
        ("def sigmoid(a): return a", NO_CELL),
        ("class Cell:\n    def forward(self): ...", NO_CELL),
        ("def cell(:", "cell.py:1 is not Python: invalid syntax.\n    def cell(:"),
        (
            "import no_such_module",
            "cell.py cannot be imported: ModuleNotFoundError: No module named 'no_such_module'\n"
            "    cell.py:1: import no_such_module",
        ),
        (
            "import sys\nsys.exit(3)",
            "cell.py cannot be imported: SystemExit: 3\n    cell.py:2: sys.exit(3)",
        ),
    ],
)
def test_a_malformed_file_is_told_what_to_write(case, text, message):
    (found,) = case(text)
    assert isinstance(found, Malformed)
    assert (found.name, found.message) == ("cell", message)


def test_a_file_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (found,) = read(tmp_path / "gone.py")
    assert found.message == "gone.py cannot be read: No such file or directory."


PART = """
    def part(x: "B"):
        def backward(dy): return {slope} * dy
        return 2 * x, backward
"""
SYSTEM = """
    from part import part

    def system(x: "B"):
        y, part_backward = part(x)
        def backward(dy): return part_backward(dy)
        return y, backward
"""


def slope(cell):
    x = np.ones(3)
    _, backward = cell.run({"x": x})
    return backward((x,))[0]


def test_a_case_is_built_from_another_which_is_read_anew_each_time(case):
    def composed(slope):
        case(PART.format(slope=slope), "part.py")
        return case(SYSTEM, "system.py")

    for number in (2, 3, 2):  # of one length, and within one second
        (cell,) = composed(number)
        assert cell.name == "system"  # the part is a cell of its own file
        assert slope(cell) == number
    assert "part" not in sys.modules


def test_each_folder_has_its_own_parts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number, folder in enumerate(("cases", "others"), start=2):
        Path(folder).mkdir()
        for name, text in {"part": PART.format(slope=number), "system": SYSTEM}.items():
            path = Path(folder, f"{name}.py")
            path.write_text(textwrap.dedent(text), encoding="utf-8")
    assert [slope(read(Path(f, "system.py"))[0]) for f in ("cases", "others")] == [2, 3]


def test_a_part_called_like_a_module_of_python_hides_nothing(case):
    case("def part(): return 0", "random.py")
    (cell,) = case("""
        import random
        import tempfile  # it imports random

        def step(x: "B"):
            def backward(dy): return random.Random(0).choice([2]) * dy
            return 2 * x, backward
    """)
    assert slope(cell) == 2


def test_a_part_that_cannot_be_read_is_named(case):
    assert _said(case(SYSTEM, "system.py")) == (
        "system.py cannot be imported: ModuleNotFoundError: No module named 'part'\n"
        "    system.py:2: from part import part"
    )
    case("\n\ndef part(x:\n", "part.py")
    assert _said(case(SYSTEM, "system.py")) == (
        "part.py:3 is not Python: '(' was never closed.\n    def part(x:"
    )
    case("def other(): pass", "part.py")
    assert _said(case(SYSTEM, "system.py")).startswith(
        "system.py cannot be imported: ImportError: cannot import name 'part' from 'part'"
    )


def _said(cells):
    (malformed,) = cells
    assert isinstance(malformed, Malformed)
    return malformed.message
