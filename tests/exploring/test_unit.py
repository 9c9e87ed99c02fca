"""Units and outcomes: the same through JSON, and several of them as if they were one."""

import json
from dataclasses import replace

from gradcheck.checking.result import Result
from gradcheck.exploring.unit import Count, Failure, Outcome, Unit, merged

UNIT = Unit("/a/cases/rnn.py", "rnn", 3, sizes=(("H", 8),), digest="0f")


def result(**other):
    given = {
        **{"file": "cases/rnn.py", "cell": "rnn", "subject": "dW", "oracle": "fd", "passed": True},
        **{"examples": 100, "unjudged": {}, "error": 1e-15, "allowed": 1e-14, "seconds": 1.0},
    }
    return Result(**{**given, **other})


def test_an_outcome_is_the_same_through_json():
    failure = Failure("dW is wrong.", "B=1", 1, (b"\x00\xff",))
    counts = (
        Count(result(contracts=("a",), unjudged={"rounding": 2}), True, 2.0**-52),
        Count(result(passed=False), False, float("inf"), complains=True, failure=failure),
    )
    outcome = Outcome(UNIT, counts)
    assert Outcome.of(json.loads(json.dumps(outcome.to_dict()))) == outcome


def test_the_same_work_has_one_name_and_other_work_another():
    assert UNIT.id == replace(UNIT).id
    assert UNIT.id.startswith("rnn-3-")
    changed = {"seed": 4, "examples": 9, "sizes": (), "digest": "ff", "file": "/b", "cell": "x"}
    names = {replace(UNIT, **{name: value}).id for name, value in changed.items()}
    assert len(names | {UNIT.id}) == 7


def test_several_counts_add_up():
    one = Count(result(unjudged={"rounding": 2}, at_kink=1), False, 2.0**-52)
    other = Count(result(unjudged={"rounding": 1, "float32": 3}, examples=50), True, 2.0**-52)
    both = merged([one, other])
    assert both.result.examples == 150
    assert both.result.unjudged == {"rounding": 3, "float32": 3}
    assert both.result.at_kink == 1
    assert both.result.seconds == 2.0
    assert both.nonzero


def test_the_worst_error_is_that_of_the_finest_numbers():
    double = Count(result(error=3e-15, allowed=2e-14), True, 2.0**-52)
    single = Count(result(error=2e-7, allowed=1e-6), True, 2.0**-23)
    worse = Count(result(error=5e-15, allowed=3e-14), True, 2.0**-52)
    made = merged([double, single, worse]).result
    assert (made.error, made.allowed) == (5e-15, 3e-14)
