"""What cases declare: each contract is kept, checked, shown, and suggested where it is missing."""

from pathlib import Path

import numpy as np
import pytest

from gradcheck.cells import contracts
from gradcheck.cells.cell import Cell
from gradcheck.cells.unrolled import unroll
from gradcheck.checking.check import checks
from gradcheck.checking.explore import Plan, search
from gradcheck.drawing.draw import Example
from gradcheck.evidence import Examiner
from gradcheck.finding import Reason
from gradcheck.lines import instrument, suggest
from gradcheck.show import hints
from gradcheck.source import cases
from gradcheck.source.cases import Malformed

CASE = """
import numpy as np


def cell(x: "B D", h_prev: "B H", W: "D H", U: "H H"):
    a = x @ W + h_prev @ U
    {forward}

    def backward({cotangent}):
        {backward}
        return da @ W.T, da @ U.T, x.T @ da, h_prev.T @ da

    return h, backward
"""
RELU = ("h{} = np.maximum(a, 0)", "dh", "da = dh * (a > 0)")
GATED = ("m{} = np.exp(a)\n    h = np.tanh(a) * m", "dh", "da = dh * m * (1 - np.tanh(a) ** 2)")
UNIT = (
    "size = np.sqrt(np.sum(a * a, axis=1, keepdims=True))\n    h = a / size",
    "dh{}",
    "da = dh / size",
)
CLIPPED = ("h{} = np.sqrt(a * a)", "dh", "da = dh * a / np.maximum(h, 0.1)")

KINK = ': "kink where a = 0"'
CONSTANT = ': "constant"'
ORTHOGONAL = ': "orthogonal to h"'
CLIP = ': "slope clipped where h < 0.1"'


def written(folder: Path, parts: tuple[str, str, str], declared: str) -> Path:
    forward, cotangent, backward = (part.format(declared) for part in parts)
    path = folder / "cell.py"
    path.write_text(CASE.format(forward=forward, cotangent=cotangent, backward=backward))
    return path


def cell(path: Path) -> Cell:
    (found,) = cases.read(path)
    assert isinstance(found, Cell), found
    return found


def red(path: Path) -> set[str]:
    found = [check for check in checks(cell(path), None) if check.subject != "law"]
    return {check.label for check in found if search(check, Plan("fast", shrink=False)).failure}


@pytest.mark.parametrize(
    ("parts", "declared"), [(GATED, CONSTANT), (UNIT, ORTHOGONAL), (CLIPPED, CLIP)]
)
def test_a_contract_is_kept_where_declared_and_a_failure_where_not(
    parts: tuple[str, str, str], declared: str, tmp_path: Path
) -> None:
    assert not red(written(tmp_path, parts, declared))
    assert "dW[fd]" in red(written(tmp_path, parts, ""))


@pytest.mark.parametrize(
    ("parts", "declared"),
    [
        ((GATED[0], "dh", "da = dh * m * (2 - np.tanh(a) ** 2)"), CONSTANT),
        ((UNIT[0], UNIT[1], "da = 2 * dh / size"), ORTHOGONAL),
        ((RELU[0], "dh", "da = dh * (a > 0) * 0.99"), KINK),
        ((CLIPPED[0], "dh", "da = dh * a / np.maximum(h, 0.2)"), CLIP),
    ],
)
def test_a_wrong_backward_stays_wrong_under_its_contract(
    parts: tuple[str, str, str], declared: str, tmp_path: Path
) -> None:
    assert "dW[fd]" in red(written(tmp_path, parts, declared))


def test_a_constant_is_held_at_every_step_of_the_unrolled_cell(tmp_path: Path) -> None:
    found = unroll(cell(written(tmp_path, GATED, CONSTANT)))
    assert found is not None
    example = Example((("T", 3), ("B", 2), ("D", 2), ("H", 3)), seed=1)
    evidence = Examiner(found.cell).evidence(example)
    by_hand, true = evidence.hand["U"], evidence.numeric.best("U").value
    np.testing.assert_allclose(np.asarray(by_hand), true, rtol=1e-9)


def test_a_cell_with_a_contract_on_its_recurrent_cotangent_is_not_unrolled(tmp_path: Path) -> None:
    assert unroll(cell(written(tmp_path, UNIT, ORTHOGONAL))) is None
    assert unroll(cell(written(tmp_path, UNIT, ""))) is not None


def test_draws_at_a_kink_are_made_again_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "cell.py"
    path.write_text(
        "import numpy as np\n\n"
        'def cell(x: "N", *, mask: "N in {0, 1}"):\n'
        "    a = x * mask\n"
        '    h: "kink where a = 0" = np.maximum(a, 0)\n\n'
        "    def backward(dh):\n"
        "        return (dh * mask * (a > 0),)\n\n"
        "    return h, backward\n"
    )
    check = next(iter(checks(cell(path), None)))
    record = search(check, Plan("fast"))
    assert record.failure is None
    assert record.tally.examples == 20
    assert record.tally.unjudged[Reason.KINK] > 0


def test_cotangents_are_projected_along_the_last_axis() -> None:
    generator = np.random.default_rng(0)
    h, dh = generator.normal(size=(2, 3, 4)), generator.normal(size=(2, 3, 4))
    h[0, 0] = 0.0
    declared = contracts.Contract(contracts.ORTHOGONAL, "h", "orthogonal to h", 1)
    (projected,) = contracts.cotangents([declared], ["h"], [h], [dh])
    assert np.max(np.abs(np.sum(projected * h, axis=-1))) < 1e-14
    np.testing.assert_array_equal(projected[0, 0], dh[0, 0])


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (
            GATED,
            "Every gradient is right if m is a constant. If that is meant, declare it: "
            '`m: "constant" = ...`.',
        ),
        (
            UNIT,
            "Every gradient is right where dh is orthogonal to h. If that is meant, declare it: "
            '`def backward(dh: "orthogonal to h"):`.',
        ),
        ((GATED[0], "dh", "da = 2 * dh * m * (1 - np.tanh(a) ** 2)"), ""),
    ],
)
def test_the_contract_that_is_missing_is_named(
    parts: tuple[str, str, str], said: str, tmp_path: Path
) -> None:
    read = instrument.read(written(tmp_path, parts, ""), "cell")
    hint = suggest.contract(read, ["W", "x"])
    assert (hints.sentence(hint) if hint else "") == said


@pytest.mark.parametrize(
    ("parts", "declared", "said"),
    [
        (
            RELU,
            ': "kink at 0"',
            'Line 7 declares h: "kink at 0", which is no contract.\n'
            'Write "kink where a = 0", "slope clipped where a < 1e-6" or "constant" '
            "(docs/contracts.md).",
        ),
        (
            RELU,
            ': "kink where a == 0"',
            'Line 7 declares h: "kink where a == 0", which is no contract.\n'
            'Write "kink where a = 0", "slope clipped where a < 1e-6" or "constant" '
            "(docs/contracts.md).",
        ),
        (
            UNIT,
            ': "orthogonal to c"',
            'Line 10 declares dh: "orthogonal to c", which is no contract.\n'
            'Write "zero", or "orthogonal to h" (docs/contracts.md).',
        ),
    ],
)
def test_a_contract_that_cannot_be_read_is_told(
    parts: tuple[str, str, str], declared: str, said: str, tmp_path: Path
) -> None:
    (found,) = cases.read(written(tmp_path, parts, declared))
    assert isinstance(found, Malformed)
    assert found.message == said


def test_a_helper_declares_for_the_cells_that_call_it(tmp_path: Path) -> None:
    path = tmp_path / "cell.py"
    path.write_text(
        "import numpy as np\n\n"
        'def cell(x: "N"):\n'
        "    h = relu(x)\n\n"
        "    def backward(dh):\n"
        "        return (dh * (x > 0),)\n\n"
        "    return h, backward\n\n"
        "def relu(a):\n"
        '    h: "kink where a = 0" = np.maximum(a, 0)\n'
        "    return h\n"
    )
    assert [str(contract) for contract in cell(path).contracts] == ["h: kink where a = 0"]
