"""Derivations as plain equations: what is read, how it is mended, and what is refused."""

import textwrap
from pathlib import Path

import pytest

from gradcheck.api import proofread
from gradcheck.errors import CaseError
from gradcheck.paper import reader, writer

ROOT = Path(__file__).parents[2]


def test_the_four_misprints_of_the_slide_are_found_and_mended():
    (proof,) = proofread(ROOT / "docs" / "slide.md")
    assert proof.verdict == "wrong"
    assert {line.source: line.mends[0] for line in proof.lines if line.verdict == "wrong"} == {
        "∂E/∂â = ∂E/∂a ⊙ [1 - tanh(â)]": "∂E/∂â = ∂E/∂a ⊙ (1 - tanh²(â))",
        "∂E/∂î = ∂E/∂i ⊙ â ⊙ (1 - â)": "∂E/∂î = ∂E/∂i ⊙ i ⊙ (1 - i)",
        "∂E/∂f̂ = ∂E/∂f ⊙ f̂ ⊙ (1 - f̂)": "∂E/∂f̂ = ∂E/∂f ⊙ f ⊙ (1 - f)",
        "∂E/∂ô = ∂E/∂o ⊙ ô ⊙ (1 - ô)": "∂E/∂ô = ∂E/∂o ⊙ o ⊙ (1 - o)",
    }
    assert proof.missing == ("dx", "dh_prev")
    by_source = {line.source: line.verdict for line in proof.lines}
    assert by_source["∂E/∂f = δc ⊙ c_prev"] == "right"
    assert by_source["δW_f = ∂E/∂f̂ · xᵀ"] == "fed-by-wrong"


RNN = """
shapes: x: D 1, h_prev: H 1, W: H D, U: H H, b: H 1
outputs: h

Forward:
a = W @ x + U @ h_prev + b   # the pre-activation
h = {forward}

Backward:
δa = δh * {slope}
dW = δa @ {xt}
Δb = δa
dx = W^T @ δa
dU = δa · h_prev.T
dh_prev = Uᵀ · δa
"""


@pytest.fixture
def notes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text=None, name="notes.md", **parts):
        path = tmp_path / name
        parts = {"forward": "tanh(a)", "slope": "(1 - h^2)", "xt": "xᵀ"} | parts
        path.write_text(RNN.format(**parts) if text is None else text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("slope", ["(1 - h^2)", "[1 − h²]", "(1 - tanh^2(a))", "(1 - h**2)"])
@pytest.mark.parametrize("xt", ["xᵀ", "x^T", "x.T"])
def test_signs_may_be_written_in_many_ways(notes, slope, xt):
    (proof,) = proofread(notes(slope=slope, xt=xt))
    assert (proof.verdict, proof.missing, proof.reason) == ("right", (), "")


def test_functions_and_sums(notes):
    (proof,) = proofread(notes(forward="2 × σ(2 ⊙ a) - 1", slope="(1 - h²)"))
    assert proof.verdict == "right"
    text = """
    shapes: x: B D, W: D H, b: H
    outputs: y
    # Forward
    y = exp(x · W + b)
    # Backward
    δa = δy ⊙ y
    δx = δa · Wᵀ
    δW = xᵀ · δa
    δb = sum(δa, 0)
    """
    (proof,) = proofread(notes(textwrap.dedent(text)))
    assert proof.verdict == "right"


def test_a_mend_is_written_in_the_signs_of_the_file(notes):
    (proof,) = proofread(notes(slope="(1 - h)"))
    (wrong,) = (line for line in proof.lines if line.verdict == "wrong")
    assert wrong.mends[0] == "δa = δh ⊙ (1 - h²)"


HEAD = "shapes: x: D 1, W: H D\noutputs: h\nforward:\nh = tanh(W @ x)\nbackward:\n"
INSTEAD = (
    "Write one equation, such as `δc = δc + δh ⊙ o ⊙ (1 - tanh²(c))`; a product has a sign, ⊙ or * "
    "by entries, · or @ for matrices."
)


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("dx = __import__('os')", 16, "'(' was not expected here."),
        ("dx = W.__class__", 7, "'.' cannot stand in an equation."),
        ("dx = W x", 8, "'x' was not expected here."),
        ("dx = (W @ dh", 11, "the end of the line was not expected here."),
        ("dx = W[0]", 7, "'[' was not expected here."),
        ("dx = open(dh)", 10, "'(' was not expected here."),
        ("dx = dh; import os", 8, "';' was not expected here."),
        ("dx = lambda: 0", 12, "':' cannot stand in an equation."),
        ("dx = dh if 1 else 2", 9, "'if' was not expected here."),
    ],
)
def test_what_is_no_equation_is_refused_with_line_and_column(notes, line, column, reason):
    with pytest.raises(CaseError) as caught:
        reader.read(notes(HEAD + line))
    said = str(caught.value)
    assert (
        said == f"notes.md:6:{column}: {reason}\n    {line}\n    {' ' * (column - 1)}^\n{INSTEAD}"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "dx = Wᵀ @ dz", "notes.md:6:11: dz is not known here."),
        (HEAD + "dx = dh ^ 99999999", "notes.md:6:11: the power 99999999 is not allowed."),
        (HEAD + "dx = " + "(" * 200 + "dh" + ")" * 150, "brackets nested 200 deep."),
        (HEAD + "dx = " + "dh + " * 500 + "dh", "a line of 2507 characters."),
        (HEAD + "__a = dh", "notes.md:6:1: '__a' is not a name."),
        (HEAD + "dx = __builtins__", "notes.md:6:6: '__builtins__' is not a name."),
        (HEAD + "tanh = dh", "'tanh' is taken."),
        (HEAD + "backward = dh", "'backward' is taken."),
        (HEAD.replace("D 1", "999999999 1") + "dx = dh", "999999999 is not the size of an axis."),
        (HEAD.replace("D 1", "40000 40000") + "dx = dh", "is too large to be worked."),
        (HEAD.replace("D 1", "D)") + "dx = dh", "'D)' is not an axis."),
        (HEAD, "notes.md has no backward part.\nWrite a line `backward:` and equations below it."),
        ("backward:\ndx = dh", "notes.md declares no shapes."),
        (HEAD.replace("outputs: h\n", "") + "dx = dh", "notes.md names no outputs."),
        (HEAD.replace("outputs: h", "outputs: q") + "dx = dh", "the output q is not computed"),
        ("a\n" * 1000, "notes.md has 1000 lines, 400 at most."),
        ("x" * 100_000, "notes.md is longer than 64000 bytes."),
    ],
)
def test_a_strangers_file_is_bounded_and_told_what_is_wrong(notes, text, said):
    with pytest.raises(CaseError) as caught:
        reader.read(notes(text))
    assert said in str(caught.value)


def test_a_file_that_is_not_text(tmp_path):
    path = tmp_path / "notes.md"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CaseError, match="is not UTF-8 at byte 0"):
        reader.read(path)


def test_nothing_of_the_file_can_reach_python(notes):
    """Every name of the tree is declared, assigned above, or one of the five functions."""
    read, _ = writer.cell(notes())
    assert set(read.hooks.module["__builtins__"]) == {"locals", "__import__"}
    with pytest.raises(CaseError, match="'__import__' is not a name"):
        reader.read(notes(HEAD + "dx = __import__"))


def test_shapes_that_do_not_fit_are_told(notes):
    with pytest.raises(CaseError, match=r"(?s)Its forward fails at .*notes\.md:4: h = tanh"):
        proofread(notes(HEAD.replace("W: H D", "W: D H") + "dx = dh"))
