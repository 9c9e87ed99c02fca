"""Mutants: every kind of slip makes some, the checks see them all, and what they miss is told."""

import dataclasses
import itertools
import json
import re
import textwrap
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradcheck import api
from gradcheck.api import Mutation
from gradcheck.cli import main
from gradcheck.errors import CaseError
from gradcheck.mutation import equivalence, mutants, mutate
from gradcheck.mutation.mutate import Score, Survivor
from gradcheck.show import scores
from gradcheck.source import cases
from gradcheck.source.listing import Listing

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "mutation.md").read_text(encoding="utf-8")

RNN = """
def rnn(x: "B D", h_prev: "B H", W: "D H", U: "H H"):
    h = np.tanh(x @ W + h_prev @ U)

    def backward(dh):
        da = 1.0 * (dh * (1 - h**2))
        return da @ W.T, da @ U.T, x.T @ da, h_prev.T @ da

    return h, backward
"""

# What the cases have no example of: a branch, a comparison and square products in a backward.
RARE = """
def rare(x: "T B", A: "N N", C: "N N", *, lengths: "B <= T"):
    factor = 2 if len(x) > len(lengths) else 3
    y = np.where(np.arange(len(x))[:, None] < lengths, factor * x, 0)
    z = A @ C

    def backward(dy, dz):
        live = np.arange(len(x))[:, None] < lengths
        if len(x) > len(lengths):
            dx = 2 * dy * live
        else:
            dx = 3 * dy * live
        return dx, dz @ C.T, A.T @ dz

    return (y, z), backward
"""


def never(cell, twin, suspected):
    """A judge that sees nothing."""
    return None


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text, name="cell.py"):
        path = tmp_path / name
        path.write_text("import numpy as np\n" + textwrap.dedent(text), encoding="utf-8")
        return path

    return write


def made(path, name=None):
    """The listing of a cell, generic examples of it, and all its mutants."""
    cell = next(cell for cell in cases.read(path) if name in (None, cell.name))
    written, examples = Listing.of(path, cell.name), list(equivalence.generic(cell))
    first = examples[0].evidence
    return written, examples, mutants.mutants(written, first.inputs, first.cotangents)


SAMPLE = ["lstm", "gru", "rnn_relu", "bptt::rnn_bptt", "embedding::embedding"]


@pytest.mark.parametrize("target", SAMPLE)
def test_no_mutant_of_a_case_survives(target):
    stem, _, name = target.partition("::")
    (score,) = mutate.mutate(
        ROOT / "cases" / f"{stem}.py",
        name or stem,
        most=25,
        profile="fast",
        judge=partial(mutate.caught, profile="fast"),
    )
    assert (score.reason, score.survivors) == ("", ())
    assert score.killed == 25 or name == "embedding"


def test_every_slip_makes_a_mistake(file):
    found = set()
    names = ["lstm", "embedding", "rnn_bptt", "ragged_lstm", "ragged_bidirectional_rnn"]
    names += ["conv_lstm", "layer_norm_lstm"]
    files = {"rnn_bptt": "bptt", "ragged_bidirectional_rnn": "ragged_lstm"}
    paths = [(ROOT / "cases" / f"{files.get(name, name)}.py", name) for name in names]
    for path, name in [(file(RARE), "rare"), *paths]:
        written, examples, every = made(path, name)
        for mutant in every:
            if mutant.slip in found:
                continue
            try:
                changed = written.changed(mutant.original, mutant.changed).cell()
            except Exception:
                continue
            if equivalence.differing(changed, examples) not in (None, equivalence.EQUIVALENT):
                found.add(mutant.slip)
    assert found == {slip.name for slip in mutants.SLIPS}


def test_a_mutant_differs_in_one_place_and_comes_once():
    written, _, every = made(ROOT / "cases" / "lstm.py")
    assert 400 <= len(every) <= 700
    assert len({(mutant.line, mutant.mutant) for mutant in every}) == len(every)
    text = "\n".join(written.definitions["lstm"].text)
    for mutant in every:
        assert mutant.source in text
        assert mutant.line > text[: text.index("def backward")].count("\n")


def test_a_choice_has_all_lines_and_all_slips_in_fair_shares():
    _, _, every = made(ROOT / "cases" / "lstm.py")
    order = list(mutants.stratified(every))
    assert order == list(mutants.stratified(every))
    assert sorted(map(id, order)) == sorted(map(id, every))
    chosen = order[:60]
    assert {mutant.line for mutant in chosen} == {mutant.line for mutant in every}
    assert {mutant.slip for mutant in chosen} == {mutant.slip for mutant in every}


def test_what_no_check_sees_is_told_with_its_line(file):
    path = file(RNN)
    before = path.read_bytes()
    (score,) = mutate.mutate(path, judge=never, profile="fast")
    assert score.killed == 0
    assert score.mutants == len(score.survivors) > 50
    assert (
        Survivor(7, "da = 1.0 * (dh * (1 - h**2))", "da = 1.0 * (dh * (1 - h))") in score.survivors
    )
    assert not Mutation((score,)).ok
    assert path.read_bytes() == before


def test_the_command_tells_of_survivors(file, monkeypatch):
    def blind(*given, **options):
        return mutate.score(*given, **{**options, "judge": never, "profile": "fast"})

    monkeypatch.setattr(api, "score", blind)
    path = file(RNN)
    result = run(path, "--most", 3)
    assert result.exit_code == 1
    assert result.output.startswith("cell.py::rnn: 3 of 3 mutants survive")
    assert re.search(
        r"^    7  da = 1\.0 \* \(dh \* \(1 - h\*\*2\)\)\n   as  da = ", result.output, re.M
    )
    (cell,) = json.loads(run(path, "--most", 3, "--json").output)["cells"]
    assert {len(cell["survivors"]), cell["mutants"]} == {3}


def test_what_changes_nothing_is_set_apart(file):
    (score,) = mutate.mutate(file(RNN), judge=never, profile="fast")
    assert score.equivalent > 0
    assert "da = dh * (1 - h ** 2)" not in {survivor.mutant for survivor in score.survivors}


def test_a_write_into_a_cotangent_is_a_mistake_though_all_gradients_agree():
    written, examples, every = made(ROOT / "cases" / "lstm.py")
    (mutant,) = (m for m in every if m.mutant == "dc += dh * o * (1 - np.tanh(c) ** 2)")
    cell = written.changed(mutant.original, mutant.changed).cell()
    assert equivalence.differing(cell, examples) == frozenset()
    assert mutate.caught(cell, None, frozenset()) == "law[purity]"


def test_what_fails_at_once_is_left_out():
    written, examples, every = made(ROOT / "cases" / "lstm.py")
    (mutant,) = (m for m in every if m.mutant == "dWf, dbf = z @ daf, daf.sum(axis=0)")
    assert (
        equivalence.differing(written.changed(mutant.original, mutant.changed).cell(), examples)
        is None
    )


def test_helpers_and_steps_are_edited_but_what_the_forward_runs_is_not():
    for stem, edited, kept in [
        ("conv_lstm", "dpadded[:, :, r : r + Y", "out = out + np.einsum("),
        ("ragged_lstm", "dz = da @ W.T", "c = f * c_prev + i * g"),
        ("selective_scan", "da = dt * sigmoid(a)", "return 1 / (1 + np.exp(-a))"),
    ]:
        _, _, every = made(ROOT / "cases" / f"{stem}.py")
        assert any(mutant.source.startswith(edited) for mutant in every)
        assert not any(mutant.source.startswith(kept) for mutant in every)


def test_no_edit_of_a_while_that_might_never_end(file):
    path = file("""
        def cell(x: "B"):
            def backward(dy):
                k = 0
                while k < 3:
                    k = k + 1
                return k * dy
            return 3 * x, backward
    """)
    _, _, every = made(path)
    assert {mutant.line for mutant in every} == {5, 8}


# The command line.


def run(*arguments):
    return CliRunner().invoke(main, ["mutate", *map(str, arguments)])


LAYER = """
    import warnings
    print("imported")

    def layer(x: "B H", f: "H"):
        y = f * x

        def backward(dy):
            print("called")
            warnings.warn("called")
            return dy * f, (dy * x).sum(axis=0)

        return y, backward
"""


def test_json_has_the_fields_that_the_page_gives(file):
    result = run(file(LAYER), "--json")
    assert result.exit_code == 0
    (cell,) = json.loads(result.stdout)["cells"]
    (shown,) = json.loads(fenced("json"))["cells"]
    assert set(cell) == set(shown)
    assert set(shown["survivors"][0]) == {field.name for field in dataclasses.fields(Survivor)}
    assert cell["cell"] == "layer"
    assert cell["mutants"] == cell["killed"] > 20
    assert cell["survivors"] == []


def test_a_wrong_cell_is_not_mutated(file):
    path = file(LAYER.replace("dy * f,", "dy * f * 2,"))
    result = run(path)
    assert result.exit_code == 2
    assert result.output == (
        "cell.py::layer: not judged\n"
        "cell.py::layer is wrong already, at dx[fd]. To see it: pytest cell.py::layer\n"
    )
    shown = json.loads(run(path, "--json").output)
    assert shown["cells"] == []
    assert shown["error"].startswith("cell.py::layer is wrong already")


def test_the_twin_is_asked_where_there_is_one(file, tmp_path):
    (tmp_path / "cases").mkdir()
    (tmp_path / "reference").mkdir()
    path = file(LAYER, "cases/layer.py")
    file("def layer(x, f):\n    return f * x * 2\n", "reference/layer.py")
    (score,) = mutate.mutate(path)
    assert "is wrong already, at forward[autograd]." in score.reason


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def broken(:", "cell.py:2 is not Python: invalid syntax."),
        ("", "cell.py defines no cell: no function has a shape string for each argument."),
        (None, "cell.py cannot be read: No such file or directory."),
        (
            """
            def backward(dy): return 2 * dy
            def cell(x: "B"):
                return 2 * x, backward
            """,
            "The backward of cell cannot be followed: it is not a function inside it.",
        ),
    ],
)
def test_what_cannot_be_judged_is_said_in_a_sentence(file, text, said):
    path = file(text or "")
    if text is None:
        path.unlink()
    result = run(path, "--json")
    assert result.exit_code == 2
    shown = json.loads(result.output)
    assert shown["cells"] == []
    assert shown["error"].startswith(said)
    assert said in run(path).output


def test_a_cell_that_is_not_there(file):
    with pytest.raises(CaseError, match=r"cell\.py has no cell other; it has layer\."):
        mutate.mutate(file(LAYER), "other")
    result = run("cell.py::other")
    assert result.exit_code == 2
    assert "has no cell other" in result.output


# The page.


def fenced(language=""):
    return re.search(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.M | re.S)[1]


def test_the_page_shows_what_is_printed():
    killed = Score("rnn", Path("cases/rnn.py"), killed=117)
    source, mutant = "dh_prev = da @ U.T", "dh_prev = da @ U"
    missed = Score("rnn", Path("cases/rnn.py"), 116, 8, (Survivor(16, source, mutant),))
    shown = "".join(re.findall(r"^```\n(.*?)^```$", PAGE, flags=re.M | re.S))
    assert shown == f"{scores.text(killed)}{scores.text(missed)}"


def test_the_figures_of_the_page_are_those_of_the_case():
    path = ROOT / "cases" / "rnn.py"
    (score,) = mutate.mutate(path, profile="fast", judge=lambda *_: "dx[fd]")
    assert f"all {score.killed} mutants killed\n" in fenced()
    assert score.equivalent == 0
    assert "on twelve generic examples" in PAGE
    assert equivalence._ORDINARY + equivalence._HUGE == 12
    assert f"`{equivalence.SAME:.0e}`".replace("e-0", "e-") in PAGE
    assert f"{mutate.MOST} mutants" in PAGE


def test_the_page_has_every_slip_and_every_code():
    for slip in mutants.SLIPS:
        codes = slip.codes.replace(" ", ", ")
        assert re.search(rf"^\| {re.escape(slip.name)} \| {codes} ?\|", PAGE, flags=re.M), slip.name
    codes = set(itertools.chain(*(slip.codes.split() for slip in mutants.SLIPS)))
    assert codes == {f"M{k}" for k in range(1, 23)}
    for code in codes:
        assert re.search(rf"^\| {code} \|", PAGE, flags=re.M)
