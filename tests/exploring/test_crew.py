"""A stream of units: each is done once, also where workers die, and none is begun too late."""

from gradcheck.exploring.crew import TRIES, Died, killer, stream
from gradcheck.exploring.unit import Outcome, Unit
from tests.exploring.helpers import Here

UNITS = [Unit("/cases/a.py", "a", seed) for seed in range(5)]


def never():
    return False


def test_each_unit_comes_back_once_whatever_the_room():
    for room in (1, 3, 50):
        outcomes = list(stream(Here(Outcome, room), iter(UNITS), never))
        assert sorted(one.unit.seed for one in outcomes) == [0, 1, 2, 3, 4]


def test_units_are_taken_as_there_is_room_so_that_they_may_have_no_end():
    taken = []

    def endless():
        for seed in range(10**9):
            taken.append(seed)
            yield Unit("/cases/a.py", "a", seed)

    outcomes = stream(Here(Outcome, 3), endless(), never)
    next(outcomes)
    assert len(taken) == 3


def test_a_unit_that_is_lost_with_its_worker_is_done_again():
    deaths = {2: TRIES - 1}

    def does(unit):
        if deaths.get(unit.seed):
            deaths[unit.seed] -= 1
            raise Died
        return Outcome(unit)

    crew = Here(does, 2)
    outcomes = list(stream(crew, iter(UNITS), never))
    assert sorted(one.unit.seed for one in outcomes) == [0, 1, 2, 3, 4]
    assert [one.error for one in outcomes] == [""] * 5
    assert [unit.seed for unit in crew.given].count(2) == TRIES


def test_a_unit_that_no_worker_lives_through_is_given_up_and_the_others_are_done():
    def does(unit):
        if unit.seed == 2:
            raise Died
        return Outcome(unit)

    outcomes = {one.unit.seed: one.error for one in stream(Here(does), iter(UNITS), never)}
    assert outcomes == {0: "", 1: "", 2: killer(UNITS[2]), 3: "", 4: ""}
    assert killer(UNITS[2]) == (
        "Every worker that was given the examples of seed 2 died of them.\n"
        "They may need more memory than there is: hold smaller sizes, or start fewer workers."
    )


def test_once_it_is_late_no_unit_is_begun_and_those_in_hand_are_waited_for():
    seen = []
    outcomes = stream(Here(Outcome, 2), iter(UNITS), lambda: bool(seen))
    for outcome in outcomes:
        seen.append(outcome.unit.seed)
    assert seen == [0, 1]
