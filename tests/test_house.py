"""The house keeps its form: imports run one way, modules and functions are small, rooms have doors.

Who may import whom is written in pyproject.toml; import-linter reads it.
"""

import ast
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "gradcheck"
MODULES = sorted(PACKAGE.rglob("*.py"))
ROOMS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}

LINES_OF_A_MODULE, LINES_OF_THE_MEDIAN, LINES_OF_A_FUNCTION = 300, 120, 60
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def shown(path):
    return str(path.relative_to(ROOT))


def length(path):
    return len(path.read_text(encoding="utf-8").splitlines())


def arrows(folder):
    """What import-linter says of the package in a folder, and whether it is content."""
    command = [sys.executable, "-c", LINT, "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8")
    return done.returncode == 0, done.stdout + done.stderr


def test_imports_run_one_way_and_in_no_circle():
    content, said = arrows(ROOT)
    assert content, said


@pytest.mark.parametrize(
    ("path", "imported", "named"),
    [
        ("cells/shapes.py", "gradcheck.laws.axes", "gradcheck.cells.shapes -> gradcheck.laws.axes"),
        ("errors.py", "gradcheck.arrays", "gradcheck.errors -> gradcheck.arrays"),
        ("cells/shapes.py", "gradcheck.cells.unrolled", "No cycles are allowed in gradcheck.cells"),
        ("attic.py", "gradcheck.errors", "attic"),
    ],
    ids=["upwards", "between neighbours", "in a circle", "from a room without a place"],
)
def test_an_import_that_runs_the_wrong_way_is_named(tmp_path, path, imported, named):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(PACKAGE, tmp_path / "gradcheck", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "gradcheck" / path).open("a", encoding="utf-8") as file:
        file.write(f"\nimport {imported}\n")
    content, said = arrows(tmp_path)
    assert not content
    assert named in said


def test_no_module_is_long():
    lengths = {shown(path): length(path) for path in MODULES}
    assert {path: n for path, n in lengths.items() if n > LINES_OF_A_MODULE} == {}


def test_the_median_module_fits_two_screens():
    # Without the doors: their few lines would make room for long modules.
    lengths = [length(path) for path in MODULES if path.name != "__init__.py"]
    assert statistics.median(lengths) <= LINES_OF_THE_MEDIAN


def test_no_function_is_long():
    functions = {
        f"{shown(path)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: n for name, n in functions.items() if n > LINES_OF_A_FUNCTION} == {}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_rooms_door_says_what_is_inside_and_is_nothing_else(room):
    tree = TREES[room / "__init__.py"]
    said = ast.get_docstring(tree)
    assert said is not None
    assert len(said.splitlines()) >= 2
    assert len(tree.body) == 1, f"{shown(room)}/__init__.py defines or imports something"


def test_facts_of_a_cell_are_known_by_its_examiner_and_not_by_caches_of_modules():
    """A cached function takes nothing but text and numbers, and no module starts with a memory."""
    found = [
        f"{shown(path)}:{node.lineno}"
        for path, tree in TREES.items()
        for node in [*cached(tree), *filter(is_empty, tree.body)]
    ]
    assert found == []


def cached(tree):
    """The functions with a cache that hold on to more than text and numbers."""
    for node in ast.walk(tree):
        names = {
            n.id
            for d in getattr(node, "decorator_list", [])
            for n in ast.walk(d)
            if isinstance(n, ast.Name)
        }
        if names & {"cache", "lru_cache", "functools"}:
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            if not all(is_plain(argument.annotation) for argument in given):
                yield node


def is_plain(annotation):
    return annotation is not None and ast.unparse(annotation) in ("str", "int", "float", "bool")


def is_empty(statement):
    """Whether a statement makes an empty container, which can only be there to be filled."""
    match getattr(statement, "value", None):
        case ast.Dict(keys=[]) | ast.List(elts=[]):
            return True
        case ast.Call(func=ast.Name(id=name), args=[], keywords=[]):
            return name in ("dict", "list", "set", "defaultdict", "WeakKeyDictionary")
    return False


def test_the_page_on_architecture_draws_every_room_and_names_what_there_is():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    _, drawn, told = page.split("```")
    doors = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py", "__main__.py"}
    there = doors | {f"{room.name}/" for room in ROOMS}
    assert set(re.findall(r"\b\w+(?:\.py|/)", drawn)) == there
    for name in re.findall(r"`(\w+/[\w/.]*|\w+\.py)`", told):
        assert (PACKAGE / name).exists() or (ROOT / name).exists(), name
