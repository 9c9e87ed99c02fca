"""What a file declares holds for the cells that are built from it, in another file."""

import textwrap
from pathlib import Path

import pytest

from gradcheck import check
from gradcheck.cells.cell import Cell
from gradcheck.source.cases import Malformed, read
from gradcheck.source.listing import Listing

# Right only where s is a constant.
HELD = """
    import numpy as np

    def held(x: "B D", w: "D"):
        s{declared} = np.tanh(x)
        y = s * x * w

        def backward(dy{zero}):
            return dy * s * w, (dy * s * x).sum(axis=0)

        return y, backward

    def apart(x: "B D"):
        r: "kink where x = 0" = np.maximum(x, 0)

        def backward(dr):
            return dr * (x > 0)

        return r, backward
"""
BUILT = """
    {imports}

    def built(x: "B D", w: "D"):
        y, step = {call}(x, w)

        def backward(dy):
            return step(dy)

        return y, backward
"""
CONSTANT = ': "constant"'
IMPORTS = {
    "held": "from held import held",
    "part": "from held import held as part",
    "held.held": "import held",
    "part.held": "import held as part",
    "helper": "from between import helper",
}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def write(name: str, text: str) -> None:
        Path(f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")

    def build(call: str = "held", declared: str = CONSTANT, zero: str = "") -> Path:
        write("held", HELD.format(declared=declared, zero=zero))
        write("between", "from held import *\n\ndef helper(x, w):\n    return held(x, w)\n")
        write("built", BUILT.format(imports=IMPORTS[call], call=call))
        return Path("built.py")

    return build


def only(path: Path) -> Cell:
    (cell,) = read(path)
    assert isinstance(cell, Cell)
    return cell


@pytest.mark.parametrize("call", IMPORTS)
def test_what_an_imported_cell_declares_holds_for_the_one_built_from_it(built, call):
    path = built(call)
    assert [str(contract) for contract in only(path).contracts] == ["s: constant"]
    assert check(path).ok


def test_what_it_does_not_declare_is_a_failure(built):
    report = check(built(declared=""))
    assert not report.ok
    assert "dx disagrees with the complex step" in str(report)


def test_the_lines_are_followed_under_what_is_declared_elsewhere(built):
    listing = Listing.of(built(), "built")
    assert [str(contract) for contract in listing.contracts] == ["s: constant"]
    path = Path("built.py")
    text = path.read_text(encoding="utf-8").replace("return step(dy)", "return step(2 * dy)")
    path.write_text(text, encoding="utf-8")
    assert "write return step(dy)" in " ".join(str(check(path)).split())


def test_a_cotangent_of_an_imported_cell_is_not_that_of_the_one_built_from_it(built):
    path = built(zero=': "zero"')
    assert [str(contract) for contract in only(path).contracts] == ["s: constant"]


def test_a_declaration_that_cannot_be_read_is_told_with_its_file(built):
    (found,) = read(built(declared=': "const"'))
    assert isinstance(found, Malformed)
    assert found.message == (
        "held.py cannot be imported.\n"
        'Line 5 declares s: "const", which is no contract.\n'
        'Write "kink where a = 0", "slope clipped where a < 1e-6" or "constant" '
        "(docs/contracts.md)."
    )
