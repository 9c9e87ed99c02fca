"""A failure at sizes that were held, searched down to the smallest that still fail."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from gradcheck.checking.check import Check
from gradcheck.drawing import draw
from gradcheck.drawing.draw import Example
from gradcheck.finding import Wrong

Found = tuple[Example, Wrong]


def smaller(check: Check, found: Found, names: Iterable[str]) -> Found:
    """The same failure with each of the named sizes as small as it may be, beside the others.

    It is looked for at 1, 2, 4 and so on, and between the last that passes and the first that does
    not: a fault that shows from some size on is found exactly.
    """
    held = [name for name in names if name in dict(found[0].sizes)]
    lowered = True
    while lowered:
        before = found[0].sizes
        for name in held:
            found = _lowered(check, found, name)
        lowered = found[0].sizes != before
    return found


def _lowered(check: Check, found: Found, name: str) -> Found:
    passes, fails = 0, dict(found[0].sizes)[name]
    for size in _powers(fails):
        if other := _at(check, found[0], name, size):
            found, fails = other, size
            break
        passes = size
    while fails - passes > 1:
        size = (passes + fails) // 2
        if other := _at(check, found[0], name, size):
            found, fails = other, size
        else:
            passes = size
    return found


def _powers(end: int) -> Iterator[int]:
    size = 1
    while size < end:
        yield size
        size *= 2


def _at(check: Check, example: Example, name: str, size: int) -> Found | None:
    """What is wrong at another size, if anything is."""
    sizes = tuple((n, size if n == name else s) for n, s in example.sizes)
    example = replace(example, sizes=sizes)
    if not draw.fits(check.cell, example):
        return None
    finding = check.judge(check.examiner.evidence(example))
    return (example, finding) if isinstance(finding, Wrong) else None
