"""A cell at one's own numbers: the gradients by hand, what each witness says, and who is right."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array, Cell
from gradcheck.cells.returned import Unusable
from gradcheck.cells.unrolled import CLOCK, unroll
from gradcheck.checking.judge import Refer, by_autograd, gradient, numeric
from gradcheck.drawing import draw, given
from gradcheck.drawing.draw import Example
from gradcheck.errors import CaseError, WrongGradient
from gradcheck.evidence import Evidence, Examiner
from gradcheck.finding import Finding, Reason, Right, Unjudged, Wrong
from gradcheck.oracles.reference import Reference
from gradcheck.running.run import Crash
from gradcheck.show import record
from gradcheck.show.numbers import array, folded
from gradcheck.show.sentences import sentence
from gradcheck.source.cases import Malformed
from gradcheck.targets import Target, targets

GIVEN = "given"  # the regime of numbers that nobody drew


@dataclass(frozen=True, repr=False)
class Point:
    """``gradients`` by hand, ``truth`` by oracle and gradient, and what follows for each.

    ``findings`` are keyed as pytest's nodes are: "dW[fd]", "dW[autograd]".
    """

    cell: str
    inputs: Mapping[str, Any]
    cotangents: Mapping[str, Array]
    outputs: Mapping[str, Array]
    gradients: Mapping[str, Array]
    truth: Mapping[str, Mapping[str, Array]]
    findings: Mapping[str, Finding]

    @property
    def ok(self) -> bool:
        """Whether every gradient is right here; what cannot be judged is not."""
        return all(isinstance(one, Right) for one in self.findings.values())

    def __str__(self) -> str:
        lines = [f"{self.cell} at these numbers:"]
        for name, value in {**self.inputs, **self.cotangents}.items():
            lines.append(f"  {name} = {array(value, 40)}")
        lines += [f"  {name} = {array(value, 40)}" for name, value in self.outputs.items()]
        for label, finding in self.findings.items():
            name, oracle = label.removesuffix("]").split("[")
            lines.append(f"{label}: {_said(finding)}")
            lines.append(f"  by hand {array(self.gradients.get(name), 40)}")
            if name in self.truth.get(oracle, {}):
                lines.append(f"  true    {array(self.truth[oracle][name], 40)}")
        return "\n".join(lines)

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, in the form that docs/api.md gives."""
        plain = {
            "schema": record.SCHEMA,
            "cell": self.cell,
            "ok": self.ok,
            "inputs": self.inputs,
            "cotangents": self.cotangents,
            "outputs": self.outputs,
            "gradients": self.gradients,
            "truth": self.truth,
        }
        findings = {label: record.judged(one) for label, one in self.findings.items()}
        return {**record.plain(plain), "findings": findings}

    def raise_if_wrong(self) -> None:
        """Raise WrongGradient with this text if a gradient is wrong, or cannot be judged."""
        if not self.ok:
            raise WrongGradient(str(self))


@np.errstate(all="ignore")
def at(
    what: Any,
    inputs: Mapping[str, Any],
    cotangents: Mapping[str, Any] | None = None,
    reference: Any = None,
    steps: int | None = None,
) -> Point:
    """Judge a cell at one's own numbers, ``inputs`` by name and ``cotangents`` by output.

    ``what`` and ``reference`` are those of ``check``, of one cell. A cotangent that is left out
    is 1 for a scalar output, and drawn for others. With ``steps`` the cell is unrolled over so
    many: an argument that has a value of its own at every step gets time as its first axis, and
    each last state has a cotangent such as dh_last.

    Raises CaseError for numbers that do not fit the shapes of the cell.
    """
    evidence = posed(only(what, reference), inputs, cotangents, steps)
    return judged(evidence)


def posed(
    target: Target,
    inputs: Mapping[str, Any],
    cotangents: Mapping[str, Any] | None = None,
    steps: int | None = None,
    seed: int = 0,
) -> Evidence:
    """The evidence on a cell at one's own numbers; ``seed`` draws cotangents that are left out.

    Raises CaseError for numbers that do not fit.
    """
    for name, given_by_name in (("inputs", inputs), ("cotangents", cotangents or {})):
        if not isinstance(given_by_name, Mapping):
            said = type(given_by_name).__name__
            raise CaseError(f"{name} is {said}; write a dict of arrays by name.")
    counted(steps)
    twin, cell = target.twin(), target.cell
    if steps is not None:
        cell, twin, inputs = _steps(cell, twin, inputs, steps)
    taken = given.inputs(cell, inputs)
    example = Example(tuple(given.sizes(cell, taken).items()), seed, GIVEN, closely=True)
    wanted = dict(cotangents or {})

    def chosen(outputs: tuple[Array, ...]) -> tuple[Array, ...]:
        own = given.cotangents(cell, wanted, outputs)
        drawn = zip(cell.outputs, outputs, draw.cotangents(outputs, example), strict=True)
        return tuple(
            own.get(name, np.ones(()) if out.shape == () else one) for name, out, one in drawn
        )

    evidence = Evidence(Examiner(cell, twin), example, taken, chosen)
    with suppress(Crash):  # a finding of each gradient
        _ = evidence.cotangents  # or they are of no output, or of another shape
    return evidence


def counted(steps: Any) -> None:
    """Raises CaseError for a number of steps that is none."""
    if steps is not None and (not isinstance(steps, int) or steps < 0):
        raise CaseError(f"steps is {steps!r}; write a whole number from 0 up.")


def only(what: Any, reference: Any = None) -> Target:
    """The one cell that is meant. Raises CaseError if there are several, or none."""
    found = list(targets(what, reference))
    malformed = [one.message for one in found if isinstance(one, Malformed)]
    if malformed:
        raise CaseError("\n".join(malformed))
    cells = [one for one in found if isinstance(one, Target)]
    if len(cells) != 1:
        names = ", ".join(one.cell.name for one in cells)
        raise CaseError(f"{what} has several cells.\nWrite {what}::NAME, with one of {names}.")
    return cells[0]


def _steps(
    cell: Cell, twin: Any, inputs: Mapping[str, Any], steps: int
) -> tuple[Cell, Any, Mapping[str, Any]]:
    """The cell and its twin over time, and the inputs with what counts the steps."""
    over_time = unroll(cell)
    if over_time is None:
        raise CaseError(f"{cell.name} has no recurrent state, and so no steps to be unrolled over.")
    if twin is not None:
        from gradcheck.oracles import autograd

        twin = autograd.over_time(twin, cell)
    names = {argument.name for argument in over_time.cell.constants}
    clock = {CLOCK: np.zeros(steps)} if CLOCK in names else {}
    given_steps = given.sizes(over_time.cell, given.inputs(over_time.cell, {**inputs, **clock}))
    if given_steps[over_time.time] != steps:
        raise CaseError(
            f"steps is {steps}, but the inputs have {given_steps[over_time.time]} along time, "
            "their first axis."
        )
    return over_time.cell, twin, {**inputs, **clock}


def judged(evidence: Evidence) -> Point:
    """What each oracle says, and who is right."""
    cell = evidence.cell
    oracles: dict[str, Refer] = {"fd": numeric}
    if evidence.twin is not None:
        oracles["autograd"] = by_autograd
    findings: dict[str, Finding] = {}
    truth: dict[str, dict[str, Array]] = {oracle: {} for oracle in oracles}
    for argument in cell.arguments:
        for oracle, refer in oracles.items():
            label = f"d{argument.name}[{oracle}]"
            findings[label] = _judged(evidence, argument.name, refer)
            reference = _asked(evidence, argument.name, refer)
            if reference is not None and not reference.directions:
                truth[oracle][f"d{argument.name}"] = reference.value
    try:
        outputs = dict(zip(cell.outputs, evidence.outputs, strict=True))
        cotangents = {f"d{n}": d for n, d in zip(cell.outputs, evidence.cotangents, strict=True)}
        hand = dict(evidence.run.usable)
    except (Crash, CaseError):
        outputs, cotangents, hand = {}, {}, {}
    return Point(cell.name, evidence.inputs, cotangents, outputs, hand, truth, findings)


def _judged(evidence: Evidence, name: str, refer: Refer) -> Finding:
    """What is found of one gradient; one that is None is not derived yet."""
    with suppress(Crash, CaseError):
        hand = evidence.hand[name]
        if not evidence.cell.derived or (isinstance(hand, Unusable) and hand.kind == "missing"):
            return Unjudged(Reason.NOT_DERIVED)
    return gradient(name, refer)(evidence)


def _asked(evidence: Evidence, name: str, refer: Refer) -> Reference | None:
    try:
        return refer(evidence, name)
    except (Crash, CaseError):
        return None


def _said(finding: Finding) -> str:
    match finding:
        case Right():
            return "right"
        case Unjudged(reason):
            return f"not judged: {reason.value}"
        case Wrong():
            return folded(sentence(finding))
