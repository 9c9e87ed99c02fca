"""The pytest plugin, as a person in front of pytest sees it."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import torch  # noqa: F401  # before pytester, which would unload it between its runs

from gradcheck.laws.every import LAWS

# Once, before pytester runs anything: PyTorch does not live through a second import.
pytest.importorskip("torch")

ROOT = Path(__file__).parent.parent
RNN = (ROOT / "cases" / "rnn.py").read_text(encoding="utf-8")
TWIN = (ROOT / "reference" / "rnn.py").read_text(encoding="utf-8")
WRONG = RNN.replace("dU = h_prev.T @ da", "dU = h.T @ da")
GRADIENTS = ("dx", "dh_prev", "dW", "dU", "db")
# The laws of a step: it has no time axis of its own.
KEPT = [law for law in LAWS if law not in ("chunks", "padding")]


@pytest.fixture
def project(pytester):
    """A project with one case and its twin, where each test runs few examples."""
    pytester.makeini("[pytest]\ngradcheck_cases = cases\naddopts = --hypothesis-profile=fast\n")
    pytester.mkdir("cases").joinpath("rnn.py").write_text(RNN, encoding="utf-8")
    pytester.mkdir("reference").joinpath("rnn.py").write_text(TWIN, encoding="utf-8")
    return pytester


def write(project, text, name="cases/rnn.py"):
    (project.path / name).write_text(text, encoding="utf-8")


def nodes(result):
    return [line for line in result.outlines if line.startswith("cases/")]


def test_one_node_for_each_gradient_and_oracle_and_law(project):
    collected = nodes(project.runpytest("--collect-only", "-q"))
    expected = ["forward[autograd]"]
    expected += [f"{g}[{o}]" for g in GRADIENTS for o in ("fd", "autograd", "unrolled")]
    expected += [f"law[{law}]" for law in KEPT]
    assert collected == [f"cases/rnn.py::rnn::{label}" for label in expected]


def test_right_cells_pass_and_the_table_says_how_well(project):
    result = project.runpytest()
    result.assert_outcomes(passed=16 + len(KEPT))
    text = result.stdout.str()
    assert "gradcheck: cases, profile fast, 20 examples, derandomised" in text
    header = " cell  gradients  examples  unjudged  forward       fd  autograd  unrolled  seconds"
    assert header.split() in [line.split() for line in result.outlines]
    row = next(line for line in result.outlines if line.startswith(" rnn "))
    # 20 for each gradient, oracle and the forward, a quarter as many for each law: 16 * 20 + 11 * 5
    assert re.match(r" rnn +5 of 5 +375 +\d+ rounding( +\de-\d\d){4} +\d+\.\d$", row)


def test_the_table_says_what_a_case_declares(project):
    relu = RNN.replace(
        "h = np.tanh(x @ W + h_prev @ U + b)",
        """a = x @ W + h_prev @ U + b
    h: "kink where a = 0" = np.maximum(a, 0)""",
    ).replace("1 - h**2", "a > 0")
    write(project, relu)
    project.path.joinpath("reference", "rnn.py").unlink()
    result = project.runpytest("-k", "fd")
    result.assert_outcomes(passed=5)
    assert "rnn declares h: kink where a = 0." in result.stdout.str()


def test_exactly_the_wrong_gradient_is_red(project):
    write(project, WRONG)
    result = project.runpytest("-k", "not unrolled")
    result.assert_outcomes(passed=9 + len(KEPT), failed=2, deselected=5)
    failed = [line for line in result.outlines if line.startswith("FAILED")]
    assert [line.split(" - ")[0] for line in failed] == [
        "FAILED cases/rnn.py::rnn::dU[fd]",
        "FAILED cases/rnn.py::rnn::dU[autograd]",
    ]
    assert failed[0].split(" - ")[1].startswith("rnn: dU disagrees with the complex step in")
    (row,) = (line for line in result.outlines if line.startswith(" rnn "))
    assert row.split()[:4] == ["rnn", "4", "of", "5"]


def test_a_failure_has_no_frame_of_the_harness_and_its_command_repeats_it(project):
    write(project, WRONG)
    result = project.runpytest("-k", "dU and fd", "-q")
    text = result.stdout.str()
    assert "Traceback" not in text
    assert "gradcheck/" not in text
    (command,) = re.findall(r'To repeat it: pytest "(.*)" (--hypothesis-profile=fast)', text)
    again = project.runpytest(*command)
    again.assert_outcomes(failed=1)
    assert message(again) == message(result)


def messages(result):
    """The reports of a run, in whichever order the nodes ended."""
    return re.findall(r"^rnn: dU disagrees.*?^To repeat", str(result.stdout), re.M | re.S)


def message(result):
    text = result.stdout.str()
    return text[text.index("rnn: dU disagrees") : text.index("To repeat it")]


@pytest.mark.parametrize(
    ("selection", "passed"),
    [
        (["cases/rnn.py"], 16 + len(KEPT)),
        (["cases/rnn.py::rnn"], 16 + len(KEPT)),
        (["cases/rnn.py::rnn::dU[fd]"], 1),
        (["cases", "-k", "dU"], 3),
        (["-k", "fd"], 5),
        (["-k", "law"], len(KEPT)),
    ],
)
def test_selections(project, selection, passed):
    assert project.runpytest(*selection).parseoutcomes()["passed"] == passed


def test_from_another_directory(project, monkeypatch):
    elsewhere = project.mkdir("elsewhere")
    write(project, WRONG)
    monkeypatch.chdir(elsewhere)
    result = project.runpytest(f"{project.path}/cases/rnn.py::rnn::dU[fd]")
    result.assert_outcomes(failed=1)
    assert f'To repeat it: pytest "{project.path}/cases/rnn.py::rnn::dU[fd]"' in str(result.stdout)


def test_last_failed(project):
    write(project, WRONG)
    project.runpytest("-k", "not unrolled").assert_outcomes(
        passed=9 + len(KEPT), failed=2, deselected=5
    )
    project.runpytest("--lf", "-k", "not unrolled").assert_outcomes(failed=2)


def test_in_parallel_the_same_verdicts_and_the_same_table(project):
    write(project, WRONG)
    alone = project.runpytest("-k", "not unrolled")
    parallel = project.runpytest("-k", "not unrolled", "-n", "2")
    parallel.assert_outcomes(passed=9 + len(KEPT), failed=2)
    assert set(messages(parallel)) == set(messages(alone))

    def row(result):
        (line,) = (line for line in result.outlines if line.startswith(" rnn "))
        # Without the seconds, and without figures that are rounding alone: a worker computes in
        # one thread, in which a sum may be rounded otherwise.
        return [re.sub(r"\de-1[4-9]", "#", part) for part in line.split()[:-1]]

    assert row(parallel) == row(alone)


def test_junit_xml(project):
    write(project, WRONG)
    project.runpytest("-k", "dU and fd", "--junitxml=out.xml")
    (case,) = ET.parse(project.path / "out.xml").getroot().iter("testcase")
    assert case.get("name") == "dU[fd]"
    assert case.find("failure").get("message").startswith("rnn: dU disagrees with")


def test_the_short_tracebacks_are_one_line(project):
    write(project, WRONG)
    result = project.runpytest("-k", "dU and fd", "--tb=line")
    assert any(re.match(r".*rnn\.py:\d+: rnn: dU disagrees", line) for line in result.outlines)


def test_without_a_twin_one_node_is_skipped_and_differences_judge_the_rest(project):
    (project.path / "reference" / "rnn.py").unlink()
    result = project.runpytest("-rs")
    result.assert_outcomes(passed=10 + len(KEPT), skipped=1)
    reason = "no reference/rnn.py: autograd has nothing to compare with"
    assert f"SKIPPED [1] cases/rnn.py: {reason}" in result.stdout.str()
    write(project, WRONG)
    collected = nodes(project.runpytest("--collect-only", "-q"))
    assert "cases/rnn.py::rnn::dU[unrolled]" in collected
    assert "cases/rnn.py::rnn::dU[autograd]" not in collected
    project.runpytest("-k", "dU").assert_outcomes(failed=2, deselected=9 + len(KEPT))


@pytest.mark.parametrize(
    ("twin", "said"),
    [
        (
            "import torch\n",
            "reference/rnn.py has no function rnn.\nWrite `def rnn(x, h_prev, W, U, b):`.",
        ),
        (
            "def rnn(x, h, W, U, b): ...\n",
            "reference/rnn.py: rnn takes (x, h, W, U, b), its case takes (x, h_prev, W, U, b).\n"
            "Write `def rnn(x, h_prev, W, U, b):`.",
        ),
        ("def rnn(:", "reference/rnn.py:1 is not Python: invalid syntax.\n    def rnn(:"),
    ],
)
def test_a_malformed_twin_is_one_failing_node(project, twin, said):
    write(project, twin, "reference/rnn.py")
    result = project.runpytest()
    result.assert_outcomes(passed=10 + len(KEPT), failed=1)
    assert said in result.stdout.str()


def test_a_twin_with_other_outputs_is_told(project):
    write(project, "def rnn(x, h_prev, W, U, b): return x, h_prev\n", "reference/rnn.py")
    result = project.runpytest("-k", "forward")
    assert (
        "rnn: reference/rnn.py: rnn returns (Tensor, Tensor), its case returns (h).\n\n"
        "Return the same outputs as tensors, in the same order." in result.stdout.str()
    )


def test_a_malformed_case_is_one_failing_node_and_stops_nothing(project):
    write(project, "def broken(:", "cases/broken.py")
    write(project, 'def half(x: "B D)"): ...\n', "cases/half.py")
    result = project.runpytest()
    result.assert_outcomes(passed=16 + len(KEPT), failed=2)
    text = result.stdout.str()
    assert "cases/broken.py:1 is not Python: invalid syntax." in text
    assert "The shape string of x cannot be read: 'D)' is not an axis." in text
    assert "FAILED cases/half.py::half - cases/half.py:1: half is not a cell yet." in text


def test_files_with_an_underscore_and_folders_that_are_not_named_are_left_alone(project):
    write(project, "raise SystemExit", "cases/_helpers.py")
    project.mkdir("others").joinpath("test_x.py").write_text("def test_x(): pass", encoding="utf-8")
    project.runpytest("--collect-only").assert_outcomes()
    project.runpytest("others").assert_outcomes(passed=1)


def test_another_folder_is_one_line_of_configuration(pytester):
    pytester.makepyprojecttoml('[tool.pytest.ini_options]\ngradcheck_cases = ["cells"]\n')
    pytester.mkdir("cells").joinpath("rnn.py").write_text(RNN, encoding="utf-8")
    result = pytester.runpytest("cells", "-k", "dU", "--hypothesis-profile=fast")
    result.assert_outcomes(passed=2, deselected=9 + len(KEPT))


def test_without_configuration_the_plugin_is_not_noticed(pytester):
    pytester.mkdir("cases").joinpath("test_x.py").write_text("def test_x(): pass", encoding="utf-8")
    result = pytester.runpytest()
    result.assert_outcomes(passed=1)
    assert "gradcheck:" not in result.stdout.str()
    assert "= gradcheck =" not in result.stdout.str()


def test_thorough_explores_with_a_seed_that_repeats(project):
    write(project, WRONG)
    arguments = ("-k", "dU and fd", "--hypothesis-profile=thorough")
    result = project.runpytest(*arguments)
    (seed,) = re.findall(
        r"profile thorough, 1000 examples, --hypothesis-seed=(\d+)", str(result.stdout)
    )
    command = (
        f'pytest "cases/rnn.py::rnn::dU[fd]" --hypothesis-profile=thorough --hypothesis-seed={seed}'
    )
    assert f"To repeat it: {command}" in result.stdout.str()
    again = project.runpytest(*arguments, f"--hypothesis-seed={seed}")
    assert message(again) == message(result)


def test_all_workers_of_a_thorough_run_have_one_seed(project):
    write(project, WRONG)
    result = project.runpytest(
        "-n", "2", "-k", "dU and not unrolled", "--hypothesis-profile=thorough"
    )
    seeds = set(re.findall(r"--hypothesis-seed=(\d+)", result.stdout.str()))
    assert len(seeds) == 1


def test_a_profile_of_the_users_is_left_alone(project):
    project.makeconftest(
        "import hypothesis\n"
        "hypothesis.settings.register_profile('fast', max_examples=7)\n"
        "def test_x(): pass\n"
    )
    project.runpytest("-k", "dU and fd").assert_outcomes(passed=1, deselected=15 + len(KEPT))


def test_a_gradient_that_is_zero_throughout_is_red(project):
    write(project, "def idle(x: 'B', b: 'B'):\n    def backward(dy): return 2 * dy, 0 * b\n"
                   "    return 2 * x, backward\n", "cases/idle.py")  # fmt: skip
    result = project.runpytest("cases/idle.py")
    result.assert_outcomes(passed=1 + len(KEPT), failed=1, skipped=1)
    assert (
        "idle: db is zero in every example, as is the true gradient.\n"
        "b does not reach the outputs: use it in the forward, or make it a constant, "
        '`*, b: "B"`.\n\n'
        'To repeat it: pytest "cases/idle.py::idle::db[fd]"' in result.stdout.str()
    )


def test_shapes_that_no_sizes_fit_are_told(project):
    write(project, "def odd(x: 'B B-2 3-B'):\n    def backward(dy): return 2 * dy\n"
                   "    return 2 * x, backward\n", "cases/odd.py")  # fmt: skip
    result = project.runpytest("cases/odd.py")
    assert result.parseoutcomes().get("failed", 0) >= 1


def test_sizes_are_held_and_a_failure_is_searched_down_from_there(project):
    write(
        project,
        RNN.replace("da.sum(axis=0)", "da.sum(axis=0) * (1 + (np.arange(h.shape[1]) == 8))"),
    )
    result = project.runpytest(
        "-k", "db and fd", "--gradcheck-size", "H=12,K=3", "--gradcheck-size=T=2"
    )
    text = result.stdout.str()
    assert "No cell has a size 'K'. There is B, D, H, T." in text
    result.assert_outcomes(failed=1)
    result = project.runpytest(
        "-k", "db and fd", "--gradcheck-size", "H=12", "--gradcheck-size=T=2"
    )
    text = result.stdout.str()
    assert "derandomised, H=12, T=2\n" in text
    assert "The smallest cell that shows it: B=1, D=1, H=9, seed=0, regime=ordinary" in text
    assert (
        'To repeat it: pytest "cases/rnn.py::rnn::db[fd]" --hypothesis-profile=fast '
        "--gradcheck-size=H=12,T=2\n"
    ) in text
    assert project.runpytest("-k", "db and fd").parseoutcomes()["passed"] == 1


def test_what_is_no_size_is_a_usage_error(project):
    result = project.runpytest("--gradcheck-size", "H")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --gradcheck-size: 'H' is no size; write one such as H=8."])
