"""The journal: an interrupted run goes on where it was, and nothing is counted twice."""

import json

import pytest

from gradcheck.errors import CaseError
from gradcheck.exploring.explore import Exploration
from gradcheck.exploring.journal import Journal
from gradcheck.exploring.judge import judge
from tests.exploring.helpers import RIGHT, Here


def interrupted(project, after, **asked):
    """A run that Ctrl-C ended after so many units."""

    def does(unit):
        if len(crew.given) > after:
            raise KeyboardInterrupt
        return judge(unit)

    crew = Here(does)
    with pytest.raises(KeyboardInterrupt):
        project.explored(crew, **asked)
    return Journal.read(project.path / "journal.jsonl")


def counts(found: Exploration):
    return {(one.cell, one.label): (one.examples, one.unjudged) for one in found.results}


@pytest.fixture
def two(project):
    project.write(RIGHT.replace("scaled", "other"), "other")
    return project


def test_a_run_goes_on_and_ends_with_what_the_whole_run_would_have_found(two):
    journal = interrupted(two, 1)
    assert [one.unit.cell for one in journal.outcomes] == ["other"]
    crew = Here()
    found, told = two.explored(crew, journal)
    assert [unit.cell for unit in crew.given] == ["scaled"]
    assert [one.unit.cell for one in told] == ["other", "scaled"]
    (two.path / "journal.jsonl").unlink()
    whole, _ = two.explored()
    assert counts(found) == counts(whole)
    assert found.units == whole.units == 2


def test_a_line_that_was_cut_off_does_not_count_and_what_follows_is_whole(two):
    journal = interrupted(two, 1)
    text = journal.path.read_text()
    journal.path.write_text(text + text.splitlines()[1][:100])
    again = Journal.read(journal.path)
    assert again.outcomes == journal.outcomes
    two.explored(journal=again)
    assert len(Journal.read(journal.path).outcomes) == 2


def test_a_line_that_is_there_twice_counts_once(two):
    journal = interrupted(two, 1)
    with journal.path.open("a") as file:
        file.write(journal.path.read_text().splitlines()[1] + "\n")
    found, _ = two.explored(journal=Journal.read(journal.path))
    assert found.units == 2
    assert {one.examples for one in found.results} == {2}


def test_what_was_found_of_a_file_that_has_changed_is_found_again(two):
    journal = interrupted(two, 1)
    two.write(RIGHT.replace("scaled", "other") + "\n", "other")
    crew = Here()
    found, _ = two.explored(crew, journal)
    assert [unit.cell for unit in crew.given] == ["other", "scaled"]
    assert {one.examples for one in found.results} == {2}


def test_hours_go_on_from_where_they_were(two):
    journal = interrupted(two, 1, hours=1.0)
    lines = journal.path.read_text().splitlines()
    late = {**json.loads(lines[1]), "seconds": 3600.0}
    journal.path.write_text(f"{lines[0]}\n{json.dumps(late)}\n")
    crew = Here()
    found, _ = two.explored(crew, Journal.read(journal.path))
    assert crew.given == []
    assert found.units == 1


def test_units_with_an_error_are_not_noted_so_that_they_are_tried_again(two):
    two.write("import time\nBUILT = 1\n" + RIGHT, "other")

    def does(unit):
        two.write(RIGHT.replace("2", "3"))  # another, while the run goes on
        return judge(unit)

    found, _ = two.explored(Here(does))
    assert [(one.unit.file[-9:], one.error) for one in found.errors] == [
        ("scaled.py", "cases/scaled.py, or its twin, is not what it was when the run began.")
    ]
    assert len(Journal.read(two.path / "journal.jsonl").outcomes) == 1


def test_a_journal_that_is_there_is_not_written_over(project):
    project.explored()
    path = project.path / "journal.jsonl"
    with pytest.raises(CaseError) as error:
        Journal.new(path, Journal.read(path).request)
    assert str(error.value) == (
        f"{path} is there already.\nGo on from it with `--resume {path}`, or name another."
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("not json\n", 1),
        ("[]\n", 1),
        ('{"explore": 0}\n', 1),
        ('{"cases": []}\n', 1),
        ("{whole}\n{}\n", 2),
        ("{whole}\nnonsense\n{}\n", 2),
    ],
)
def test_a_file_that_is_no_journal_is_refused_with_the_line(project, text, line):
    project.explored()
    path = project.path / "journal.jsonl"
    whole = path.read_text().splitlines()[0]
    path.write_text(text.replace("{whole}", whole))
    with pytest.raises(CaseError) as error:
        Journal.read(path)
    assert str(error.value) == (
        f"{path}:{line} is no line of a journal, or one of another version of gradcheck.\n"
        "Start the run again without --resume."
    )


def test_a_journal_that_cannot_be_read_or_written_is_told(project):
    missing = project.path / "none.jsonl"
    with pytest.raises(CaseError, match=r"none\.jsonl cannot be read: No such file or directory\."):
        Journal.read(missing)
    blocked = project.path / "cases" / "scaled.py" / "journal.jsonl"
    with pytest.raises(CaseError, match=r"journal\.jsonl cannot be written: .+\.$"):
        Journal.new(blocked, None)
