"""Every line of a derivation is judged; a right line is never accused; wrong ones are mended."""

import json
import textwrap
from pathlib import Path

import pytest
import watchfiles
from click.testing import CliRunner

from gradcheck.api import proofread
from gradcheck.cli import main
from gradcheck.errors import CaseError

ROOT = Path(__file__).parents[2]
RIGHT_CELLS = [ROOT / "cases" / f"{name}.py" for name in ("gru", "lstm", "rnn")] + sorted(
    (ROOT / "tests/right").glob("*.py")
)


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text, name="cell.py"):
        path = tmp_path / name
        path.write_text("import numpy as np\n" + textwrap.dedent(text), encoding="utf-8")
        return path

    return write


def verdicts(path):
    """Every line's source, up to its sign, and verdict."""
    (proof,) = proofread(path)
    return {line.source: line.verdict for line in proof.lines}


def mends(path):
    (proof,) = proofread(path)
    return {line.source: line.mends for line in proof.lines if line.verdict == "wrong"}


@pytest.mark.parametrize("path", RIGHT_CELLS, ids=lambda path: path.stem)
def test_no_line_of_a_right_cell_is_accused(path):
    """The proofs draw from every regime; see telling.examples."""
    for proof in proofread(path):
        assert proof.verdict == "right"
        assert {line.verdict for line in proof.lines} == {"right"}


LSTM = (ROOT / "cases" / "lstm.py").read_text(encoding="utf-8")


def lstm(file, *slips):
    text = LSTM
    for right, wrong in slips:
        assert text.count(right) == 1
        text = text.replace(right, wrong)
    return file(text, "lstm.py")


def test_several_wrong_lines_are_all_named_and_mended(file):
    path = lstm(
        file,
        ("do = dh * np.tanh(c)", "do = dh * c"),
        ("dag = dg * (1 - g**2)", "dag = dg * (1 - g)"),
        ("df = dc * c_prev", "df = dc * c"),
    )
    assert {source: found[0] for source, found in mends(path).items()} == {
        "do = dh * c": "do = dh * np.tanh(c)",
        "dag = dg * (1 - g)": "dag = dg * (1 - g ** 2)",
        "df = dc * c": "df = dc * c_prev",
    }


def test_lines_fed_by_a_wrong_one_are_told_apart_from_it(file):
    found = verdicts(lstm(file, ("df = dc * c_prev", "df = dc * c")))
    assert found["df = dc * c"] == "wrong"
    assert found["dWf, dbf = z.T @ daf, daf.sum(axis=0)"] == "fed-by-wrong"
    assert found["dWi, dbi = z.T @ dai, dai.sum(axis=0)"] == "right"


CARRIES_TANH = """
    def cell(x: "B D", h_prev: "B H", c_prev: "B H", W: "D H", U: "H H", V: "D H"):
        o = 1 / (1 + np.exp(-(x @ V)))
        c = np.tanh(c_prev + x @ W + h_prev @ U)
        h = o * c

        def backward(dh, dc):
            do = dh * c
            dc = {line}
            da = dc * (1 - c**2)
            dV = x.T @ (do * o * (1 - o))
            dx = da @ W.T + (do * o * (1 - o)) @ V.T
            return dx, da @ U.T, 1 * da, x.T @ da, h_prev.T @ da, dV

        return (h, c), backward
"""


def test_a_line_is_judged_against_the_forward_that_runs(file):
    """The carried state is tanh(c): the line that is wrong in the standard cell is right here."""
    right = file(CARRIES_TANH.format(line="dc + dh * o"))
    assert set(verdicts(right).values()) == {"right"}
    wrong = file(CARRIES_TANH.format(line="dc + dh * o * (1 - np.tanh(c) ** 2)"))
    assert list(mends(wrong)) == ["dc = dc + dh * o * (1 - np.tanh(c) ** 2)"]


STACKED = """
    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    def dsigmoid(s):
        return {helper}

    def cell(x: "B D", h_prev: "B H", c_prev: "B H", W: "D 4*H", U: "H 4*H", b: "4*H"):
        H = h_prev.shape[1]
        a = x @ W + h_prev @ U + b
        i, f, o = sigmoid(a[:, :H]), sigmoid(a[:, H:2*H]), sigmoid(a[:, 2*H:3*H])
        g = np.tanh(a[:, 3*H:])
        c = f * c_prev + i * g
        h = o * np.tanh(c)

        def backward(dh, dc):
            dc = dc + dh * o * (1 - np.tanh(c) ** 2)
            da = np.empty_like(a)
            da[:, :H] = dc * g * dsigmoid(i)
            da[:, H:2*H] = dc * {state} * dsigmoid(f)
            da[:, 2*H:3*H] = dh * np.tanh(c) * dsigmoid(o)
            da[:, 3*H:] = dc * i * (1 - g ** 2)
            return da @ W.T, da @ U.T, dc * f, x.T @ da, h_prev.T @ da, da.sum(0)

        return (h, c), backward
"""


def test_slices_of_a_stacked_gate_are_lines_of_their_own(file):
    path = file(STACKED.format(helper="s * (1 - s)", state="c"))
    assert mends(path) == {
        "da[:, H:2*H] = dc * c * dsigmoid(f)": ("da[:, H:2 * H] = dc * c_prev * dsigmoid(f)",)
    }


def test_a_helper_of_the_backward_may_be_the_wrong_line(file):
    path = file(STACKED.format(helper="1 - s", state="c_prev"))
    assert mends(path) == {"return 1 - s": ("return (1 - s) * s",)}


LOOP = """
    def cell(x: "T B D", h_prev: "B H", W: "D H", U: "H H", b: "H"):
        hs = [h_prev]
        for t in range(len(x)):
            hs.append(np.tanh(x[t] @ W + hs[t] @ U + b))
        h_all = np.stack(hs[1:])

        def backward(dh_all):
            dx, dW, dU, db = np.zeros_like(x), np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
            dh = np.zeros_like(h_prev)
            for t in reversed(range(len(x))):
                dh = dh + dh_all[t]
                da = dh * (1 - hs[t + 1] ** 2)
                dW += x[t].T @ da
                {line}
                db += da.sum(axis=0)
                dx[t] = da @ W.T
                dh = da @ U.T
            return dx, dh, dW, dU, db

        return h_all, backward
"""


@pytest.mark.parametrize("wrong", ["dU += hs[t + 1].T @ da", "dU = hs[t].T @ da"])
def test_a_line_in_a_loop_over_time(file, wrong):
    (mended,) = mends(file(LOOP.format(line=wrong))).values()
    assert mended[0] in ("dU += hs[t].T @ da", "dU = dU + hs[t].T @ da")


UNFINISHED = """
    def cell(x: "B D", h_prev: "B H", W: "D H", U: "H H", b: "H"):
        a = x @ W + h_prev @ U + b
        h = np.tanh(a)

        def backward(dh):
            da = dh * (1 - {slope})
            db = da.sum(axis=0)
            {end}

        return h, backward
"""


@pytest.mark.parametrize("end", ["return None, None, None, None, db", ""])
def test_an_unfinished_derivation_is_judged_as_far_as_it_goes(file, end):
    (proof,) = proofread(file(UNFINISHED.format(slope="h**2", end=end)))
    assert (proof.verdict, proof.reason) == ("unjudged", "The derivation is not finished.")
    assert {line.verdict for line in proof.lines} == {"right"}
    assert proof.missing[:4] == ("dx", "dh_prev", "dW", "dU")
    (proof,) = proofread(file(UNFINISHED.format(slope="h", end=end)))
    assert proof.verdict == "wrong"
    (wrong,) = (line for line in proof.lines if line.verdict == "wrong")
    assert wrong.mends[0] == "da = dh * (1 - h ** 2)"


def test_a_line_that_is_never_reached(file):
    path = file("""
        def cell(x: "B D"):
            def backward(dy):
                if x.shape[0] > 99:
                    dy = 3 * dy
                return 2 * dy * x
            return x**2, backward
    """)
    assert verdicts(path) == {"dy = 3 * dy": "not-reached", "return 2 * dy * x": "right"}


def test_what_cannot_be_proved_is_not_called_wrong(file):
    path = file("""
        def cell(x: "B D", w: "D"):
            s = np.sin(x) * w

            def backward(ds):
                tmp = np.arctan(ds) + 0.1
                dx = tmp * 17
                dw = (ds * np.sin(x)).sum(axis=0)
                return dx, dw

            return s, backward
    """)
    (proof,) = proofread(path)
    by_source = {line.source: line for line in proof.lines}
    assert proof.verdict == "wrong"
    assert "wrong" not in {line.verdict for line in proof.lines}
    assert by_source["tmp = np.arctan(ds) + 0.1"].verdict == "not-followed"
    assert by_source["dx = tmp * 17"].reason == (
        "this line or another that dx hangs on is wrong; which one is not proved"
    )
    assert by_source["dw = (ds * np.sin(x)).sum(axis=0)"].verdict == "right"


def test_a_cell_that_cannot_be_read_is_not_judged(file):
    (proof,) = proofread(file('def cell(x: "B)"): ...'))
    assert proof.verdict == "unjudged"
    assert "'B)' is not an axis." in proof.reason
    (proof,) = proofread(
        file("""
        def make(y):
            def backward(dy): return 2 * dy
            return backward
        def cell(x: "B"):
            return 2 * x, make(x)
    """)
    )
    assert proof.reason == (
        "The backward of cell cannot be followed: it is not a function inside it."
    )


def test_a_cell_that_is_not_there(file):
    path = file('def cell(x: "B"):\n    def backward(dy): return dy\n    return 2 * x, backward\n')
    with pytest.raises(CaseError, match=r"cell\.py has no cell other; it has cell\."):
        proofread(f"{path}::other")


# The command line.


def run(*arguments):
    return CliRunner().invoke(main, ["proofread", *map(str, arguments)])


def test_exit_status_tells_right_wrong_and_unjudged(file):
    assert run(lstm(file)).exit_code == 0
    assert run(lstm(file, ("df = dc * c_prev", "df = dc * c"))).exit_code == 1
    assert run(file("def broken(:")).exit_code == 2
    assert run(file("", "gone.py").with_name("missing.py")).exit_code == 2


def test_what_is_printed_for_a_wrong_line(file):
    path = file("""
        def rnn(x: "B D", W: "D H"):
            h = np.tanh(x @ W)

            def backward(dh):
                da = dh * (1 - h)
                return da @ W.T, x.T @ da

            return h, backward
    """)
    result = run(path)
    assert (
        result.output
        == """\
cell.py::rnn: wrong
    7  ✗ da = dh * (1 - h)          wrong
    write  da = dh * (1 - h ** 2)
       at  cell.py:7
    8  · return da @ W.T, x.T @ da  fed by a wrong line
"""
    )


def test_json_is_what_the_page_says(file):
    path = lstm(file, ("df = dc * c_prev", "df = dc * c"))
    (cell,) = json.loads(run(path, "--json").output)["cells"]
    assert (cell["cell"], cell["verdict"], cell["missing"], cell["absent"]) == (
        "lstm",
        "wrong",
        [],
        [],
    )
    (line,) = (line for line in cell["lines"] if line["verdict"] == "wrong")
    assert line["source"] == "df = dc * c"
    assert line["mends"] == ["df = dc * c_prev"]
    assert path.read_text(encoding="utf-8").splitlines()[line["line"] - 1].strip() == "df = dc * c"
    assert 0 < line["error"] < 10
    assert set(line) == {"line", "source", "verdict", "error", "mends", "reason"}


def test_json_of_a_file_that_cannot_be_read():
    result = run("no/such/file.md", "--json")
    assert result.exit_code == 2
    assert json.loads(result.output) == {
        "schema": 1,
        "cells": [],
        "error": "no/such/file.md cannot be read: No such file or directory.",
    }


def test_numbers_shows_a_worked_example_that_shows_what_is_wrong(file):
    path = file("""
        def rnn(x: "B D", h_prev: "B H", W: "D H", U: "H H"):
            h = np.tanh(x @ W + h_prev @ U)

            def backward(dh):
                da = dh * (1 - h**2)
                dh_prev = da @ U
                return da @ W.T, dh_prev, x.T @ da, h_prev.T @ da

            return h, backward
    """)
    text = run(path, "--numbers").output
    assert "A worked example: B=1, D=1, H=2, seed=0, regime=ordinary" in text
    assert "    x = [[1.03]]" in text
    (line,) = (
        line for line in text.splitlines() if line.startswith("    dh_prev = ") and "true" in line
    )
    by_hand, true = line.split("true")
    assert by_hand.split("=")[1].strip() != true.strip()


def test_one_cell_of_a_file(file):
    path = file("""
        def one(x: "B"):
            def backward(dy): return 2 * dy
            return 2 * x, backward

        def two(x: "B"):
            def backward(dy): return dy
            return 3 * x, backward
    """)
    assert run(path).exit_code == 1
    assert run(f"{path}::one").exit_code == 0
    assert "two" not in run(f"{path}::one").output


def test_watch_proofreads_at_every_save(file, monkeypatch):
    path = lstm(file)

    def saves(folder):
        assert folder == path.parent
        yield {("modified", str(folder / "another.py"))}
        path.write_text(
            path.read_text(encoding="utf-8").replace("df = dc * c_prev", "df = dc * c"),
            encoding="utf-8",
        )
        yield {("modified", str(path))}

    monkeypatch.setattr(watchfiles, "watch", saves)
    result = CliRunner().invoke(main, ["watch", str(path)])
    assert result.exit_code == 0
    first, second = result.output.split("lstm.py::lstm: ")[1:]
    assert first.startswith("every line is right")
    assert "write  df = dc * c_prev" in second


def test_watch_needs_a_file():
    result = CliRunner().invoke(main, ["watch", "no_such_file.py"])
    assert result.output == "Error: no_such_file.py is not a file.\n"


def test_a_line_is_found_by_the_value_it_needs_whatever_it_is_called(file):
    """No name here is that of a forward quantity, and the slip is between two of them."""
    path = file("""
        def attend(q: "B K", keys: "B T K"):
            scale = 1.0 / np.sqrt(q.shape[1])
            s = np.einsum("bk,btk->bt", q, keys) * scale
            e = np.exp(s - s.max(axis=1, keepdims=True))
            a = e / e.sum(axis=1, keepdims=True)

            def backward(da):
                inner = a * (da - (da * a).sum(axis=1, keepdims=True))
                inner = inner / scale
                return np.einsum("bt,btk->bk", inner, keys), inner[:, :, None] * q[:, None, :]

            return a, backward
    """)
    assert mends(path)["inner = inner / scale"][0] == "inner = inner * scale"


def test_two_slips_in_a_loop_that_redden_everything_are_both_found(file):
    path = file("""
        def rnn(x: "T B D", h0: "B H", W: "D H", U: "H H", b: "H"):
            hs = [h0]
            for t in range(len(x)):
                hs.append(np.tanh(x[t] @ W + hs[t] @ U + b))
            h = np.stack(hs[1:])

            def backward(dh):
                dx, dW, dU, db = np.zeros_like(x), 0, 0, 0
                carried = np.zeros_like(h0)
                for t in reversed(range(len(x))):
                    at = (dh[t] + carried) * (1 - hs[t + 1])
                    dx[t] = at @ W.T
                    dW = dW + x[t].T @ at
                    dU = dU + hs[t + 1].T @ at
                    db = db + at.sum(axis=0)
                    carried = at @ U.T
                return dx, carried, dW, dU, db

            return h, backward
    """)
    found = mends(path)
    assert found["at = (dh[t] + carried) * (1 - hs[t + 1])"][0] == (
        "at = (dh[t] + carried) * (1 - hs[t + 1] ** 2)"
    )
    assert found["dU = dU + hs[t + 1].T @ at"][0] == "dU = dU + hs[t].T @ at"
    assert len(found) == 2


HEAD = """
    def head(h: "N H", W: "H C", *, y: "N < C"):
        logits = h @ W
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        losses = -np.log(p[np.arange(len(y)), y])

        def backward(dlosses):
            d = p.copy()
            for n in range(len(y)):
                d[n, {index}] -= 1
            d = {weighed}
            return d @ W.T, h.T @ d

        return losses, backward
"""


def test_a_slip_in_where_a_line_writes_is_mended_there(file):
    path = file(HEAD.format(index="0", weighed="d * dlosses[:, None]"))
    assert mends(path) == {"d[n, 0] -= 1": ("d[n, y[n]] -= 1",)}


def test_a_mean_of_the_cotangents_for_each_its_own(file):
    path = file(HEAD.format(index="y[n]", weighed="d * dlosses.mean()"))
    assert mends(path)["d = d * dlosses.mean()"][0] == "d = d * dlosses[:, None]"


def test_gradients_of_rows_that_repeat_must_add_up(file):
    path = file("""
        def embed(E: "V D", *, ids: "B T < V"):
            x = E[ids]

            def backward(dx):
                dE = np.zeros_like(E)
                dE[ids] += dx
                return (dE,)

            return x, backward
    """)
    assert mends(path)["dE[ids] += dx"][0] == "np.add.at(dE, ids, dx)"


def test_a_wrong_lambda_is_a_wrong_line(file):
    path = file("""
        slope = lambda s: s * (1 + s)

        def gate(x: "B D", W: "D H"):
            s = 1 / (1 + np.exp(-(x @ W)))

            def backward(ds):
                da = ds * slope(s)
                return da @ W.T, x.T @ da

            return s, backward
    """)
    assert mends(path)["slope = lambda s: s * (1 + s)"][0] == "slope = lambda s: s * (1 - s)"


def test_the_wrong_key_of_a_dict_of_gates(file):
    path = file("""
        def gates(x: "B D", W: "D H", U: "D H"):
            s = {"i": np.tanh(x @ W), "f": np.tanh(x @ U)}
            h = s["i"] * s["f"]

            def backward(dh):
                d = {}
                d["i"] = dh * s["f"] * (1 - s["i"] ** 2)
                d["f"] = dh * s["i"] * (1 - s["i"] ** 2)
                return d["i"] @ W.T + d["f"] @ U.T, x.T @ d["i"], x.T @ d["f"]

            return h, backward
    """)
    ((source, found),) = mends(path).items()
    assert source.startswith('d["f"]')
    assert found[0] == "d['f'] = dh * s['i'] * (1 - s['f'] ** 2)"


def test_an_order_in_the_header_of_a_loop(file):
    path = file("""
        def two(x: "B D", W: "D H", U: "D H"):
            h = np.tanh(x @ W) + np.sin(x @ U)

            def backward(dh):
                dW, dU = np.zeros_like(W), np.zeros_like(U)
                a, b = dh * (1 - np.tanh(x @ W) ** 2), dh * np.cos(x @ U)
                for total, part in zip((dU, dW), (a, b)):
                    total += x.T @ part
                return a @ W.T + b @ U.T, dW, dU

            return h, backward
    """)
    ((source, found),) = mends(path).items()
    assert source.startswith("for total, part in zip")
    assert found[0] in (
        "for total, part in zip((dW, dU), (a, b)):",
        "for total, part in zip((dU, dW), (b, a)):",
    )


def test_a_part_that_explains_itself_is_not_accused_while_the_rest_is_unexplained(file):
    """dcn could be mended where it is computed; the dict before it is what is wrong."""
    path = file("""
        def gates(x: "B D", h: "B H", cn: "H", W: "D H", U: "H H"):
            r = 1 / (1 + np.exp(-(x @ W)))
            q = h @ U + cn
            n = np.tanh(x @ W + r * q)

            def backward(dn):
                d = {"n": dn * (1 - n * n)}
                d["r"] = d["n"] * q * r * (1 - r)
                e = {"n": d["n"]}
                dx = (d["n"] + d["r"]) @ W.T
                dW = x.T @ (d["n"] + d["r"])
                return dx, e["n"] @ U.T, e["n"].sum(0), dW, h.T @ e["n"]

            return n, backward
    """)
    ((source, found),) = mends(path).items()
    assert source == 'e = {"n": d["n"]}'
    assert found[0] == "e = {'n': d['n'] * r}"


def test_the_order_of_a_loop_over_time(file):
    path = file("""
        def decay(x: "T H", h0: "H", w: "H"):
            hs = [h0]
            for t in range(len(x)):
                hs.append(w * hs[t] + x[t])
            h = np.stack(hs[1:])

            def backward(dh):
                dx, dw, carried = np.zeros_like(x), np.zeros_like(w), np.zeros_like(h0)
                for t in range(len(x)):
                    at = dh[t] + carried
                    dx[t] = at
                    dw = dw + at * hs[t]
                    carried = at * w
                return dx, carried, dw

            return h, backward
    """)
    assert mends(path) == {"for t in range(len(x)):": ("for t in reversed(range(len(x))):",)}
