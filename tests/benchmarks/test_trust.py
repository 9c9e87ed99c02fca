"""The trust report: its faults are faults, gradcheck catches them, and the page is of this code."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import alarms, measure, mends, page, parts, plan, trust
from benchmarks.alarms import Alarms
from benchmarks.asked import BACK, Asked
from benchmarks.draws import USUAL, Draw, trace
from benchmarks.faults import CASE, FAULTS, RIGHT, step
from benchmarks.measure import OWN, Count, Detected
from benchmarks.mends import Question
from benchmarks.peers import BEST, PEERS

PAGE = (Path(__file__).parents[2] / "docs" / "trust.md").read_text(encoding="utf-8")
NAMES = [fault.name for fault in FAULTS]

# Between them the faults find all that they need: one sample, equal sizes, zeros, saturation.
PLAIN = tuple(Draw((3, 2, 4), seed) for seed in range(3))
SPECIAL = tuple(
    Draw(size, seed, regime)
    for size in ((3, 2, 4), (1, 2, 3), (2, 3, 3))
    for regime in (USUAL, "zeros", "saturated")
    for seed in range(4)
)


@pytest.mark.parametrize("fault", FAULTS, ids=NAMES)
def test_a_fault_is_one_line_of_the_case_and_shows(fault):
    text = CASE.read_text(encoding="utf-8")
    assert len(fault.applied(text).splitlines()) == len(text.splitlines())
    shown = [trace(fault, drawn).shows for drawn in (*PLAIN, *SPECIAL)]
    assert any(shown)
    if not fault.when:
        assert all(shown[: len(PLAIN)])


def test_there_are_many_faults_of_different_names():
    assert len(FAULTS) >= 40
    assert len(set(NAMES)) == len(NAMES)
    codes = {code for fault in FAULTS for code in re.findall(r"\bM\d+\b", fault.what)}
    # M10 is of masks; M18 to M22 are of other cells than a step of an LSTM.
    assert codes >= {f"M{k}" for k in range(1, 18) if k != 10}


def test_right_code_has_no_trace():
    assert not any(trace(RIGHT, drawn).shows for drawn in (*PLAIN, *SPECIAL))


@pytest.mark.parametrize("fault", FAULTS, ids=NAMES)
def test_gradcheck_catches_it_as_pytest_runs_it(fault):
    assert measure.caught_by_pytest(fault)


@pytest.mark.parametrize("regime", [USUAL, "ordinary", "saturated"])
def test_gradcheck_catches_what_shows_on_a_draw(regime):
    draws = (Draw((2, 3, 4), 4, regime),)
    results = measure.detection(OWN, draws, faults=FAULTS[::8])
    assert any(result.total.shown for result in results)
    assert all(result.total.all_caught for result in results)


def test_gradcheck_raises_no_false_alarm_on_a_few_draws():
    found = alarms.own_alarms("ordinary", "float64", (0, 3))
    assert (found.draws, found.alarms) == (3, 0)
    assert set(found.judged) == {"fd", "autograd", "unrolled"}


def test_every_node_of_another_cell_is_asked_for_false_alarms():
    found = alarms.own_alarms_of(CASE.parent / "embedding.py", 1)
    assert found.draws > 14
    assert found.alarms == 0
    assert set(found.judged) >= {"fd", "autograd"}


@pytest.mark.parametrize("size", [(2, 3, 4), (4, 32, 32)])
def test_gradcheck_sees_an_error_in_the_tenth_digit(size):
    """Of an entry that smaller cells do not have, in the second: the fault fails on them."""
    for kind in ("autograd", "fd"):
        assert measure.smallest(f"{OWN} {kind}", size, 1, whole=False) <= 1e-10


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("peer", [*PEERS, *BEST], ids=lambda peer: f"{peer.name}: {peer.settings}")
def test_a_peer_accepts_right_code_and_not_a_sign(peer):
    if not peer.installed:
        pytest.skip(f"{peer.needs} is not installed; `make trust` installs it")
    sign = next(fault for fault in FAULTS if fault.name == "sign of dWi")
    state = np.random.get_state()  # noqa: NPY002  HIPS autograd draws from it
    assert peer.judge(step(RIGHT), Draw((2, 3, 4), 0)) is None
    assert peer.judge(step(sign), Draw((2, 3, 4), 0)) is not None
    np.random.set_state(state)  # noqa: NPY002


def test_the_page_is_of_these_faults_and_settings():
    assert f"**{len(FAULTS)} of {len(FAULTS)}** faults" in PAGE
    rows = re.findall(r"^\| (.*?): .* \| `[+~x.t]+` \|$", PAGE, flags=re.M)
    assert rows == NAMES
    for peer in (*PEERS, *BEST):
        assert f"`{peer.settings}`" in PAGE
    assert "gradcheck: 0 in " in PAGE
    if "quick run" not in PAGE:
        for size in plan.FULL.sizes:
            assert parts.shown(size) in PAGE


def test_the_readme_quotes_the_page():
    def at_512(checker: str) -> str:
        (row,) = re.findall(rf"^\| {checker} \| (.* of .*, .*) \|$", PAGE, flags=re.M)
        return str(row.split(" | ")[-1].split(",")[0])

    said = " ".join((CASE.parent.parent / "README.md").read_text(encoding="utf-8").split())
    assert f"{len(FAULTS)} of {len(FAULTS)} planted faults turn `pytest` red" in said
    assert (
        f"at H = 512, gradcheck sees {at_512('gradcheck')}, PyTorch's `gradcheck` in its fast mode "
        f"{at_512('torch fast')} and JAX's `check_grads` {at_512('JAX')}"
    ) in said
    (draws,) = re.findall(r"gradcheck: 0 in ([0-9,]+) draws of right code", PAGE)
    assert f"in {draws} draws of right code there was no false alarm" in said


def test_the_page_is_written_from_what_is_measured(monkeypatch):
    """Every measurement that is planned has its place; here each has a figure that is made up."""
    made_up = {
        "versions": {"Python": "3"},
        "pytest": {"autograd": True, "fd": True, "law": False},
        "detection": [Detected(fault.name, Count(2, 2), Count(3, 2)) for fault in FAULTS],
        "smallest": 1e-9,
        "alarms": Alarms(4, 1),
        "alarms at": Alarms(4, 1),
        "own alarms": Alarms(20, 0, judged={"fd": 11}, unjudged={"fd": 1}),
        "own alarms at": Alarms(8, 0),
        "own alarms of": Alarms(100, 0),
        "mends": [Asked("rnn", 19, "a transpose", "da", BACK)],
    }
    quick = replace(plan.QUICK, case_draws=1, mends=1)
    monkeypatch.setattr(mends, "sample", lambda paths, most: [Question(CASE, "lstm", 19, "da")])
    found = {key: made_up[key[0]] for key, _ in plan.jobs(quick)}
    written = page.text(quick, trust.gathered(found))
    assert f"**{len(FAULTS)} of {len(FAULTS)}** faults" in written
    assert "0 in 280 draws" in written
    assert f"0 in {100 * len(list(CASE.parent.glob('*.py'))):,} draws" in " ".join(written.split())
    assert "8.3 %" in written
    assert "**1 of 1 came back (100 %)**" in " ".join(written.split())
    assert "nan" not in written
