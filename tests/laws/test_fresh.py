"""law[fresh]: what hangs on the process that runs it, and when nothing can be said of that."""

import sys

import pytest

from gradcheck.drawing.draw import Example
from gradcheck.evidence import Examiner
from gradcheck.finding import Reason, Right, Unjudged
from gradcheck.laws import every as laws
from gradcheck.show.sentences import sentence
from gradcheck.source.cases import read
from gradcheck.source.closure import closure
from gradcheck.source.listing import Listing

FRESH = (
    "\nIt depends on what ran before, on the order of a set, or on random numbers drawn at import: "
    "sort what is unordered, and make a constant of what is drawn."
)


def in_a_file(tmp_path, text):
    path = tmp_path / "cell.py"
    path.write_text("import numpy as np\n\n" + text, encoding="utf-8")
    (cell,) = read(path)
    return Examiner(cell).evidence(Example((("B", 3),), 1))


CELL = """def cell(x: "B"):
    def backward(dy):
        return {w} * dy

    return {w} * x, backward
"""


@pytest.mark.parametrize(
    "weight",
    [
        "W = np.random.default_rng().random()",
        'W = float(int.from_bytes("".join({chr(97 + n) for n in range(26)}).encode()[:6]))',
        "CALLS = []",
    ],
)
def test_fresh(tmp_path, weight):
    text = CELL.format(w="W")
    if weight == "CALLS = []":  # the first call of a process is another than all later ones
        text = CELL.format(w="w").replace(
            "    def backward",
            "    w = 1.0 + min(len(CALLS), 2)\n    CALLS.append(1)\n\n    def backward",
            1,
        )
    evidence = in_a_file(tmp_path, weight + "\n\n\n" + text)
    # As the checks do, which first ask the forward what laws apply.
    found = sentence(laws.of(evidence.examiner)["fresh"].judge(evidence))
    assert found.startswith("y[2] is ")
    assert " here, but " in found
    assert found.endswith(" in a fresh process." + FRESH)


FIRST = """SEEN = []


def cell(x: "B"):
    def backward(dy):
        if not SEEN:  # the first call of a process
            SEEN.append(1)
            {does}
        return 2 * dy

    return 2 * x, backward
"""


def test_fresh_of_a_cell_that_fails_there(tmp_path):
    evidence = in_a_file(tmp_path, FIRST.format(does='raise ValueError("not yet")'))
    found = sentence(laws.LAWS["fresh"].judge(evidence))
    assert found == (
        "In a fresh process it is another: The cell fails with ValueError: not yet\n"
        f'    {tmp_path}/cell.py:10: raise ValueError("not yet"){FRESH}'
    )


def test_fresh_of_a_gradient_that_is_none_there(tmp_path):
    evidence = in_a_file(tmp_path, FIRST.format(does="return dy.sum()"))
    _ = evidence.examiner.ordinary[0].hand  # the first call of this process
    found = sentence(laws.LAWS["fresh"].judge(evidence))
    assert found == f"dx cannot be compared in a fresh process, and here it can.{FRESH}"


def test_fresh_of_a_right_cell(tmp_path):
    assert laws.LAWS["fresh"].judge(in_a_file(tmp_path, CELL.format(w="2"))) == Right()


def double(x: "B"):
    def backward(dy):
        return 2 * dy

    return 2 * x, backward


def test_fresh_is_of_what_a_file_says(tmp_path):
    path = in_a_file(tmp_path, CELL.format(w="2")).cell.source.path
    (cell,) = read(path)
    assert "fresh" in laws.of(Examiner(cell))
    assert "fresh" not in laws.of(Examiner(Listing.of(path, "cell").cell()))  # perhaps edited
    assert "fresh" not in laws.of(Examiner(closure(double)))


def test_fresh_says_nothing_of_code_that_is_not_what_the_file_says(tmp_path):
    evidence = in_a_file(tmp_path, CELL.format(w="2"))
    evidence.cell.source.path.write_text(CELL.format(w="3"), encoding="utf-8")
    assert laws.LAWS["fresh"].judge(evidence) == Unjudged(Reason.EDITED)


def test_fresh_says_nothing_where_no_process_is_to_be_had(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    found = laws.LAWS["fresh"].judge(in_a_file(tmp_path, CELL.format(w="2")))
    assert found == Unjudged(Reason.ORACLE)


def test_fresh_judges_one_example_and_says_the_same_of_it_again(tmp_path):
    evidence = in_a_file(
        tmp_path, "W = np.random.default_rng().random()\n\n\n" + CELL.format(w="W")
    )
    first = laws.LAWS["fresh"].judge(evidence)
    assert laws.LAWS["fresh"].judge(evidence) == first
    other = evidence.examiner.evidence(Example((("B", 4),), 2))
    assert laws.LAWS["fresh"].judge(other) == Unjudged(Reason.SPARED)
