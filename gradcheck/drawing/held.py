"""Sizes that a person holds, written as in ``H=512,D=512``."""

from collections.abc import Iterable

from gradcheck.errors import CaseError


def held(texts: Iterable[str]) -> dict[str, int]:
    """Each name with its size. Raises CaseError for what is none, or said twice."""
    found: dict[str, int] = {}
    for said in (part.strip() for text in texts for part in text.split(",")):
        name, _, number = said.partition("=")
        if not name.isidentifier() or not number.isdecimal():
            raise CaseError(f"{said!r} is no size; write one such as H=8.")
        if found.setdefault(name, int(number)) != int(number):
            raise CaseError(f"{name} is held at {found[name]} and at {number}; write one of them.")
    return found
