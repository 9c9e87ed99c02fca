"""A folder with cells in it, to be explored."""

from types import SimpleNamespace

import pytest

from gradcheck.exploring.explore import explore
from gradcheck.exploring.journal import Journal
from gradcheck.exploring.request import Request, cells
from tests.exploring.helpers import RIGHT, Here


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with cells in it, to be explored from there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cases").mkdir()

    def write(text=RIGHT, name="scaled"):
        (tmp_path / "cases" / f"{name}.py").write_text(text, encoding="utf-8")

    def explored(crew=None, journal=None, database=None, before=lambda: None, **asked):
        request = Request(("cases",), **{"seed": 1, "examples": 2, **asked})
        journal = journal or Journal.new(tmp_path / "journal.jsonl", request)
        meant, told = cells(journal.request), []
        before()
        return explore(journal, meant, crew or Here(), told.append, database), told

    write()
    return SimpleNamespace(path=tmp_path, write=write, explored=explored)
