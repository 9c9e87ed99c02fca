"""README and docs say what is so: their code is the code, their failure is a failure as printed."""

import ast
import json
import re
from pathlib import Path

import pytest
import torch  # noqa: F401  # before pytester, which would unload it between its runs

import gradcheck
from gradcheck.api import proofread
from gradcheck.cells.cell import Cell
from gradcheck.cells.shapes import parse
from gradcheck.drawing.draw import REGIMES
from gradcheck.drawing.strategies import PROFILES
from gradcheck.finding import Reason
from gradcheck.laws.every import LAWS
from gradcheck.new import write
from gradcheck.show import proofs, record
from gradcheck.source.cases import read
from gradcheck.source.closure import closure

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
DECIDING, SHAPES = DOCS["deciding.md"], DOCS["shapes.md"]


def blocks(text, language=""):
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.M | re.S)
    return [block for marked, block in fenced if marked == language]


def test_the_case_in_the_readme_is_the_case():
    (shown,) = blocks(README, "python")
    written = ast.parse((ROOT / "cases" / "rnn.py").read_text(encoding="utf-8"))
    del written.body[0]  # its docstring
    assert ast.unparse(ast.parse(shown)) == ast.unparse(written)


def test_the_failure_in_the_readme_is_printed_so(pytester):
    (shown,) = blocks(README)
    case = (ROOT / "cases" / "rnn.py").read_text(encoding="utf-8")
    pytester.mkdir("cases").joinpath("rnn.py").write_text(
        case.replace("da.sum(axis=0)", "da.mean(axis=0)"), encoding="utf-8"
    )
    twin = (ROOT / "reference" / "rnn.py").read_text(encoding="utf-8")
    pytester.mkdir("reference").joinpath("rnn.py").write_text(twin, encoding="utf-8")
    pytester.makeini("[pytest]\ngradcheck_cases = cases\n")
    printed = str(pytester.runpytest("cases/rnn.py::rnn::db[fd]").stdout)
    assert _unmeasured(shown.strip()) in _unmeasured(printed)
    assert len(shown.splitlines()) <= 30


def _unmeasured(text):
    return re.sub(r"\d(\.\d)?e-1\d", "#", text)


def test_the_page_on_proofreading_shows_what_is_printed():
    path = ROOT / "docs" / "slide.md"
    (proof,) = proofread(path)
    printed_lines = proofs.text(proof, numbers=False).plain.splitlines()
    shown = blocks(DOCS["proofreading.md"])[0].splitlines()
    assert [line.split() for line in shown[1:]] == [line.split() for line in printed_lines[1:3]]
    assert shown[0].endswith("slide.md::slide: wrong")


def test_the_notes_on_the_page_on_proofreading_are_read(tmp_path):
    path = tmp_path / "notes.md"
    path.write_text(blocks(DOCS["proofreading.md"])[1], encoding="utf-8")
    (proof,) = proofread(path)
    assert {line.verdict for line in proof.lines} == {"right"}
    assert proof.missing == ("dx", "dh_prev", "dU", "db")


def test_the_json_on_the_page_on_proofreading_has_the_fields_that_there_are():
    (shown,) = blocks(DOCS["proofreading.md"], "json")
    (cell,) = json.loads(shown)["cells"]
    (proof,) = proofread(ROOT / "docs" / "slide.md")
    real = record.proof(proof)
    assert set(cell) == set(real)
    assert set(cell["lines"][0]) == set(real["lines"][0])


def test_every_link_of_the_readme_leads_somewhere():
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("text", re.findall(r"^\| `\"(.*?)\"` \|", SHAPES, flags=re.M))
def test_every_string_of_the_grammar_page_is_read(text):
    parse(text)


def test_the_example_of_the_grammar_page_is_a_cell():
    (shown,) = blocks(SHAPES, "python")
    space = {}
    body = "    def backward(dy): ...\n    return q + 0, backward\n"
    exec(shown.replace(" ...", "\n" + body), space)
    assert closure(space["attend"]).size_names == ("B", "K", "T", "V")


def test_the_page_on_deciding_names_every_regime_and_the_readme_every_law_and_profile():
    for regime in REGIMES:
        assert regime in DECIDING
    for law in LAWS:
        assert f"`law[{law}]`" in README
    for profile in PROFILES:
        assert profile in README + DECIDING


def test_the_page_on_deciding_has_every_reason_that_the_table_may_show():
    for reason in Reason:
        assert reason.idle or f"`{reason.value}`" in DECIDING


def test_the_figures_of_the_page_on_deciding_are_those_of_the_code():
    from gradcheck.running import compare, monte_carlo, precision

    assert f"{compare.OPERATIONS} eps" in DECIDING
    assert f"{precision.DOUBLE.deviations:.0f} standard deviations" in DECIDING
    assert precision.DOUBLE.widest == 1e-6
    assert precision.SINGLE.widest == 1e-3
    assert monte_carlo.SAMPLES == 8


def test_every_case_says_what_it_is_where_it_was_published_and_what_its_letters_mean():
    for path in sorted((ROOT / "cases").glob("[!_]*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        own = {
            f.name: ast.get_docstring(f) or "" for f in tree.body if isinstance(f, ast.FunctionDef)
        }
        said = ast.get_docstring(tree)
        assert re.search(r"\(\d{4}\)", said + " ".join(own.values())), f"{path.name}: no source"
        for cell in read(path):
            assert isinstance(cell, Cell)
            for name in cell.size_names:
                assert re.search(rf"\b{name}\b", said + own[cell.name]), (
                    f"{path.name} does not say what {name} is"
                )


PAPER = DOCS["from-paper-to-case.md"]


@pytest.fixture
def paper(tmp_path, monkeypatch):
    """A folder with the forward and the twin of the page; writes a backward into the case."""
    monkeypatch.chdir(tmp_path)
    forward, twin, *_ = blocks(PAPER, "python")
    for folder, text in (("cases", forward), ("reference", twin)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "fastgrnn.py").write_text(text, encoding="utf-8")

    def write(backward):
        text = forward.replace("    return h\n", f"\n{backward}\n    return h, backward\n", 1)
        Path("cases/fastgrnn.py").write_text(text, encoding="utf-8")

    return write


def test_the_forward_of_the_paper_is_its_twins_and_not_derived(paper):
    report = gradcheck.check("cases/fastgrnn.py", profile="fast")
    assert [one.passed for one in report.results if one.subject == "forward"] == [True]
    assert report.results[0].unjudged == {"not derived": 8}
    twin = Path("reference/fastgrnn.py")
    text = twin.read_text(encoding="utf-8").replace("z * h_prev + (", "(")
    twin.write_text(text, encoding="utf-8")
    said = str(gradcheck.check("cases/fastgrnn.py", profile="fast"))
    (agreement,) = (block for block in blocks(PAPER) if block.startswith("The two agree"))
    assert agreement.strip() in said


def test_the_stubs_of_the_paper_are_those_that_are_written_and_told(paper):
    stubs = blocks(PAPER, "python")[2]
    write("derived", Path("cases"), Path("reference"), "cases/fastgrnn.py")
    assert stubs in Path("cases/derived.py").read_text(encoding="utf-8")
    paper(stubs)
    (message,) = (block for block in blocks(PAPER) if "is not finished" in block)
    assert message.strip() in str(gradcheck.check("cases/fastgrnn.py", profile="fast"))


def test_the_paper_is_proofread_as_the_page_shows(paper):
    stubs, first = blocks(PAPER, "python")[2:4]
    for line in first.splitlines():
        name = line.split(" = ")[0]
        stubs = re.sub(rf"^{name} = \.\.\..*$", line, stubs, flags=re.M)
    paper(stubs)
    (shown,) = (block for block in blocks(PAPER) if "✗" in block)
    (proof,) = gradcheck.proofread("cases/fastgrnn.py")
    assert shown in proofs.text(proof, numbers=False).plain


def test_the_derivation_of_the_paper_is_right(paper):
    paper(blocks(PAPER, "python")[4])
    gradcheck.check("cases/fastgrnn.py", profile="fast").raise_if_wrong()


def test_contributing_fits_one_screen():
    assert len((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").splitlines()) <= 40
