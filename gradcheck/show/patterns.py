"""What is striking about a wrong gradient, in a sentence."""

from collections.abc import Callable, Mapping
from typing import Any

from gradcheck.drawing.draw import AT_REST
from gradcheck.verdicts.patterns import Pattern

_POWERS = {1.0: "{}", -1.0: "1/{}", 0.5: "sqrt({})", -0.5: "1/sqrt({})"}
_REGIMES = {
    AT_REST: "where the states are zero",
    "saturated": "where gates saturate",
    "huge": "on huge inputs",
    "tiny": "on tiny inputs",
    "zeros": "where some states or cotangents are zero",
    "fortran": "on arrays in Fortran order",
    "strided": "on arrays that are not contiguous",
}


def sentence(pattern: Pattern) -> str:
    """The pattern in one sentence."""
    return _SENTENCES[pattern.kind](pattern.name, pattern.facts)


def _sign(name: str, facts: Mapping[str, Any]) -> str:
    return f"{name} has the wrong sign."


def _transposed(name: str, facts: Mapping[str, Any]) -> str:
    return f"{name} is transposed."


def _factor(name: str, facts: Mapping[str, Any]) -> str:
    if "sizes" in facts:
        power, size = facts["power"], "*".join(facts["sizes"])
        hint = ": a mean where a sum belongs" if power == -1 else ""
        grouped = f"({size})" if power == -1 and len(facts["sizes"]) > 1 else size
        return f"{name} is {_POWERS[power].format(grouped)} times what it should be{hint}."
    if "factor" in facts:
        digits = 6 if abs(facts["factor"] - 1) > 1e-5 else 12
        return f"{name} is {facts['factor']:.{digits}g} times what it should be."
    listed = ", ".join(f"{factor:.4g}" for factor in facts["factors"])
    return f"{name} is a multiple of what it should be, by factors that vary: {listed}."


def _another(name: str, facts: Mapping[str, Any]) -> str:
    other = facts["other"]
    if facts["mutual"]:
        return f"{name} and {other} are swapped: each holds the other's value."
    return f"{name} is the true {other}."


def _interchanged(name: str, facts: Mapping[str, Any]) -> str:
    listed = " and ".join(map(str, facts["blocks"]))
    return f"Blocks {listed} (from 0) of {name} along axis {facts['axis']} are interchanged."


def _blocks(name: str, facts: Mapping[str, Any]) -> str:
    colons = ":, " * facts["axis"]
    listed = " and ".join(f"{name}[{colons}{label}]" for label in facts["blocks"])
    return f"Only {listed} {'is' if len(facts['blocks']) == 1 else 'are'} wrong."


def _only(name: str, facts: Mapping[str, Any]) -> str:
    if facts["tie"]:
        where = f"where {' = '.join(facts['sizes'])}"
    elif facts["sizes"]:
        ((size, value),) = facts["sizes"].items()
        where = f"where {size} = {value}"
    else:
        where = _REGIMES[facts["regime"]]
    return f"It is {facts['word']} only {where}."


def _agree_at_zero(name: str, facts: Mapping[str, Any]) -> str:
    """Of a case and its twin, whose forwards differ elsewhere."""
    named = " and ".join(facts["names"])
    where = f"every one of the {facts['kind']}, {named}," if facts["kind"] else named
    return f"The two agree where {where} is zero: look at the terms that it enters."


def _gates_exchanged(name: str, facts: Mapping[str, Any]) -> str:
    gates = " and ".join(facts["gates"])
    swaps = ", ".join(f"{one} for {other}" for one, other in facts["pairs"])
    return f"The two agree with the gates {gates} exchanged: {swaps}."


def _gate_flipped(name: str, facts: Mapping[str, Any]) -> str:
    gate, names = facts["gate"], ", ".join(facts["names"])
    return (
        f"The two agree once {names} change sign: one has 1 - {gate} where the other has {gate}, "
        f"if {gate} is a sigmoid."
    )


def _blocks_exchanged(name: str, facts: Mapping[str, Any]) -> str:
    twin = ", ".join(map(str, facts["order"]))
    case = ", ".join(map(str, sorted(facts["order"])))
    return (
        f"The two agree with the blocks of {facts['axis']} exchanged: where the case has {case}, "
        f"the twin has {twin}."
    )


def _block_flipped(name: str, facts: Mapping[str, Any]) -> str:
    return (
        f"The two agree once block {facts['block']} (from 0) of {facts['axis']} changes sign: one "
        "has 1 minus the gate that the other has, if it is a sigmoid."
    )


_SENTENCES: Mapping[str, Callable[[str, Mapping[str, Any]], str]] = {
    "sign": _sign,
    "factor": _factor,
    "transposed": _transposed,
    "another": _another,
    "interchanged": _interchanged,
    "blocks": _blocks,
    "only": _only,
    "agree-at-zero": _agree_at_zero,
    "gates-exchanged": _gates_exchanged,
    "gate-flipped": _gate_flipped,
    "blocks-exchanged": _blocks_exchanged,
    "block-flipped": _block_flipped,
}
