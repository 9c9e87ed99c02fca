"""Where the time went: what a run ends with. What is asserted is never the clock, only the rows."""

import re

import pytest

from tools import spent

TESTS = """
    import subprocess, sys

    def test_quick():
        pass

    def test_slow():
        assert sum(range(2_000_000))

    def test_child():
        subprocess.run([sys.executable, "-c", "sum(range(2_000_000))"], check=True)

    def test_red():
        assert False
"""


@pytest.fixture
def lines(pytester):
    def run(*options):
        result = pytester.runpytest_subprocess("-p", "tools.spent", *options)
        return result.outlines[next(k for k, x in enumerate(result.outlines) if "went" in x) :]

    pytester.makepyfile(test_some=TESTS)
    return run


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one process", "two workers"])
def test_a_run_ends_with_its_slowest_nodes(lines, workers):
    told = lines(*workers)
    each = r"gw0 .* s, gw1 .* s" if workers else r"one process .* s"
    assert re.fullmatch(rf"\d+\.\d s of CPU \({each}\), \d+\.\d s by the clock\.", told[1])
    assert re.fullmatch(r"\d+\.\d s of it in 4 nodes, .*", told[2])
    start = told.index("slowest nodes, seconds of CPU")
    named = [line.split()[1] for line in told[start + 1 : start + 5]]
    assert set(named) == {
        f"test_some.py::test_{name}" for name in ("quick", "slow", "child", "red")
    }
    assert named.index("test_some.py::test_quick") > named.index("test_some.py::test_child")


def test_the_table_word_by_word():
    seconds = {"cases/lstm.py::lstm::dx[fd]": 2.5, "cases/lstm.py::lstm::dh[fd]": 0.5}
    seconds |= {"tests/test_api.py::test_a": 1.25, "cases/rnn.py::rnn::dx[fd]": 0.25}
    told = spent.lines(seconds, {"gw1": 3.0, "gw0": 2.0}, 2.75)
    assert (
        "\n".join(told)
        == """\
5.0 s of CPU (gw0 2.0 s, gw1 3.0 s), 2.8 s by the clock.
4.5 s of it in 4 nodes, the rest to start and to collect.

slowest nodes, seconds of CPU
     2.50  cases/lstm.py::lstm::dx[fd]
     1.25  tests/test_api.py::test_a
     0.50  cases/lstm.py::lstm::dh[fd]
     0.25  cases/rnn.py::rnn::dx[fd]

slowest case files, seconds of CPU
     3.00  cases/lstm.py
     0.25  cases/rnn.py

slowest test modules, seconds of CPU
     1.25  tests/test_api.py"""
    )


def test_no_list_is_longer_than_ten_rows():
    many = {f"tests/test_{k}.py::test": float(k) for k in range(1, 31)}
    told = list(spent.lines(many, {"one process": 500.0}, 1.0))
    assert len(told) == 2 + 2 * (2 + spent.MOST)
    assert told[4] == "    30.00  tests/test_30.py::test"
