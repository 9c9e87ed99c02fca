"""What a forward kept for its backward, and what a backward did to it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.finding import Wrong

_DEEP = 6  # containers and functions inside one another that are looked into


def same(before: Array, after: Array) -> bool:
    """Whether two arrays are one in every bit, or no number in both."""
    return np.array_equal(before, after, equal_nan=True)


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """The names whose values differ in any bit."""
    return (name for name in before if not same(before[name], after[name]))


def held(backward: Callable[..., Any]) -> dict[str, Any]:
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


class Kept:
    """A value as it was: arrays copied, and containers with all that is in them."""

    def __init__(self, value: Any, parts: Mapping[Any, "Kept"] | Array | None) -> None:
        self.value, self.parts = value, parts


def snapshot(backward: Callable[..., Any]) -> dict[str, Kept]:
    return {name: _copied(value, _DEEP) for name, value in held(backward).items()}


def _copied(value: Any, depth: int) -> Kept:
    if isinstance(value, np.ndarray) and value.dtype != object:
        return Kept(value, value.copy())
    parts = _parts(value)
    if parts is None or not depth:
        return Kept(value, None)
    return Kept(value, {key: _copied(part, depth - 1) for key, part in parts.items()})


def _parts(value: Any) -> dict[Any, Any] | None:
    """What a container holds, or a function of the forward's refers to."""
    if isinstance(value, list | tuple):
        return dict(enumerate(value))
    if isinstance(value, dict):
        return dict(value)
    return held(value) if getattr(value, "__closure__", None) else None


def difference(name: str, before: Kept, after: Any, *, inside: bool = False) -> Wrong | None:
    """What happened to a variable, or to a value ``inside`` of it."""
    replaced = Wrong("purity-kept-replaced", name)
    if isinstance(before.parts, np.ndarray):
        if not isinstance(after, np.ndarray) or after.shape != before.parts.shape:
            return replaced
        if same(before.parts, after):
            return None
        into = Wrong("purity-kept-inside" if inside else "purity-kept", name)
        return into if after is before.value else replaced
    if before.parts is None:
        return None if _unchanged(before.value, after) else replaced
    now = _parts(after)
    if now is None:
        return replaced
    if now.keys() != before.parts.keys():
        return Wrong("purity-kept-length", name)
    parts = before.parts.items()
    found = (difference(name, part, now[key], inside=True) for key, part in parts)
    return next((one for one in found if one is not None), None)


def _unchanged(before: Any, after: Any) -> bool:
    if after is before:
        return True
    try:
        return bool(after == before)
    except Exception:  # what cannot be compared is another object
        return False
