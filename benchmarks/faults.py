"""Planted faults: each is one line of the backward in cases/lstm.py, written wrongly.

The codes M1 to M17 are those of the catalogue of mistakes that people make in recurrent cells;
the others are faults that a checker may overlook: small, rare, or of another kind than values.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gradcheck.cells.cell import Cell, Source
from gradcheck.oracles import twins
from gradcheck.oracles.autograd import Twin
from gradcheck.source.closure import closure

ROOT = Path(__file__).parent.parent
CASE = ROOT / "cases" / "lstm.py"

Step = Callable[..., Any]  # (eleven arrays) -> ((h, c), backward)


@dataclass(frozen=True)
class Fault:
    """``old`` stands in the case once; ``when`` says on which inputs the fault shows."""

    name: str
    what: str
    old: str
    new: str
    when: str = ""

    def applied(self, text: str) -> str:
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: the case has {text.count(self.old)} times {self.old!r}")
        return text.replace(self.old, self.new)


RIGHT = Fault("right", "nothing", "import numpy as np\n", "import numpy as np\n")


def step(fault: Fault) -> Step:
    """The LSTM step of the case with the fault in its backward."""
    space: dict[str, Any] = {}
    # Under the case's own name: gradcheck watches the lines of that file.
    exec(compile(fault.applied(_text()), str(CASE), "exec"), space)
    made: Step = space["lstm"]
    return made


def cell(fault: Fault) -> Cell:
    """The same as gradcheck's record."""
    return closure(step(fault), Source(CASE, 1))


@cache
def twin() -> Twin:
    """The one twin of them all."""
    found = twins.find(cell(RIGHT), ROOT / "reference" / CASE.name)
    assert found is not None
    return found


@cache
def _text() -> str:
    return CASE.read_text(encoding="utf-8")


# The lines of the case that most faults change.
_DC = "dc = dc + dh * o * (1 - np.tanh(c) ** 2)"
_DO = "do = dh * np.tanh(c)"
_DF = "df = dc * c_prev"
_DWF = "dWf, dbf = z.T @ daf, daf.sum(axis=0)"
_DWI = "dWi, dbi = z.T @ dai, dai.sum(axis=0)"
_DWC = "dWc, dbc = z.T @ dag, dag.sum(axis=0)"
_DWO = "dWo, dbo = z.T @ dao, dao.sum(axis=0)"
_DZ = "dz = daf @ Wf.T + dai @ Wi.T + dag @ Wc.T + dao @ Wo.T"
_SPLIT = "dh_prev, dx = dz[:, :H], dz[:, H:]"
_RETURN = "return dx, dh_prev, dc_prev, dWf, dWi, dWc, dWo, dbf, dbi, dbc, dbo"

FAULTS = (
    # The cell state and the two ways to it.
    Fault("dc dropped", "M1: the cotangent of c is not added", _DC, _DC.replace("dc + dh", "dh")),
    Fault("dh's path to c lost", "M12: c is reached by dc alone", _DC, "dc = dc.copy()"),
    Fault(
        "dc too late", "M2: df uses dc before the path through h is added",
        _DF, "df = (dc - dh * o * (1 - np.tanh(c) ** 2)) * c_prev",
    ),
    Fault(
        "dc in the brackets", "dc is multiplied by tanh's slope as well",
        _DC, "dc = (dc + dh * o) * (1 - np.tanh(c) ** 2)",
    ),
    Fault("tanh' of tanh", "M4: the slope at the activated value", _DC,
          "dc = dc + dh * o * (1 - np.tanh(np.tanh(c)) ** 2)"),
    Fault("missing square", "M5: 1 - tanh for 1 - tanh**2", _DC,
          "dc = dc + dh * o * (1 - np.tanh(c))"),
    Fault("o left out of dc", "the path through h without its gate", _DC,
          "dc = dc + dh * (1 - np.tanh(c) ** 2)"),
    Fault("c_prev severed", "M11: nothing is carried to the state before",
          "dc_prev = dc * f", "dc_prev = np.zeros_like(dc)"),
    Fault("dc_prev by i", "M6: by the input gate", "dc_prev = dc * f", "dc_prev = dc * i"),
    Fault("dc_prev without f", "the gate left out", "dc_prev = dc * f", "dc_prev = dc + 0"),
    # The gates' own gradients.
    Fault("c for c_prev", "M3: the new state for the old one", _DF, "df = dc * c"),
    Fault("do by c", "the tanh left out", _DO, "do = dh * c"),
    Fault("do by c_prev", "M3: the old state for the new one", _DO, "do = dh * np.tanh(c_prev)"),
    Fault("do by h", "M16: the value after the gate for the one before it", _DO, "do = dh * h"),
    Fault("di by i", "M6: its own gate for g", "di = dc * g", "di = dc * i"),
    Fault("dg by g", "M6: its own value for i", "dg = dc * i", "dg = dc * g"),
    # Slopes.
    Fault("forget gate's slope missing", "daf = df", "daf = df * f * (1 - f)", "daf = df + 0"),
    Fault("half of a slope", "1 - f without f", "daf = df * f * (1 - f)", "daf = df * (1 - f)"),
    Fault("sigmoid' of sigmoid", "M4: the slope at the activated value",
          "dai = di * i * (1 - i)", "dai = di * sigmoid(i) * (1 - sigmoid(i))"),
    Fault("slope by another gate", "M6: i * (1 - f)", "dai = di * i * (1 - i)",
          "dai = di * i * (1 - f)"),
    Fault("g's square missing", "M5: 1 - g for 1 - g**2",
          "dag = dg * (1 - g**2)", "dag = dg * (1 - g)"),
    Fault("g's slope missing", "dag = dg", "dag = dg * (1 - g**2)", "dag = dg + 0"),
    Fault("a plus in a slope", "1 + o for 1 - o", "dao = do * o * (1 - o)",
          "dao = do * o * (1 + o)"),
    # Weights and biases.
    Fault("h for h_prev", "M3: the new state in the gradient of a weight", _DWF,
          "dWf, dbf = np.concatenate([h, x], axis=1).T @ daf, daf.sum(axis=0)"),
    Fault("gate copied", "M6: dWf from the input gate", _DWF,
          "dWf, dbf = z.T @ dai, daf.sum(axis=0)"),
    Fault("dWf, dWi exchanged", "M6: returned in the wrong order", _RETURN,
          _RETURN.replace("dWf, dWi", "dWi, dWf")),
    Fault("dbc, dbo exchanged", "M6: returned in the wrong order", _RETURN,
          _RETURN.replace("dbc, dbo", "dbo, dbc")),
    Fault("sign of dWi", "a whole matrix", _DWI, _DWI.replace("z.T @", "-z.T @")),
    Fault("sign of dbo", "a whole bias", _DWO, _DWO.replace("dao.sum", "-dao.sum")),
    Fault("blocks of dWo exchanged", "the rows of x before those of h_prev", _DWO,
          "dWo, dbo = np.concatenate([x, h_prev], axis=1).T @ dao, dao.sum(axis=0)"),
    Fault("h_prev's rows of dWc are 0", "M11: the state before left out", _DWC,
          "dWc, dbc = np.concatenate([0 * h_prev, x], axis=1).T @ dag, dag.sum(axis=0)"),
    Fault("bias mean", "M7: the mean over the batch for the sum", _DWF,
          "dWf, dbf = z.T @ daf, daf.mean(axis=0)", "B > 1"),
    Fault("bias of one sample", "M7: the first sample only", _DWI,
          "dWi, dbi = z.T @ dai, dai[0]", "B > 1"),
    Fault("bias forgotten", "M17: zero", _DWC, "dWc, dbc = z.T @ dag, np.zeros_like(bc)"),
    Fault("divided by B", "M9: a weight averaged over the batch", _DWC,
          "dWc, dbc = z.T @ dag / len(z), dag.sum(axis=0)", "B > 1"),
    Fault("last sample only", "M8: overwritten, not accumulated", _DWO,
          "dWo, dbo = z[-1:].T @ dao[-1:], dao.sum(axis=0)", "B > 1"),
    # dx and dh_prev.
    Fault("gate left out of dz", "M1: without the output gate", _DZ,
          _DZ.replace(" + dao @ Wo.T", "")),
    Fault("one gate in dz", "M8: the last gate overwrites the others", _DZ, "dz = dao @ Wo.T"),
    Fault("wrong matrix in dz", "M6: Wc for Wi", _DZ, _DZ.replace("dai @ Wi.T", "dai @ Wc.T")),
    Fault("dx misses a gate", "dx without the forget gate", _SPLIT,
          "dh_prev, dx = dz[:, :H], dz[:, H:] - daf @ Wf[H:].T"),
    Fault("dh_prev misses a gate", "dh_prev without the input gate", _SPLIT,
          "dh_prev, dx = dz[:, :H] - dai @ Wi[:H].T, dz[:, H:]"),
    Fault("dx forgotten", "M13: zero", _SPLIT, "dh_prev, dx = dz[:, :H], np.zeros_like(x)"),
    Fault("sign of dx", "a whole input", _SPLIT, "dh_prev, dx = dz[:, :H], -dz[:, H:]"),
    Fault("blocks of dz exchanged", "x before h_prev", _SPLIT,
          "dh_prev, dx = dz[:, -H:], dz[:, :-H]"),
    Fault("transpose forgotten", "the square block of Wf as it stands", _SPLIT,
          "dh_prev, dx = dz[:, :H] + daf @ (Wf[:H] - Wf[:H].T), dz[:, H:]", "H > 1"),
    # Small.
    Fault("one entry zeroed", "the last of dWf", _DWF, _DWF + "; dWf[-1, -1] = 0"),
    Fault("one entry +1%", "the first of dWo", _DWO, _DWO + "; dWo[0, 0] *= 1.01"),
    Fault("dWc x 1.01", "a whole matrix", _DWC, _DWC.replace("z.T @", "1.01 * z.T @")),
    Fault("dWc x 1.001", "a whole matrix", _DWC, _DWC.replace("z.T @", "1.001 * z.T @")),
    Fault("dWc x 1.0001", "a whole matrix", _DWC, _DWC.replace("z.T @", "1.0001 * z.T @")),
    Fault("float32 inside", "seven digits of a gate's gradient", "dai = di * i * (1 - i)",
          "dai = (di * i * (1 - i)).astype(np.float32).astype(di.dtype)"),
    # Rare.
    Fault("clipped", "M15: at 1 and -1", _DWF,
          "dWf, dbf = np.clip(z.T @ daf, -1, 1), daf.sum(axis=0)", "an entry above 1"),
    Fault("zero in saturation", "tanh's slope taken as 0 from 0.999 on", "dag = dg * (1 - g**2)",
          "dag = dg * np.where(np.abs(g) < 0.999, 1 - g**2, 0)", "a saturated g"),
    Fault("small dx set to 0", "below 1e-3", _SPLIT,
          "dh_prev, dx = dz[:, :H], np.where(np.abs(dz[:, H:]) < 1e-3, 0, dz[:, H:])",
          "an entry below 1e-3"),
    Fault("wrong at B=1", "a squeezed batch halves a bias", _DWF,
          "dWf, dbf = z.T @ daf, daf.sum(axis=0) / (1 + (len(z) == 1))", "B = 1"),
    Fault("wrong where D=H", "dx and dh_prev exchanged where their shapes allow it", _SPLIT,
          "dh_prev, dx = (dz[:, :H], dz[:, H:])[:: 1 - 2 * (2 * H == len(Wf))]", "D = H"),
    Fault("wrong where c_prev is 0", "zero taken for missing", _DF,
          "df = dc * np.where(c_prev == 0, c, c_prev)", "a zero in c_prev"),
    # Other than values.
    Fault("not repeatable", "dWo moved by 1e-9 at random", _DWO,
          _DWO.replace("z.T @", "(1 + 1e-9 * np.random.standard_normal()) * z.T @")),
    Fault("writes into dc", "M14: += for = +", _DC, _DC.replace("dc = dc +", "dc +=")),
    Fault("writes into dh", "M14: clears it when it is done", "dao = do * o * (1 - o)",
          "dao = do * o * (1 - o); dh[...] = 0"),
    Fault("writes into what it keeps", "M14: right once, wrong when called again",
          "dao = do * o * (1 - o)", "o[...] = o * (1 - o); dao = do * o"),
)  # fmt: skip
