"""Every cell that is wrong on purpose turns exactly its gradients red, for both oracles."""

import ast
import difflib
import functools
import re
from pathlib import Path

import pytest

from gradcheck.api import proofread
from gradcheck.cells.cell import Cell
from gradcheck.cells.unrolled import unroll
from gradcheck.checking.check import Check, checks
from gradcheck.checking.explore import Plan, search
from gradcheck.oracles import twins
from gradcheck.source.cases import read

ROOT = Path(__file__).parents[2]
HERE = ROOT / "tests"
MISTAKES = sorted((HERE / "mistakes").glob("*.py"))
HOMES = {ROOT / "cases": ROOT / "reference", HERE / "right": HERE / "right" / "reference"}


def declared(path: Path) -> set[str]:
    """The nodes that the first line promises to turn red, without their oracles."""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# red: "), f"{path.name} does not say what it turns red"
    assert " -- " in first, f"{path.name} does not say why"
    return set(first.removeprefix("# red: ").split(" -- ")[0].split())


def cell_of(path: Path) -> Cell:
    (cell,) = read(path)
    assert isinstance(cell, Cell), cell.message
    return cell


def checks_of(path: Path) -> list[Check]:
    cell = cell_of(path)
    right, reference = home(cell.name)
    twin = twins.find(cell_of(right), reference / right.name)
    assert twin is not None
    return list(checks(cell, twin))


def home(name: str) -> tuple[Path, Path]:
    """The right case of that name, and the folder of its twin."""
    return next((f / f"{name}.py", r) for f, r in HOMES.items() if (f / f"{name}.py").is_file())


@functools.cache
def red_checks(path: Path) -> list[Check]:
    found = []
    for check in checks_of(path):
        if search(check, Plan(shrink=False)).wrong is not None:
            found.append(check)
    return found


@pytest.mark.parametrize("path", MISTAKES, ids=lambda path: path.stem)
def test_exactly_the_declared_gradients_turn_red(path):
    red = {check.label for check in red_checks(path) if check.oracle != "unrolled"}
    promised = declared(path)
    laws = {name for name in promised if name.startswith("law")}
    expected = {f"{name}[{oracle}]" for name in promised - laws for oracle in ("fd", "autograd")}
    assert red == expected | laws


@pytest.mark.parametrize("path", MISTAKES, ids=lambda path: path.stem)
def test_what_is_wrong_in_one_step_is_wrong_over_time(path):
    if unroll(cell_of(path)) is None:
        pytest.skip("a cell of whole sequences is not unrolled once more")
    red = {check.subject for check in red_checks(path) if check.oracle == "unrolled"}
    assert {name for name in declared(path) if not name.startswith("law")} <= red


@pytest.mark.parametrize("path", MISTAKES, ids=lambda path: path.stem)
def test_a_mistake_is_its_case_but_for_one_slip(path):
    right, _ = home(cell_of(path).name)
    ours, theirs = (ast.unparse(_without_docstring(p)).splitlines() for p in (path, right))
    changed = [line for line in difflib.ndiff(theirs, ours) if line[0] in "+-"]
    assert 1 <= len(changed) <= 6, "\n".join(changed)


def declared_lines(path: Path) -> list[tuple[str, str]]:
    """The wrong lines and their mends that a mistake declares below its first line."""
    head = path.read_text(encoding="utf-8").splitlines()[1:]
    wrong = [line.removeprefix("# wrong: ") for line in head if line.startswith("# wrong: ")]
    right = [line.removeprefix("# right: ") for line in head if line.startswith("# right: ")]
    return list(zip(wrong, right, strict=True))


@pytest.mark.parametrize("path", MISTAKES, ids=lambda path: path.stem)
def test_exactly_the_declared_lines_are_wrong_and_mended(path):
    (proof,) = proofread(path)
    found = [
        (re.sub(r"\s+#.*$", "", line.source), line.mends[0])
        for line in proof.lines
        if line.verdict == "wrong"
    ]
    found += [("a line is missing", statement) for statement in proof.absent]
    assert found == declared_lines(path)
    # A mistake in the values has a line at fault; one against a law, or an unfinished one, none.
    assert bool(found) == (proof.verdict == "wrong")


def _without_docstring(path: Path) -> ast.Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if ast.get_docstring(tree) is not None:
        del tree.body[0]
    return tree


def test_the_classic_codes_are_all_there():
    text = " ".join(path.read_text(encoding="utf-8").splitlines()[0] for path in MISTAKES)
    missing = [f"M{k}" for k in range(1, 15) if f"M{k}," not in text]
    assert not missing
    assert len(MISTAKES) >= 24
