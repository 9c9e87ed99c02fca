"""The lines of planted slips: the sample, what is kept of a run that was stopped, and its page."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from click.testing import CliRunner
from rich.progress import Progress

from benchmarks import mends, mends_page, parts, store, trust
from benchmarks.asked import ANOTHER, BACK, Asked
from benchmarks.faults import ROOT
from benchmarks.store import Store

CASES = [ROOT / "cases" / f"{name}.py" for name in ("rnn", "embedding")]  # three cells
FOUND = [
    Asked("rnn", 17, "a transpose", "dx = da @ W", BACK, seconds=0.5),
    Asked("rnn", 16, "a transpose", "dU = h_prev @ da", BACK, seconds=0.5),
    Asked("qrnn", 49, "a term dropped", "dz = df", ANOTHER, "50 dx = da @ W", 2.0),
]


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    return tmp_path


def test_a_sample_has_every_cell_and_each_slip_as_often_as_the_others():
    found = mends.sample(CASES, 4)
    assert Counter(q.cell for q in found) == {"rnn": 4, "embedding": 4, "embedding_padded": 4}
    assert len({(q.cell, q.line, q.mutant) for q in found}) == 12
    assert found == mends.sample(CASES, 4)
    assert found[:3] == mends.sample(CASES, 1)
    slips = Counter(one.slip for one in mends.measured(found[:6], Kept()))
    assert set(slips.values()) == {1}


class Kept(dict):
    """A store that is gone with the test."""


def test_what_was_asked_is_not_asked_again(monkeypatch):
    kept = Kept()
    questions = mends.sample(CASES[:1], 2)
    found = list(mends.measured(questions[:1], kept))
    asked = []
    monkeypatch.setattr(mends, "ask", lambda *given: asked.append(given) or FOUND[0])
    assert list(mends.measured(questions, kept)) == [*found, FOUND[0]]
    assert len(asked) == 1


def test_the_command_prints_what_did_not_come_back(bench, monkeypatch):
    answers = dict(enumerate(FOUND))
    monkeypatch.setattr(mends, "sample", lambda paths, most: list(answers))
    monkeypatch.setattr(mends, "measured", lambda questions, kept: answers.values())
    told = CliRunner().invoke(mends.main, [str(CASES[0])])
    assert told.output == (
        "qrnn, line 49, a term dropped: `dz = df`; another line: 50 dx = da @ W  (2.0 s)\n"
        "2 of 3 came back as exactly that line with a mend that is right,\n"
        "in 3 s of CPU, at most 2.0 s each.\n"
    )


def test_the_part_of_the_page_names_each_that_did_not_come_back():
    written = mends_page.section(FOUND)
    assert written.startswith("## Is the wrong line named?\n")
    assert "**2 of 3 came back (67 %)**, in a sample of 2 cells and 2 kinds of slip" in (
        " ".join(written.split())
    )
    assert "| a term dropped | 1 | 0 |\n| a transpose | 2 | 2 |" in written
    assert written.endswith(
        "The 1 others (another line: 1), with what was said instead:\n\n"
        "- qrnn, line 49, a term dropped: `dz = df`; another line: `50 dx = da @ W`"
    )
    assert mends_page.section(FOUND[:2]).endswith("\n\nNone was missed.")
    assert mends_page.section([]) == ""


def test_one_part_of_a_page_is_written_anew():
    old = "# Page\n\n## One\n\na\n\n## Is the wrong line named?\n\nold\n\n## Two\n\nb\n"
    new = parts.with_part(old, "## Is the wrong line named?\n\nnew")
    assert new == old.replace("old", "new")
    assert parts.with_part(new, "## Two\n\nc") == new.replace("b\n", "c\n")
    with pytest.raises(ValueError, match="The page has no part '## Three'"):
        parts.with_part(old, "## Three\n\n")


def test_a_store_keeps_what_was_measured_until_the_engine_changes(tmp_path, monkeypatch):
    kept = Store("some", tmp_path)
    assert ("times", 1) not in kept
    kept["times", 1] = replace(FOUND[0], seconds=1.5)
    again = Store("some", tmp_path)
    assert again["times", 1].seconds == 1.5
    assert ("times", 2) not in again
    assert ("times", 1) not in Store("other", tmp_path)
    assert ("times", 1) not in Store("some", tmp_path, anew=True)
    again["times", 1] = 2
    monkeypatch.setattr(store, "_code", lambda: "other code")
    assert ("times", 1) not in Store("some", tmp_path)


def test_a_store_that_is_forgotten_leaves_nothing(tmp_path):
    Store("some", tmp_path).forget()
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_was_stopped_goes_on():
    todo = {("a", 1): (max, (1, 2)), ("b",): (min, (1, 2))}
    kept = Kept({("a", 1): 7})
    with ThreadPoolExecutor(1) as workers, Progress(disable=True) as progress:
        found = trust.run(todo, workers, kept, progress)
    assert found == kept == {("a", 1): 7, ("b",): 1}


def test_the_mends_alone_are_written_on_the_page_as_it_is(bench, monkeypatch):
    output = bench / "trust.md"
    output.write_text("# Page\n\n## Is the wrong line named?\n\nold\n\n## Limits\n\n- one\n")
    monkeypatch.setattr(mends, "sample", lambda paths, most: [most])
    monkeypatch.setattr(trust, "ONE_THREAD", {})
    monkeypatch.setattr(mends, "by_file", lambda questions: {CASES[0]: questions})
    monkeypatch.setattr(trust, "run", lambda todo, *given: dict.fromkeys(todo, FOUND))
    done = CliRunner().invoke(trust.main, ["--only-mends", "--output", str(output)])
    assert done.exit_code == 0, done.output
    written = output.read_text(encoding="utf-8")
    assert written == f"# Page\n\n{mends_page.section(FOUND)}\n\n## Limits\n\n- one\n"
    assert [path.name for path in bench.iterdir()] == ["trust.md"]  # what was kept is forgotten
