"""A cell that is not derived yet, or in part: what is checked of it, and what is said."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch  # noqa: F401  # before pytester, which would unload it between its runs
from click.testing import CliRunner

import gradcheck
from gradcheck.cli import main
from gradcheck.finding import Reason, Unjudged
from gradcheck.show import messages
from gradcheck.source.cases import read

FORWARD = """import numpy as np


def gate(x: "B D", h_prev: "B H", c_prev: "B H", W: "D H", b: "H"):
    f = 1 / (1 + np.exp(-(x @ W + b)))
    c = f * c_prev + (1 - f) * h_prev
    h = np.tanh(c)
"""
TWIN = """import torch


def gate(x, h_prev, c_prev, W, b):
    c = torch.lerp(h_prev, c_prev, torch.sigmoid(x @ W + b))
    return torch.tanh(c), c
"""
RETURN = "return dx, dh_prev, dc_prev, dW, db"


def half(*lines):
    body = "".join(f"        {line}\n" for line in lines)
    return f"{FORWARD}\n    def backward(dh, dc):\n{body}\n    return (h, c), backward\n"


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text, twin=TWIN):
        for folder, content in (("cases", text), ("reference", twin)):
            if content:
                (tmp_path / folder).mkdir(exist_ok=True)
                (tmp_path / folder / "gate.py").write_text(content, encoding="utf-8")
        return Path("cases/gate.py")

    return write


@pytest.mark.parametrize("end", ["return h, c", "return (h, c), None", "return h, c  # so far"])
def test_a_forward_alone_is_no_error_and_not_right(written, end):
    report = gradcheck.check(written(f"{FORWARD}    {end}\n"), profile="fast")
    assert not report.ok
    assert report.verdicts == report.malformed == ()
    assert [(one.label, one.passed) for one in report.results] == [
        ("backward", False),
        ("forward[autograd]", True),
    ]
    assert report.results[0].unjudged == {"not derived": 5}
    assert " 0 of 5 " in str(report)
    assert " 5 not derived " in str(report)


@pytest.mark.parametrize("end", ["return h", "return h, None"])
def test_one_output_has_the_name_that_is_returned(written, end):
    (cell,) = read(written(f"{FORWARD}    {end}\n").resolve())
    assert (cell.outputs, cell.derived) == (("h",), False)
    assert cell.states == (("h_prev", "h"),)


def test_pytest_skips_one_node_and_counts_it(pytester):
    pytester.makeini("[pytest]\ngradcheck_cases = cases\naddopts = --hypothesis-profile=fast\n")
    text = f"{FORWARD}    return h, c\n"
    pytester.mkdir("cases").joinpath("gate.py").write_text(text, encoding="utf-8")
    pytester.mkdir("reference").joinpath("gate.py").write_text(TWIN, encoding="utf-8")
    result = pytester.runpytest("-rs")
    result.assert_outcomes(passed=1, skipped=1)
    assert "not derived yet" in result.stdout.str()
    (row,) = (line for line in result.outlines if line.startswith(" gate "))
    assert re.match(r" gate +0 of 5 +20 +5 not derived +\de-\d\d ", row)
    pytester.runpytest("cases/gate.py::gate::backward").assert_outcomes(skipped=1)
    pytester.path.joinpath("reference", "gate.py").unlink()
    pytester.runpytest().assert_outcomes(skipped=2)


def test_pytest_has_one_failure_for_a_half_written_backward(pytester):
    pytester.makeini("[pytest]\ngradcheck_cases = cases\naddopts = --hypothesis-profile=fast\n")
    text = half("dc = dc + dh * (1 - h**2)", "df = dc * (c_prev - h_prev)")
    pytester.mkdir("cases").joinpath("gate.py").write_text(text, encoding="utf-8")
    result = pytester.runpytest()
    result.assert_outcomes(failed=1, skipped=1)
    assert "FAILED cases/gate.py::gate::backward - " in result.stdout.str()
    assert 'To repeat it: pytest "cases/gate.py::gate::backward"' in result.stdout.str()
    pytester.runpytest("cases/gate.py::gate::backward").assert_outcomes(failed=1)


def said(path):
    (verdict,) = gradcheck.check(path, only="backward").verdicts
    return messages.text(verdict)


def missing(names, *stages, advice=""):
    """The message that names what is missing, line by line of the forward from its end."""
    forward = {
        6: "c = f * c_prev + (1 - f) * h_prev",
        5: "f = 1 / (1 + np.exp(-(x @ W + b)))",
    }
    width = max(len(forward[line]) for line, _ in stages)
    told = [f"  line {line}: {forward[line]:<{width}}  {wanted}" for line, wanted in stages]
    lines = [
        f"gate: backward is not finished: {names} missing.",
        "Derive what is missing in the reverse order of the forward:",
        *told,
        *([advice] if advice else []),
        "",
        'To repeat it: gradcheck.check("cases/gate.py::gate", only="backward")',
    ]
    return "\n".join(lines)


EVERY = "dx, dh_prev, dc_prev, dW, db are"


@pytest.mark.parametrize(
    "body",
    [
        ("pass",),
        ("...",),
        ("return None",),
        ("raise NotImplementedError",),
        ("return dx, dh_prev, dc_prev, dW, db",),
        ("return None, None, None, None, None",),
        ("dx = dh_prev = dc_prev = dW = db = ...", RETURN),
        ("dc = dc + ...", RETURN),
    ],
)
def test_all_that_is_missing_is_one_message_in_the_reverse_order_of_the_forward(written, body):
    stages = (6, "df, dc_prev, dh_prev"), (5, "dx, dW, db")
    assert said(written(half(*body))) == missing(EVERY, *stages)


TOTAL = "dc = dc + dh * (1 - h**2)"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            (
                TOTAL,
                "dc_prev = dc * f",
                "dh_prev = dc * (1 - f)",
                "return None, dh_prev, dc_prev, None, None",
            ),
            missing("dx, dW, db are", (6, "df"), (5, "dx, dW, db")),
        ),
        (
            (TOTAL, "df = dc * (c_prev - h_prev)", "dc_prev = dc * f", RETURN),
            missing(
                "dx, dh_prev, dW, db are",
                (6, "dh_prev"),
                (5, "dx, dW, db"),
                advice="Until then, `return None, None, dc_prev, None, None` lets the rest be "
                "judged.",
            ),
        ),
        (
            (TOTAL, "return None, dc * (1 - f), dc * f, None, None"),
            missing("dx, dW, db are", (6, "df"), (5, "dx, dW, db")),
        ),
    ],
    ids=["some returned", "some not assigned", "some without a name"],
)
def test_what_is_there_is_not_missing(written, body, expected):
    assert said(written(half(*body))) == expected


def test_what_is_returned_so_far_is_judged(written):
    path = written(half(TOTAL, "return None, dc * (1 - f), dc * c_prev, None, None"))
    report = gradcheck.check(path, profile="fast")
    passed = {one.label: one.passed for one in report.results}
    assert passed == {
        "backward": False,
        "forward[autograd]": True,
        "dh_prev[fd]": True,
        "dh_prev[autograd]": True,
        "dc_prev[fd]": False,
        "dc_prev[autograd]": False,
    }
    assert " 1 of 5 " in str(report)
    assert " 3 not derived" in str(report)


def test_the_json_of_what_is_missing_is_plain(written):
    (verdict,) = gradcheck.check(written(half(TOTAL)), only="backward").to_dict()["verdicts"]
    finding = json.loads(json.dumps(verdict))["finding"]
    assert (finding["kind"], finding["name"]) == ("unfinished", "backward")
    assert finding["facts"]["missing"] == ["dx", "dh_prev", "dc_prev", "dW", "db"]
    assert finding["facts"]["stages"][1][::2] == [5, ["dx", "dW", "db"]]


@pytest.mark.parametrize(
    "body",
    [
        (TOTAL, "dx = dh_prev = dc_prev = dW = db = dc", "return None, dh_prev, dc_prev, dW, db"),
        (TOTAL, "return dc, dc"),
        (TOTAL, "dx = dh_prev = dc_prev = dW = db = dc", "return dx, dh_prev"),
        (TOTAL, "return (dc for _ in range(5))"),
        (TOTAL, "return tuple([dc, dc])"),
    ],
    ids=["a slip", "too few", "left out", "a generator", "a call"],
)
def test_what_is_derived_but_returned_wrongly_is_a_mistake_as_before(written, body):
    report = gradcheck.check(written(half(*body)), only="dx[fd]", profile="fast")
    assert [verdict.node for verdict in report.verdicts] == ["dx[fd]"]
    with pytest.raises(gradcheck.CaseError, match="There is no check 'backward'"):
        gradcheck.check(written(half(*body)), only="backward")


def test_a_function_without_a_source_tells_gradient_by_gradient():
    space = {}
    exec("def typed(x: 'B'):\n    def backward(dy): pass\n    return 2 * x, backward\n", space)
    (verdict,) = gradcheck.check(space["typed"], only="dx[fd]").verdicts
    assert verdict.finding.kind == "not-a-tuple"


def test_half_written_lines_are_proofread_as_far_as_they_go(written):
    path = written(
        half("dc = dc + dh * (1 - h)", "df = ...", "dc_prev = dc * f", "da = df * f", RETURN)
    )
    (proof,) = gradcheck.proofread(path)
    assert proof.missing == ("dx", "dh_prev", "dW", "db")
    told = {line.line: (line.verdict, line.mends[:1]) for line in proof.lines}
    assert told == {
        10: ("wrong", ("dc = dc + dh * (1 - h ** 2)",)),
        12: ("fed-by-wrong", ()),
        14: ("right", ()),
    }


def test_other_commands_say_that_nothing_is_derived(written):
    path = written(f"{FORWARD}    return h, c\n")
    (proof,) = gradcheck.proofread(path)
    assert (proof.verdict, proof.reason) == (
        "unjudged",
        "gate is not derived yet: it has no backward.",
    )
    (score,) = gradcheck.mutate(path)
    assert score.reason == "gate is not derived yet: it has no backward."
    numbers = {name: [[0.5]] for name in ("x", "h_prev", "c_prev", "W")}
    point = gradcheck.at(path, numbers | {"b": [0.1]})
    assert set(point.findings.values()) == {Unjudged(Reason.NOT_DERIVED)}
    assert not point.ok
    assert np.isfinite(point.truth["fd"]["dW"]).all()  # what is to be found
    trace = gradcheck.trace(path, steps=2)
    assert (trace.ok, trace.wrong) == (False, False)
    assert str(trace).partition("::")[2].startswith("gate, 2 steps: not judged: dx, dh_prev")
    assert trace.unfollowed == ""
    names = [row.name for row in trace.walked.forward[0].rows]
    assert names == ["x", "h_prev", "c_prev", "f", "c", "h"]
    last = {row.name: row for row in trace.walked.backward[0].rows}
    assert (last["dW"].value, last["dW"].wrong) == (None, False)
    assert np.isfinite(last["dW"].true).all()


def test_the_command_line_says_that_it_is_not_derived_by_its_status(written):
    run = CliRunner().invoke
    path = str(written(f"{FORWARD}    return h, c\n"))
    assert run(main, ["check", path]).exit_code == 2
    path = str(written(half(TOTAL)))
    result = run(main, ["check", path])
    assert result.exit_code == 1
    assert result.output.startswith("gate: backward is not finished: ")
