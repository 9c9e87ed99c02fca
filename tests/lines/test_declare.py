"""Exact ties, which draws avoid: at a kink each case takes a slope between those of its two sides.

One argument is moved by a little either way; the gradients at the tie must lie between, entry by
entry, because a kink of one entry joins the two sides by a straight line.
"""

from pathlib import Path

import numpy as np
import pytest

from gradcheck.cells import contracts
from gradcheck.cells.cell import Cell
from gradcheck.source import cases

CASES = Path(__file__).parents[2] / "cases"
STEP = 1e-7


def cell(file: str, name: str) -> Cell:
    return next(found for found in cases.read(CASES / f"{file}.py") if found.name == name)


def column(*values):
    return np.array([list(values)], dtype=float).T


def gradients(cell, inputs):
    outputs, backward = cell.run(inputs)
    generator = np.random.default_rng(1)
    returned = backward([generator.normal(size=np.shape(output)) for output in outputs])
    return {a.name: g for a, g in zip(cell.arguments, returned, strict=True)}


def drawn(cell, **fixed):
    """Inputs of one sample and one unit, some of them fixed."""
    generator = np.random.default_rng(0)
    sizes = dict.fromkeys(cell.size_names, 1)
    inputs = {}
    for argument in cell.arguments + cell.constants:
        shape = argument.shape.sizes(sizes)
        inputs[argument.name] = np.full(shape, fixed.get(argument.name, generator.uniform(0.2, 1)))
    return inputs


# The case, what makes its kink exact at one unit, and the argument that moves it either way.
TIES = [
    ("rnn_relu", "rnn_relu", {"x": 0.5, "W": 1.0, "h_prev": 0.25, "U": -1.0, "b": -0.25}, "b"),
    ("indrnn", "indrnn", {"x": 0.5, "W": 1.0, "h_prev": 0.25, "u": -1.0, "b": -0.25}, "b"),
    ("mingru", "mingru", {"Wh": 0.0}, "Wh"),
    ("mingru", "minlstm", {"Wh": 0.0}, "Wh"),
    ("slstm", "slstm", {"W": 0.0, "R": 0.0, "b": 0.0, "m_prev": np.log(2.0)}, "m_prev"),
    ("mlstm", "mlstm", {"ai": 0.0, "af": 0.0, "m_prev": np.log(2.0)}, "m_prev"),
    ("rwkv", "rwkv4", {"w_raw": 0.0, "o_prev": 1.5, "k": 0.5}, "o_prev"),
]


@pytest.mark.parametrize(("file", "name", "fixed", "moved"), TIES, ids=lambda part: str(part)[:12])
def test_the_slope_at_a_tie_is_between_those_of_the_two_sides(file, name, fixed, moved):
    found = cell(file, name)
    inputs = drawn(found, **fixed)
    assert found.at(inputs).margin <= contracts.NEAR
    assert found.at({**inputs, moved: inputs[moved] + 0.1}).margin > contracts.NEAR
    at = gradients(found, inputs)
    below = gradients(found, {**inputs, moved: inputs[moved] - STEP})
    above = gradients(found, {**inputs, moved: inputs[moved] + STEP})
    differs = 0.0
    for argument in at:
        sides = np.stack([below[argument], above[argument]])
        loose = 100 * STEP * (1 + np.max(np.abs(sides)))
        assert np.all(at[argument] >= sides.min(axis=0) - loose), argument
        assert np.all(at[argument] <= sides.max(axis=0) + loose), argument
        differs = max(differs, float(np.max(np.abs(sides[0] - sides[1]))))
    assert differs > 1e-3, "no slope jumps: this is no tie"


def test_every_declared_kink_has_a_tie():
    declared = {
        (path.stem, found.name)
        for path in sorted(CASES.glob("[!_]*.py"))
        for found in cases.read(path)
        if any(contract.kind == contracts.KINK for contract in found.contracts)
    }
    without = {("indrnn", "indrnn_tanh"), ("mlstm", "mlstm_constant_normaliser")}
    assert declared - without == {(file, name) for file, name, _, _ in TIES} - without


def test_a_slope_that_counts_both_sides_is_not_between_them(tmp_path):
    text = (CASES / "rnn_relu.py").read_text(encoding="utf-8")
    assert text.count("(a > 0)") == 1
    path = tmp_path / "rnn_relu.py"
    path.write_text(text.replace("(a > 0)", "((a > 0) + 2.0 * (a == 0))"), encoding="utf-8")
    (found,) = cases.read(path)
    inputs = drawn(found, **TIES[0][2])
    at = gradients(found, inputs)["b"]
    sides = [gradients(found, {**inputs, "b": inputs["b"] + s})["b"] for s in (-STEP, STEP)]
    assert not min(sides) - 1e-3 <= at <= max(sides) + 1e-3
