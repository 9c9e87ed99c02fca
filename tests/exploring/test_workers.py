"""Real workers: processes, and a Dask scheduler's; one is killed during the run, one comes late.

A cell is read by each unit, and waits for a gate, so that nothing hangs on how fast anything is.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gradcheck.errors import CaseError
from gradcheck.exploring import cluster
from gradcheck.exploring.cluster import Cluster
from gradcheck.exploring.crew import killer
from gradcheck.exploring.processes import Processes
from tests.exploring.helpers import RIGHT, until

ROOT = Path(__file__).parents[2]
UNITS = 5

# In a worker alone: it says that it has a unit, and waits until the gate is open.
GATE = """
import os
import time
from pathlib import Path

if "GATE" in os.environ:
    gate = Path(os.environ["GATE"])
    (gate / str(os.getpid())).touch()
    while not (gate / "open").exists():
        time.sleep(0.02)
"""


@pytest.fixture
def gate(project, monkeypatch):
    """The gate of a project with several cells; workers that start from now on wait at it."""
    project.path.joinpath("cases", "scaled.py").unlink()
    for k in range(UNITS):
        project.write(GATE + RIGHT.replace("scaled", f"cell{k}"), f"cell{k}")
    folder = project.path / "gate"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return folder


@contextmanager
def meanwhile(play):
    """Something that goes on beside a run, and whose errors are the test's."""
    raised = []

    def played():
        try:
            play()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=played)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    assert raised == []


def assert_each_cell_once(found, told):
    assert found.errors == ()
    assert Counter(one.unit.cell for one in told) == {f"cell{k}": 1 for k in range(UNITS)}
    assert {one.examples for one in found.results} == {2}


def test_a_process_that_is_killed_takes_no_unit_with_it(project, gate, monkeypatch):
    crew = Processes(2)

    def play():
        try:
            until(lambda: len(list(gate.iterdir())) == 2)
            os.kill(crew.pids[0], signal.SIGKILL)
            until(lambda: len(list(gate.iterdir())) == 3)  # another in its place
        finally:
            (gate / "open").touch()

    with closing(crew), meanwhile(play):
        found, told = project.explored(crew, before=lambda: monkeypatch.setenv("GATE", str(gate)))
    assert_each_cell_once(found, told)


def test_processes_end_when_the_crew_is_closed(project, gate, monkeypatch):
    crew = Processes(1)
    with closing(crew):
        project.explored(crew)
        (pid,) = crew.pids
    until(lambda: not alive(pid))


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def dask(project, tmp_path):
    """A function that starts a worker, or whatever else ``dask`` starts; all end with the test."""
    pytest.importorskip("distributed")
    processes = []

    def start(what, *arguments, **environment):
        command = [sys.executable, "-m", "dask", what, "--scheduler-file", "scheduler.json"]
        command += ["--no-dashboard", *arguments]
        with (tmp_path / f"{what}.log").open("a") as log:
            processes.append(
                subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **environment})
            )
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()


def address(path):
    until(lambda: path.exists() and path.read_text().rstrip().endswith("}"))  # written whole
    return json.loads(path.read_text())["address"]


def test_of_a_cluster_one_worker_is_killed_and_one_comes_late(project, gate, dask):
    dask("scheduler", "--host", "127.0.0.1", "--port", "0")
    crew = Cluster(address(project.path / "scheduler.json"))

    def worker():
        return dask("worker", "--no-nanny", "--nthreads", "1", GATE=str(gate))

    def has_begun(process):
        return lambda: (gate / str(process.pid)).exists()

    def play():
        try:
            first, other = worker(), worker()
            until(has_begun(first))
            until(has_begun(other))
            first.kill()
            late = worker()
            until(has_begun(late))
        finally:
            (gate / "open").touch()

    with closing(crew), meanwhile(play):
        found, told = project.explored(crew)
    assert_each_cell_once(found, told)


def test_a_unit_that_ends_every_worker_of_a_cluster_is_given_up(project, dask):
    dask(
        "scheduler",
        *("--host", "127.0.0.1", "--port", "0"),
        DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0",
    )
    project.write("import os\nif 'WORKER' in os.environ:\n    os._exit(1)\n" + RIGHT)
    with closing(Cluster(address(project.path / "scheduler.json"))) as crew:
        dask("worker", "--no-nanny", "--nthreads", "1", WORKER="1", PYTHONPATH=str(ROOT))
        found, told = project.explored(crew)
    assert found.errors == tuple(told)
    assert [one.error for one in told] == [killer(one.unit) for one in told]
    assert found.results == ()


def test_a_scheduler_that_ends_ends_the_run_and_what_was_found_is_kept(project, dask):
    scheduler = dask("scheduler", "--host", "127.0.0.1", "--port", "0")
    where = address(project.path / "scheduler.json")
    with closing(Cluster(where)) as crew:
        scheduler.kill()
        with pytest.raises(CaseError) as error:
            project.explored(crew)
    assert str(error.value) == f"The Dask scheduler at {where!r} is gone."


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("tpc://127.0.0.1:1", "unknown address scheme 'tpc'"),
        ("tcp://127.0.0.1", "missing port number in address '127.0.0.1'"),
        ("tcp://127.0.0.1:1", "Timed out trying to connect to tcp://127.0.0.1:1"),
    ],
)
def test_where_no_scheduler_is_it_says_how_to_start_one(monkeypatch, where, why):
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "SECONDS", 0.1)
    with pytest.raises(CaseError) as error:
        Cluster(where)
    said, advice = str(error.value).splitlines()
    assert said.startswith(f"No Dask scheduler answers at {where!r}: {why}")
    assert advice == (
        "Start one with `dask scheduler`, which prints its address, such as tcp://10.0.0.1:8786."
    )


def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(CaseError) as error:
        Cluster("tcp://127.0.0.1:1")
    assert str(error.value) == "Dask is not installed.\nWrite `pip install 'gradcheck[dask]'`."
