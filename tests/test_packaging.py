"""What is installed: the wheel, the sdist, and what the plugin costs a project without cases."""

import configparser
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
THIN = {"gradcheck", "gradcheck.plugin"}


def run(*command, cwd, path=""):
    environment = {**os.environ, "PYTHONPATH": str(path)}
    for name in ("PYTEST_ADDOPTS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_XDIST_WORKER"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    run("-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=ROOT)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder for the path, where the wheel lies as pip would have laid it."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_holds_the_package_and_nothing_else(installed):
    package = {path for path in (ROOT / "gradcheck").rglob("*") if path.is_file()}
    package = {path for path in package if path.suffix != ".pyc"}
    shipped = {path.relative_to(installed) for path in installed.rglob("*") if path.is_file()}
    about = {path for path in shipped if path.parts[0].endswith(".dist-info")}
    assert shipped - about == {path.relative_to(ROOT) for path in package}
    assert {Path("gradcheck/py.typed"), Path("gradcheck/paper/grammar.lark")} <= shipped
    names = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "LICENSE"}
    assert {path.name for path in about} == names


def test_the_wheel_announces_the_plugin_and_the_command_line(installed):
    (path,) = installed.glob("*.dist-info/entry_points.txt")
    points = configparser.ConfigParser()
    points.read_string(path.read_text(encoding="utf-8"))
    assert {section: dict(points[section]) for section in points.sections()} == {
        "console_scripts": {"gradcheck": "gradcheck.cli:main"},
        "pytest11": {"gradcheck.plugin": "gradcheck.plugin"},
    }


def test_pytorch_is_an_extra(installed):
    (path,) = installed.glob("*.dist-info/METADATA")
    told = HeaderParser().parsestr(path.read_text(encoding="utf-8"))
    needed = told.get_all("Requires-Dist")
    assert [line for line in needed if line.startswith("torch") and "extra" not in line] == []
    assert any(re.fullmatch(r"torch>=[\d.]+; extra == 'torch'", line) for line in needed)


def test_the_sdist_builds_the_wheel(wheel, tmp_path):
    run("-m", "hatchling", "build", "--target", "sdist", "--directory", tmp_path, cwd=ROOT)
    (sdist,) = tmp_path.glob("*.tar.gz")
    run("-m", "tarfile", "--extract", sdist, tmp_path, cwd=tmp_path)
    source = tmp_path / sdist.name.removesuffix(".tar.gz")
    run("-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path, cwd=source)
    (again,) = tmp_path.glob("*.whl")
    assert sorted(zipfile.ZipFile(again).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())


def test_an_installed_copy_checks_a_strangers_cells(installed, tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\ngradcheck_cases = cells\n", encoding="utf-8")
    case = (ROOT / "cases" / "rnn.py").read_text(encoding="utf-8")
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "rnn.py").write_text(case, encoding="utf-8")
    arguments = ("-m", "pytest", "-p", "no:cacheprovider", "-q", "-k", "db and fd")
    assert "1 passed" in run(*arguments, cwd=tmp_path, path=installed)


def test_an_installed_copy_reads_equations(installed, tmp_path):
    notes = "shapes: x: N\noutputs: y\nforward:\ny = tanh(x)\nbackward:\ndx = dy * (1 - y²)\n"
    (tmp_path / "notes.md").write_text(notes, encoding="utf-8")
    printed = run("-m", "gradcheck", "proofread", "notes.md", cwd=tmp_path, path=installed)
    assert "every line is right" in printed


def test_a_project_without_cases_loads_neither_the_engine_nor_its_libraries(installed, tmp_path):
    (tmp_path / "test_other.py").write_text("def test_nothing(): pass\n", encoding="utf-8")
    (tmp_path / "conftest.py").write_text(
        "import sys\n"
        "from pathlib import Path\n\n"
        "def pytest_unconfigure():\n"
        "    plugin = sys.modules['gradcheck.plugin'].__file__\n"
        "    Path('loaded.txt').write_text('\\n'.join([plugin, *sys.modules]), 'utf-8')\n",
        encoding="utf-8",
    )
    run("-m", "pytest", "--collect-only", "-q", cwd=tmp_path, path=installed)
    plugin, *loaded = (tmp_path / "loaded.txt").read_text(encoding="utf-8").splitlines()
    assert plugin == str(installed / "gradcheck" / "plugin.py")
    assert {name for name in loaded if name.startswith("gradcheck")} <= THIN
    libraries = {"torch", "numpy", "lark", "rich", "matplotlib"}
    assert libraries & set(loaded) == set()


def test_what_is_tried_as_the_oldest_is_the_oldest_that_is_allowed():
    allowed = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["torch"]]
    allowed = dict(line.split(">=") for line in allowed)
    lines = (ROOT / ".github" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    tried = dict(line.split("==") for line in lines if not line.startswith("#"))
    assert set(tried) == set(allowed)
    for name, bound in allowed.items():
        assert tried[name].removesuffix(".0").startswith(bound.removesuffix(".0")), name


def test_every_supported_python_is_announced_and_tried():
    workflow = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    (line,) = re.findall(r"^ +python: \[(.*)\]$", workflow, flags=re.M)
    tried = re.findall(r"[\d.]+", line)
    start = "Programming Language :: Python :: 3."
    announced = [c.split(" :: ")[-1] for c in PROJECT["classifiers"] if c.startswith(start)]
    assert tried == announced
    assert PROJECT["requires-python"] == f">={tried[0]}"


def test_it_is_cited_as_the_version_that_it_is():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(rf"^version: {re.escape(PROJECT['version'])}$", citation, flags=re.M)
