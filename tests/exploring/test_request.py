"""What a request comes to: the units in turn, and what is said of one that cannot be done."""

import itertools

import pytest

from gradcheck.drawing.held import held
from gradcheck.errors import CaseError
from gradcheck.exploring.request import Request, cells
from tests.exploring.helpers import RIGHT


def asked(*given, **other):
    return cells(Request(given or ("cases",), **{"seed": 7, **other}))


def refused(*given, **other):
    with pytest.raises(CaseError) as error:
        asked(*given, **other)
    return str(error.value)


def test_every_cell_has_its_turn_before_any_has_the_next_seed(project):
    project.write(RIGHT.replace("scaled", "other"), "other")
    blocks = [(u.cell, u.seed, u.examples) for u in asked().blocks(250)]
    assert blocks == [
        *[("other", 7, 100), ("scaled", 7, 100)],
        *[("other", 8, 100), ("scaled", 8, 100)],
        *[("other", 9, 50), ("scaled", 9, 50)],
    ]
    assert asked().total(250) == 6


def test_without_a_number_there_is_no_end(project):
    seeds = [unit.seed for unit in itertools.islice(asked().blocks(None), 1000)]
    assert seeds == list(range(7, 1007))


def test_a_file_one_of_its_cells_and_a_folder_are_cells_each_once(project):
    project.write(RIGHT + RIGHT.replace("scaled", "other"))
    assert [u.cell for u in asked("cases/scaled.py::other").units] == ["other"]
    assert [u.cell for u in asked("cases/scaled.py", "cases").units] == ["scaled", "other"]


def test_a_file_that_changes_makes_other_units(project):
    (before,) = asked().units
    project.write(RIGHT + "\n")
    (after,) = asked().units
    assert before.id != after.id


def test_sizes_are_held_where_there_are_such(project):
    project.write(RIGHT.replace("scaled", "other").replace('"N"', '"M"'), "other")
    sizes = (("N", 9),)
    assert [(u.cell, u.sizes) for u in asked(sizes=sizes).units] == [
        ("other", ()),
        ("scaled", sizes),
    ]


def test_what_cannot_be_read_is_kept_beside_the_cells(project):
    project.write("def broken(", "broken")
    meant = asked()
    assert [unit.cell for unit in meant.units] == ["scaled"]
    assert [one.name for one in meant.malformed] == ["broken"]


def test_what_is_asked_for_in_vain_is_said(project):
    (project.path / "empty").mkdir()
    assert refused("none") == (
        "none is no file or folder.\nWrite a folder, FILE or FILE::CELL that is there."
    )
    assert refused("empty") == "empty has no case files: Python files that are no helpers."
    assert refused("cases/scaled.py::scale") == (
        "cases/scaled.py has no cell scale; it has scaled."
    )
    assert refused(sizes=(("K", 3),)) == "No cell has a size 'K'. There is N."


def test_sizes_are_read_one_by_one_and_in_a_row():
    assert held(["H=512,D=4", "B=2"]) == {"H": 512, "D": 4, "B": 2}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["H"], "'H' is no size; write one such as H=8."),
        (["H=8,"], "'' is no size; write one such as H=8."),
        (["H=-8"], "'H=-8' is no size; write one such as H=8."),
        (["H=8.5"], "'H=8.5' is no size; write one such as H=8."),
        (["=8"], "'=8' is no size; write one such as H=8."),
        (["H=8", "H=9"], "H is held at 8 and at 9; write one of them."),
    ],
)
def test_what_is_no_size_is_said(given, said):
    with pytest.raises(CaseError) as error:
        held(given)
    assert str(error.value) == said
