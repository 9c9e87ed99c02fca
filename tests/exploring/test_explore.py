"""What a run finds: the faults with the smallest example, what holds over all, and the database."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis.database import InMemoryExampleDatabase

from gradcheck.checking.remembered import Remembered
from gradcheck.cli import main
from gradcheck.exploring import report
from gradcheck.exploring.judge import judge
from tests.exploring.helpers import RIGHT, Here

ROOT = Path(__file__).parents[2]
WRONG = RIGHT.replace("dx = 2 * dy", "dx = 2.5 * dy")
ZERO = """
def constant(x: "N", z: "N"):
    y = 2 * x

    def backward(dy):
        return 2 * dy, np.zeros_like(z)

    return y, backward
"""
NUMPY = "import numpy as np\n\n"


def test_right_cells_are_right_and_counted(project):
    found, told = project.explored(examples=150)
    assert found.ok
    assert found.units == len(told) == 2
    by_label = {one.label: one for one in found.results}
    assert by_label["dx[fd]"].examples == 150
    assert by_label["dx[fd]"].file == "cases/scaled.py"
    assert by_label["law[linear]"].examples == 25 + 50  # a default run, and so many of each


def test_a_fault_is_told_once_with_its_smallest_example_and_the_command_that_repeats_it(project):
    project.write(WRONG)
    found, _ = project.explored(examples=150, sizes=(("N", 2),))
    assert not found.ok
    (fault,) = found.faults
    assert (fault.failing, fault.units) == (2, 2)
    assert report.fault(fault) == (
        "cases/scaled.py::scaled::dx[fd]: dx disagrees with the complex step in its one entry, by "
        "2.5e-01 of\nits size.\n"
        "The smallest cell that shows it: N=1, seed=0, regime=ordinary\n"
        "It fails from 2 of 2 seeds.\n"
        'To repeat it: gradcheck check "cases/scaled.py::scaled" --only "dx[fd]" --seed 1 '
        "--size N=2"
    )
    assert [one.passed for one in found.results if one.label == "dx[fd]"] == [False]


def test_the_page_on_exploring_shows_what_is_printed(project):
    page = (ROOT / "docs" / "exploring.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```\n(.*?)\n```$", page, re.M | re.S)
    case = (ROOT / "cases" / "rnn.py").read_text(encoding="utf-8")
    project.path.joinpath("cases", "scaled.py").unlink()
    project.write(case.replace("da.sum(axis=0)", "da.mean(axis=0)"), "rnn")
    found, _ = project.explored(examples=100, seed=7)
    assert shown in [report.fault(one) for one in found.faults]


def test_the_page_on_exploring_names_every_option():
    page = (ROOT / "docs" / "exploring.md").read_text(encoding="utf-8")
    options = [one.opts[0] for one in main.commands["explore"].params if one.name != "cases"]
    assert [option for option in options if option not in page] == ["--reference"]  # as elsewhere


def test_the_command_says_how_many_examples_where_that_is_not_as_always(project):
    project.write(WRONG)
    found, _ = project.explored(examples=2, reference="twins")
    (fault,) = found.faults
    assert report.command(fault.unit, fault.label).endswith(
        '--only "dx[fd]" --seed 1 --examples 2 --reference twins'
    )


def test_what_fails_is_remembered_under_the_name_of_its_node(project):
    project.write(WRONG)
    database = InMemoryExampleDatabase()
    project.explored(database=database, sizes=(("N", 2),))
    assert Remembered(database, "cases/scaled.py::scaled::dx[fd]", {"N": 2}).examples
    assert not Remembered(database, "cases/scaled.py::scaled::dx[fd]", {}).examples
    assert not Remembered(database, "cases/scaled.py::scaled::law[linear]", {"N": 2}).examples


def test_a_gradient_that_is_zero_throughout_all_units_fails(project):
    project.write(NUMPY + ZERO)
    found, _ = project.explored(examples=150)
    (fault,) = found.faults
    assert report.fault(fault) == (
        "cases/scaled.py::constant::dz[fd]: dz is zero in every example, as is the true gradient.\n"
        "z does not reach the outputs: use it in the forward, or make it a constant, "
        '`*, z: "N"`.\n'
        'To repeat it: gradcheck check "cases/scaled.py::constant" --only "dz[fd]" --seed 1'
    )


def test_few_judged_examples_are_counted_over_all_units(project):
    """One unit of two examples may have had bad luck; all of them together have not."""

    def does(unit):
        outcome = judge(unit)
        return unlucky(outcome) if unit.examples == 2 else outcome

    found, _ = project.explored(Here(does), examples=102)
    assert found.ok
    project.path.joinpath("journal.jsonl").unlink()
    found, _ = project.explored(Here(lambda unit: unlucky(judge(unit))), examples=102)
    (said,) = [one.failure.said for one in found.faults if one.label == "dx[fd]"]
    assert said.startswith("dx could be judged in only 0 of 102 examples.\n")


def unlucky(outcome):
    """The same, had rounding hidden everything."""
    counts = [
        replace(
            one,
            result=replace(one.result, unjudged={"rounding": one.result.examples}),
            complains=one.result.oracle == "fd",
        )
        for one in outcome.counts
    ]
    return replace(outcome, counts=tuple(counts))


def test_what_raises_ends_no_run_and_is_told_once_for_all_seeds(project):
    project.write(RIGHT.replace("scaled", "other"), "other")

    def does(unit):
        if unit.cell == "other":
            project.write("raise RuntimeError('gone')\n", "other")
        return judge(unit)

    found, _ = project.explored(Here(does), examples=250)
    assert not found.ok
    assert {one.cell for one in found.results} == {"scaled"}
    assert report.text(found, colour=False).startswith(
        "cases/other.py::other could not be explored.\n"
        "cases/other.py, or its twin, is not what it was when the run began.\n"
        "And so for 2 more seeds.\n"
    )


def test_a_worker_that_does_not_see_the_files_says_so(project):
    def does(unit):
        (project.path / "cases" / "scaled.py").unlink(missing_ok=True)
        return judge(unit)

    found, _ = project.explored(Here(does))
    assert [one.error for one in found.errors] == [
        f"A worker cannot read {project.path}/cases/scaled.py.\nIt needs the cells and their twins "
        "under the same paths: start it where the files are, or share the folder."
    ]


def test_the_report_ends_with_the_table_and_a_sum(project):
    found, _ = project.explored()
    text = report.text(found, colour=False)
    assert text.split()[:3] == ["cell", "gradients", "examples"]
    checks = len(found.results)
    assert re.search(
        rf"\n\n{2 * checks} examples of {checks} checks in 1 unit and \d+ s: none failed\.\n$", text
    )


@pytest.mark.parametrize(
    ("seconds", "said"), [(3, "3 s"), (119, "119 s"), (600, "10 min"), (9000, "2.5 h")]
)
def test_a_time_is_told_in_what_suits_it(project, seconds, said):
    assert report.time(seconds) == said
