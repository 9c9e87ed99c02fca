"""``gradcheck explore`` as a person in front of a terminal sees it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis.database import DirectoryBasedExampleDatabase

from gradcheck.checking.remembered import Remembered
from gradcheck.cli import main
from gradcheck.exploring import terminal
from gradcheck.exploring.unit import Outcome
from tests.exploring.helpers import RIGHT, Here, until

ROOT = Path(__file__).parents[2]
WRONG = RIGHT.replace("dx = 2 * dy", "dx = 2.5 * dy")
NODE = "cases/scaled.py::scaled::dx[fd]"


@pytest.fixture
def invoked(project, monkeypatch):
    """The command line with a crew of this process."""
    monkeypatch.setattr(terminal, "Processes", lambda count: Here())
    monkeypatch.setattr(terminal, "database", lambda: None)
    return lambda *arguments: CliRunner().invoke(main, ["explore", *map(str, arguments)])


def test_right_cells_end_with_the_table(invoked):
    result = invoked("cases", "--examples", 2)
    assert result.exit_code == 0
    assert re.search(r"\n scaled +1 of 1 ", result.output)
    assert re.search(r"\n\n\d+ examples of \d+ checks in 1 unit and \d+ s: none failed\.\n$",
                     result.output)  # fmt: skip


def test_a_fault_is_told_as_it_is_first_found_and_the_status_says_so(project, invoked):
    project.write(WRONG)
    result = invoked("cases", "--examples", 200, "--seed", 3)
    assert result.exit_code == 1
    assert result.stderr == (
        f"{NODE}: dx disagrees with the complex step in its one entry, by 2.5e-01 of its size.\n"
    )
    assert 'To repeat it: gradcheck check "cases/scaled.py::scaled" --only "dx[fd]" --seed 3\n' in (
        result.stdout
    )


def test_what_repeats_a_fault_repeats_it(project, invoked):
    project.write(WRONG)
    stdout = invoked("cases", "--examples", 150, "--seed", 3).stdout
    (shown,) = re.findall(r"^The smallest cell that shows it: .*$", stdout, re.M)
    (command,) = re.findall(r"^To repeat it: gradcheck (.*)$", stdout, re.M)
    again = CliRunner().invoke(main, [part.strip('"') for part in command.split()])
    assert again.exit_code == 1
    assert shown in again.stdout
    assert "cases/scaled.py:6: dx = 2.5 * dy" in again.stdout


def test_without_a_number_or_hours_there_are_as_many_examples_as_in_the_thorough_profile(
    invoked, monkeypatch
):
    monkeypatch.setattr(terminal, "Processes", lambda count: Here(Outcome))
    result = invoked("cases")
    assert "in 10 units and" in result.stdout


def test_hours_end(invoked):
    result = invoked("cases", "--hours", 1e-9)
    assert result.exit_code == 1  # nothing was put to the test
    assert "0 examples of 0 checks in 0 units and 0 s" in result.stdout


def test_what_cannot_be_read_is_told_beside_what_can(project, invoked):
    project.write("def broken(", "broken")
    result = invoked("cases", "--examples", 2)
    assert result.exit_code == 2
    assert result.stdout.startswith("cases/broken.py")
    assert re.search(r"\n scaled +1 of 1 ", result.stdout)


def test_an_interrupted_run_says_how_to_go_on_and_does(project, monkeypatch, invoked):
    project.write(RIGHT.replace("scaled", "other"), "other")

    def interrupts(unit):
        raise KeyboardInterrupt

    monkeypatch.setattr(terminal, "Processes", lambda count: Here(interrupts))
    result = invoked("cases", "--examples", 2, "--journal", "mine.jsonl")
    assert result.exit_code == 130
    assert result.output == (
        "Interrupted.\nWhat was found is kept. To go on: gradcheck explore --resume mine.jsonl\n"
    )
    monkeypatch.setattr(terminal, "Processes", lambda count: Here())
    result = invoked("--resume", "mine.jsonl")
    assert result.exit_code == 0
    assert "in 2 units" in result.stdout


def test_a_journal_that_nobody_named_is_kept_from_version_control(project, invoked):
    invoked("cases", "--examples", 2)
    invoked("cases", "--examples", 2)
    kept = [path.name for path in (project.path / ".gradcheck").iterdir()]
    assert sorted(name.split("-")[0] for name in kept) == [".gitignore", "explore", "explore"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "There is nothing to explore.\nWrite `gradcheck explore cases`.\n"),
        (
            ["none"],
            "none is no file or folder.\nWrite a folder, FILE or FILE::CELL that is there.\n",
        ),
        (["cases", "--size", "K=3"], "No cell has a size 'K'. There is N.\n"),
        (
            ["cases", "--dask", "tcp://127.0.0.1:1", "--workers", "2"],
            "--workers are processes of this machine; a scheduler has its own.\n",
        ),
        (
            ["cases", "--resume", "mine.jsonl"],
            "--resume goes on with what mine.jsonl asks for; leave out CASES.\n",
        ),
        (
            ["--resume", "mine.jsonl", "--size", "N=3"],
            "--resume goes on with what mine.jsonl asks for; leave out --size.\n",
        ),
        (
            ["--resume", "mine.jsonl", "--seed", "0"],
            "--resume goes on with what mine.jsonl asks for; leave out --seed.\n",
        ),
        (["--resume", "mine.jsonl"], "mine.jsonl cannot be read: No such file or directory.\n"),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_no_journal(project, invoked, arguments, said):
    result = invoked(*arguments)
    assert result.exit_code == 2
    assert result.output == said
    assert not (project.path / ".gradcheck").exists()


def test_what_the_command_line_refuses_itself(invoked):
    for option, value in [("--examples", 0), ("--hours", 0), ("--workers", 0), ("--seed", -1)]:
        assert f"Invalid value for '{option}'" in invoked("cases", option, value).output
    said = invoked("cases", "--size", "H").output
    assert "Invalid value for '--size': 'H' is no size; write one such as H=8." in said


def run(project, *command, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name in ("PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "CI"):  # CI: Hypothesis keeps no database
        environment.pop(name, None)
    command = [sys.executable, "-m", *command]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=project.path, env=environment, stdout=pipe, stderr=pipe, text=True, **options
    )


def test_the_next_run_of_pytest_tries_first_what_exploring_found_until_it_passes(project):
    wrong = "dx = 2 * dy * (1 + (x.size == 5 and 0.3 < x[0] < 0.5) * 1e-3)"
    project.write(RIGHT.replace("dx = 2 * dy", wrong))
    ini = "[pytest]\ngradcheck_cases = cases\naddopts = --hypothesis-profile=fast\n"
    (project.path / "pytest.ini").write_text(ini)
    pytest_run = ("pytest", "-p", "gradcheck.plugin", "-p", "no:cacheprovider", "-q", "-k", "fd")
    before, _ = run(project, *pytest_run).communicate()
    assert "1 passed" in before
    options = ("--seed", "0", "--examples", "300", "--workers", "1")
    explored, _ = run(project, "gradcheck", "explore", "cases", *options).communicate()
    (fault,) = (part for part in explored.split("\n\n") if part.startswith(f"{NODE}: "))
    (shown,) = re.findall(r"^The smallest cell that shows it: .*$", fault, re.M)
    after, _ = run(project, *pytest_run).communicate()
    assert "1 failed" in after
    assert shown in after
    project.write(RIGHT)
    assert "1 passed" in run(project, *pytest_run).communicate()[0]
    database = DirectoryBasedExampleDatabase(project.path / ".hypothesis" / "examples")
    assert Remembered(database, NODE, {}).examples == ()


SLOW = """
import os
import time
from pathlib import Path
""" + RIGHT.replace(
    "    y = 2 * x",
    """    Path(f"begun-{os.getpid()}").touch()
    time.sleep(0.2)
    y = 2 * x""",
)


def test_ctrl_c_ends_all_processes_at_once_and_prints_no_traceback(project):
    project.write(SLOW)
    options = ("--workers", "1", "--journal", "mine")
    started = run(project, "gradcheck", "explore", "cases", *options, start_new_session=True)
    until(lambda: {p.name for p in project.path.glob("begun-*")} - {f"begun-{started.pid}"})
    os.killpg(started.pid, signal.SIGINT)  # as a terminal does
    stdout, stderr = started.communicate()
    assert (started.returncode, stdout) == (130, "")
    assert stderr == (
        "Interrupted.\nWhat was found is kept. To go on: gradcheck explore --resume mine\n"
    )
    until(lambda: not alive(started.pid))


def alive(group):
    """Whether there is a process of a group."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
