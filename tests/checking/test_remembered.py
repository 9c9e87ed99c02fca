"""Examples that failed are tried first, as long as they fail."""

from hypothesis.database import InMemoryExampleDatabase

from gradcheck.checking.check import Check
from gradcheck.checking.explore import Plan, search
from gradcheck.checking.remembered import Remembered
from gradcheck.evidence import Examiner
from gradcheck.finding import Right, Wrong
from tests.helpers import cell_of


def vector(x: "N"):
    y = 2 * x
    return y, lambda dy: (2 * dy,)


def matrix(x: "N M K"):
    y = 2 * x
    return y, lambda dy: (2 * dy,)


def searched(fails, function=vector, **plan):
    """The record of a search, and the examples in the order in which they were asked."""
    asked = []

    def judge(evidence):
        asked.append(evidence.example)
        return Wrong("zero-term") if fails(evidence.example) else Right()

    check = Check("x", "fd", "law", Examiner(cell_of(function)), judge)
    return search(check, Plan(**plan)), asked


def never(example):
    return False


def large(example):
    return dict(example.sizes)["N"] >= 4


def remembering(fails=large, sizes=None, node="cases/a.py::a::dx[fd]"):
    """A database in which a search has kept what it found."""
    database = InMemoryExampleDatabase()
    found = Remembered(database, node, sizes or {})
    searched(fails, seed=5, sizes=sizes or {}, found=found)
    assert len(found.examples) == 1
    return database, found


def test_what_was_found_is_the_first_that_is_asked_and_the_only_one():
    _, remembered = remembering()
    record, asked = searched(large, profile="fast", remembered=remembered)
    assert str(asked[0]) == str(record.failure[0]) == "N=4, seed=0, regime=ordinary"
    assert record.tally.examples == 1
    assert len(remembered.examples) == 1


def test_it_is_looked_at_closely():
    _, remembered = remembering()
    _, asked = searched(large, remembered=remembered)
    assert asked[0].closely


def test_what_passes_is_forgotten_and_the_others_are_asked_as_always():
    _, remembered = remembering()
    record, asked = searched(never, profile="fast", remembered=remembered)
    assert dict(asked[0].sizes) == {"N": 4}
    assert record.failure is None
    assert record.tally.examples == 5
    assert remembered.examples == ()


def test_what_fits_the_shapes_no_more_is_forgotten():
    _, remembered = remembering()
    record, _ = searched(never, matrix, profile="fast", remembered=remembered)
    assert record.failure is None
    assert remembered.examples == ()


def test_nodes_and_held_sizes_remember_each_their_own():
    database, _ = remembering(sizes={"N": 7})
    for node, sizes in [
        ("cases/a.py::a::dx[fd]", {}),
        ("cases/a.py::a::dx[fd]", {"N": 8}),
        ("cases/a.py::a::dx[autograd]", {"N": 7}),
    ]:
        assert Remembered(database, node, sizes).examples == ()


def test_without_a_place_to_keep_it_nothing_is_kept():
    _, remembered = remembering()
    before = remembered.examples
    searched(lambda example: dict(example.sizes)["N"] == 2, remembered=None)
    assert remembered.examples == before
