"""What Hypothesis draws covers what hides mistakes: sizes of 1, equal sizes, every regime."""

from collections import Counter
from pathlib import Path

import pytest

from gradcheck.cells.unrolled import unroll
from gradcheck.checking.check import Check
from gradcheck.checking.explore import Draws, Plan, search
from gradcheck.drawing.draw import EXTREME, REGIMES
from gradcheck.evidence import Examiner
from gradcheck.finding import Right, Wrong
from gradcheck.source.cases import read

FOLDER = Path(__file__).parents[2] / "cases"
CASES = [FOLDER / f"{name}.py" for name in ("gru", "lstm", "rnn")]


def examples_of(cell, time=None, profile="default"):
    seen = []

    def judge(evidence):
        seen.append(evidence.example)
        return Right()

    search(Check("all", "fd", "dx", Examiner(cell), judge, time), Plan(profile))
    return seen


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_default_examples_of_every_case_cover_what_hides_mistakes(path):
    for cell in read(path):
        seen = examples_of(cell)
        assert len(seen) == 100
        regimes = Counter(example.regime for example in seen)
        assert min(regimes[regime] for regime in REGIMES) >= 5
        sizes = [dict(example.sizes) for example in seen]
        names = cell.size_names
        for name in names:
            others = [[size for n, size in one.items() if n != name] for one in sizes]
            alone = sum(
                one[name] == 1 and min(rest) > 1 for one, rest in zip(sizes, others, strict=True)
            )
            assert alone >= 2, f"{name} is seldom the only size that is 1"
            for other in names:
                if name < other:
                    assert any(one[name] == one[other] > 1 for one in sizes)
        different = sum(len(set(one.values())) == len(names) for one in sizes)
        assert different >= 50
        assert {size for one in sizes for size in one.values()} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_unrolled_examples_start_at_no_step_at_all(path):
    for cell in read(path):
        over_time = unroll(cell)
        assert over_time is not None
        steps = Counter(
            dict(example.sizes)["T"] for example in examples_of(over_time.cell, over_time.time)
        )
        assert set(steps) == {0, 1, 2, 3, 4, 5}


def test_profiles_differ_in_number():
    (cell,) = read(CASES[0])
    assert len(examples_of(cell, profile="fast")) == 20


def test_a_failure_shrinks_to_the_smallest_sizes_the_plainest_regime_and_seed_0():
    (cell,) = read(CASES[0])

    def judge(evidence):
        wrong = dict(evidence.example.sizes)["B"] > 1
        return Wrong("zero-term") if wrong else Right()

    record = search(Check("x", "fd", "law", Examiner(cell), judge))
    assert str(record.failure[0]) == "B=2, D=1, H=1, seed=0, regime=ordinary"


def test_the_same_run_twice_draws_the_same_examples_and_a_seed_draws_others():
    (cell,) = read(CASES[0])
    assert examples_of(cell) == examples_of(cell)

    def with_seed(seed):
        seen = []

        def judge(evidence):
            seen.append(evidence.example)
            return Right()

        check = Check("x", "fd", "law", Examiner(cell), judge)
        search(check, Plan("fast", seed))
        return seen

    assert with_seed(1) == with_seed(1) != with_seed(2)


def test_at_the_sizes_of_use_few_examples_are_drawn_and_none_of_extreme_numbers():
    cell = read(FOLDER / "lstm.py")[0]
    check = Check("all", "fd", "dx", Examiner(cell), lambda evidence: Right())
    plan = Plan(sizes={"H": 512, "D": 512, "B": 16})
    drawn = Draws.of(check, plan, 0)(check.examiner)
    assert len(drawn) == 4
    assert all(dict(example.sizes) == {"B": 16, "D": 512, "H": 512} for example in drawn)
    many = Draws.of(check, Plan(sizes=plan.sizes, most=40), 0)(check.examiner)
    assert {example.regime for example in many} == set(REGIMES) - set(EXTREME)
