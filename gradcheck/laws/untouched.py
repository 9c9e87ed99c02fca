"""Arrays belong to whom they were handed to: nothing is written into, nothing is shared."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array, Backward
from gradcheck.cells.returned import Unusable, gradients
from gradcheck.drawing import draw
from gradcheck.evidence import Evidence

_DEEP = 6  # containers and functions inside one another that are looked into


def purity(evidence: Evidence) -> str | None:
    """Nothing is written into: what was handed in, the outputs, and what the forward kept."""
    cell = evidence.cell
    given = draw.writable(evidence.inputs)
    with evidence.caller.crashing("The forward"):
        outputs, backward = cell.run(given)
    kept = [output.copy() for output in outputs]
    cotangents = [cotangent.copy() for cotangent in evidence.cotangents]
    forward_wrote = list(changed(evidence.inputs, given))
    if forward_wrote:
        name = forward_wrote[0]
        return (
            f"The forward writes into its argument {name}.\n"
            f"Work on a copy: `{name} = {name}.copy()`."
        )
    cache = _snapshot(backward)
    with evidence.caller.crashing("backward"):
        backward(cotangents)
    names = [f"d{output}" for output in cell.outputs]
    cotangents_before = dict(zip(names, evidence.cotangents, strict=True))
    for name in changed(cotangents_before, dict(zip(names, cotangents, strict=True))):
        return (
            f"backward writes into {name}, which belongs to its caller.\n"
            f"Write `{name} = {name} + ...` where it says `{name} += ...` or stores into {name}."
        )
    for name in changed(evidence.inputs, given):
        return f"backward writes into the argument {name}.\nWork on a copy: `{name}.copy()`."
    for name, before, after in zip(cell.outputs, kept, outputs, strict=True):
        if not _same(before, after):
            return f"backward writes into the output {name}.\nWork on a copy: `{name}.copy()`."
    for name, was in cache.items():
        difference = _difference(was, _held(backward).get(name))
        if difference is not None:
            inside = difference == _COPY and not isinstance(was.parts, np.ndarray)
            return f"backward {(_INSIDE if inside else difference).format(name=name)}"
    if evidence.caller.writes:
        return "It writes into an array that was handed in, though it leaves every value as it was."
    return None


def aliasing(evidence: Evidence) -> str | None:
    """No gradient shares memory with what was handed in, with an output or another gradient."""
    cell, caller = evidence.cell, evidence.caller
    given = caller.handed(evidence.inputs)
    with caller.crashing("The forward"):
        outputs, backward = cell.run(given)
    cotangents = [d.copy() for d in evidence.cotangents] if caller.writes else evidence.cotangents
    arguments = [given[argument.name] for argument in cell.arguments]
    with caller.crashing("backward"):
        found = gradients(cell, backward(cotangents), arguments)
    owners: list[tuple[str, Array]] = [
        *((f"the cotangent d{n}", d) for n, d in zip(cell.outputs, cotangents, strict=True)),
        *((f"the argument {a.name}", given[a.name]) for a in cell.arguments),
        *((f"the output {n}", out) for n, out in zip(cell.outputs, outputs, strict=True)),
    ]
    for name, gradient in found.items():
        if isinstance(gradient, Unusable):
            continue
        for owner, array in owners:
            if np.shares_memory(gradient, array):
                return (
                    f"d{name} shares memory with {owner}.\nAdding to one in place would change "
                    f"the other: return `d{name}.copy()`."
                )
        owners.append((f"the gradient d{name}", gradient))
    return None


def bits(evidence: Evidence, backward: Backward, what: str) -> dict[str, Array]:
    """The usable gradients that a backward returns."""
    returned = evidence.caller.backward(backward, evidence.cotangents, what)
    found = evidence.caller.gradients(returned, evidence.inputs)
    return {name: g for name, g in found.items() if not isinstance(g, Unusable)}


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """The names whose values differ in any bit."""
    return (name for name in before if not _same(before[name], after[name]))


def _same(before: Array, after: Array) -> bool:
    return np.array_equal(before, after, equal_nan=True)


_COPY = "writes into {name}, which the forward kept.\nWork on a copy: `{name}.copy()`."
_INSIDE = (
    "writes into an array inside of {name}, which the forward kept.\n"
    "Work on a copy of it: `.copy()`."
)
_LENGTH = (
    "changes the length of {name}, which the forward kept.\nRead it without taking out or "
    "putting in: `for one in reversed({name})` instead of `{name}.pop()`."
)
_ANOTHER = (
    "puts something else into {name}, which the forward kept.\n"
    "Give what it computes a name of its own."
)


def _held(backward: Callable[..., Any]) -> dict[str, Any]:
    """The variables of the forward that a backward refers to, by name."""
    function = getattr(backward, "__wrapped__", backward)
    closure = getattr(function, "__closure__", None) or ()
    names = function.__code__.co_freevars if closure else ()
    found = {}
    for name, cell in zip(names, closure, strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # a variable that the forward has not assigned
            continue
    return found


class _Kept:
    """A value as it was: arrays copied, and containers with all that is in them."""

    def __init__(self, value: Any, parts: Mapping[Any, "_Kept"] | Array | None) -> None:
        self.value, self.parts = value, parts


def _snapshot(backward: Callable[..., Any]) -> dict[str, _Kept]:
    return {name: _copied(value, _DEEP) for name, value in _held(backward).items()}


def _copied(value: Any, depth: int) -> _Kept:
    if isinstance(value, np.ndarray) and value.dtype != object:
        return _Kept(value, value.copy())
    parts = _parts(value)
    if parts is None or not depth:
        return _Kept(value, None)
    return _Kept(value, {key: _copied(part, depth - 1) for key, part in parts.items()})


def _parts(value: Any) -> dict[Any, Any] | None:
    """What a container holds, or a function of the forward's refers to."""
    if isinstance(value, list | tuple):
        return dict(enumerate(value))
    if isinstance(value, dict):
        return dict(value)
    return _held(value) if getattr(value, "__closure__", None) else None


def _difference(before: _Kept, after: Any) -> str | None:
    """What happened to a value, as the end of a sentence about ``{name}``."""
    if isinstance(before.parts, np.ndarray):
        if not isinstance(after, np.ndarray) or after.shape != before.parts.shape:
            return _ANOTHER
        if _same(before.parts, after):
            return None
        return _COPY if after is before.value else _ANOTHER
    if before.parts is None:
        if after is before.value:
            return None
        try:
            return None if bool(after == before.value) else _ANOTHER
        except Exception:  # what cannot be compared is another object
            return _ANOTHER
    now = _parts(after)
    if now is None:
        return _ANOTHER
    if now.keys() != before.parts.keys():
        return _LENGTH
    found = (_difference(part, now[key]) for key, part in before.parts.items())
    return next((one for one in found if one is not None), None)
