"""Read the shape strings of a signature: "B D", "4*H", "H+D H", "" and "B < V".

A string is axes separated by spaces, then perhaps a domain. An axis is a name, a number or
arithmetic of both; a domain says which values the entries may take. docs/shapes.md is the
grammar for users. Strings are parsed with Python's own ``ast`` and never evaluated.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from gradcheck.errors import CaseError

_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
_LONGEST = 200  # characters; a shape is a label, and a bound keeps hostile input cheap
_AXES_HELP = 'Write axes separated by spaces, such as "B D", "4*H" or "H+D H".'
_DOMAIN_HELP = (
    'Write one of "N < V", "B <= T", "H > 0", "H in (0, 1)" or "B H in {0, 1}" (docs/shapes.md).'
)


@dataclass(frozen=True)
class Axis:
    """One axis: its text as written and its syntax tree of names, numbers and + - *."""

    text: str
    tree: ast.expr

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name))

    def size(self, sizes: Mapping[str, int]) -> int:
        return _value(self.tree, sizes)


@dataclass(frozen=True)
class Integers:
    """Whole numbers from ``low`` up to and including ``high - 1`` ("< V") or ``high`` ("<= T")."""

    low: int
    high: Axis
    inclusive: bool


@dataclass(frozen=True)
class Choice:
    """One of the listed numbers, such as a mask's 0 and 1."""

    values: tuple[float, ...]


@dataclass(frozen=True)
class Interval:
    """Numbers strictly between ``low`` and ``high``; ``high`` may be infinite ("> 0")."""

    low: float
    high: float


Domain = Integers | Choice | Interval


@dataclass(frozen=True)
class Shape:
    """A parsed shape string. ``text`` is the string as the author wrote it."""

    text: str
    axes: tuple[Axis, ...]
    domain: Domain | None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The size names in order of appearance, each once."""
        found = [name for axis in self.axes for name in axis.names]
        if isinstance(self.domain, Integers):
            found += self.domain.high.names
        return tuple(dict.fromkeys(found))

    def sizes(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The axis lengths for the given sizes, e.g. (4*H, D) for "4*H D"."""
        return tuple(axis.size(sizes) for axis in self.axes)


def parse(text: str) -> Shape:
    """Parse one shape string.

    Raises CaseError that quotes the string, marks the place and says what to write.
    """
    if len(text) > _LONGEST:
        raise CaseError(
            f"a shape string of {len(text)} characters, {_LONGEST} at most. {_AXES_HELP}"
        )
    if "\n" in text or "\t" in text:
        text = re.sub(r"\s", " ", text)
    mark = re.search(r"[<>=]|\bin\b", text)
    axes_end = mark.start() if mark else len(text)
    axes = tuple(
        _axis(text, match.start(), match.end()) for match in re.finditer(r"\S+", text[:axes_end])
    )
    return Shape(text, axes, _domain(text, axes_end) if mark else None)


def _fail(text: str, position: int, reason: str, instead: str) -> CaseError:
    quoted = f'  "{text}"\n   {" " * position}^'
    return CaseError(f"{reason}\n{quoted}\n{instead}")


def _axis(text: str, start: int, end: int) -> Axis:
    """The axis at text[start:end]."""
    part = text[start:end]
    if separator := re.search(r"[,;|]", part):
        position = start + separator.start()
        raise _fail(text, position, f"{text[position]!r} does not belong here.", _AXES_HELP)
    if re.fullmatch(r"[-+*/]+", part):
        instead = f'Write the arithmetic of one axis without blanks: "4*H", not "4 {part} H".'
        raise _fail(text, start, f"{part!r} stands alone.", instead)
    if match := re.fullmatch(r"(\d+)([A-Za-z_]\w*)", part):
        instead = f'Write the product out: "{match[1]}*{match[2]}".'
        raise _fail(text, start, f"{part!r} is not an axis.", instead)
    try:
        tree = ast.parse(part, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        offset = max((getattr(error, "offset", None) or 1) - 1, 0)
        position = start + min(offset, len(part) - 1)
        raise _fail(text, position, f"{part!r} is not an axis.", _AXES_HELP) from None
    _check_axis(text, start, tree)
    return Axis(part, tree)


def _check_axis(text: str, start: int, tree: ast.expr) -> None:
    for node in ast.walk(tree):
        position = start + getattr(node, "col_offset", 0)
        if isinstance(node, ast.Name | ast.Load) or type(node) in _OPERATORS:
            continue
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            continue
        if isinstance(node, ast.Constant):
            if type(node.value) is not int or not 0 < node.value < 10**6:
                reason = f"{node.value!r} is not the size of an axis."
                raise _fail(text, position, reason, "Write a name or a whole number from 1 up.")
            continue
        what = ast.unparse(node) if isinstance(node, ast.expr) else text[start:]
        reason = f"{what!r} is not a name, a number, or + - * of them."
        raise _fail(text, position, reason, _AXES_HELP)


def _domain(text: str, start: int) -> Domain:
    """The domain that begins at text[start]."""
    rest = text[start:]
    if match := re.fullmatch(r"(<=?)\s*(\S+)\s*", rest):
        high = _axis(text, start + match.start(2), start + match.end(2))
        inclusive = match[1] == "<="
        return Integers(1 if inclusive else 0, high, inclusive)
    if re.fullmatch(r">\s*0(\.0*)?\s*", rest):
        return Interval(0.0, float("inf"))
    if match := re.fullmatch(r"in\s*\(([^,]*),([^,]*)\)\s*", rest):
        low, high_number = (_number(text, start + match.start(k), match[k]) for k in (1, 2))
        if not low < high_number:
            reason = "the interval is empty."
            raise _fail(text, start + match.start(1), reason, "Write the smaller number first.")
        return Interval(low, high_number)
    if match := re.fullmatch(r"in\s*\{(.*)\}\s*", rest):
        numbers = []
        for part in re.finditer(r"[^,]+|(?<=,)$|^$", match[1]):
            numbers.append(_number(text, start + match.start(1) + part.start(), part[0]))
        return Choice(tuple(numbers))
    raise _fail(text, start, f"{rest.strip()!r} is not a domain.", _DOMAIN_HELP)


def _number(text: str, position: int, part: str) -> float:
    try:
        value = float(part)
    except ValueError:
        value = float("nan")
    if value != value or value in (float("inf"), float("-inf")):
        reason = f"{part.strip()!r} is not a number."
        raise _fail(text, position, reason, _DOMAIN_HELP) from None
    return value


def _value(tree: ast.expr, sizes: Mapping[str, int]) -> int:
    match tree:
        case ast.BinOp(left=left, op=op, right=right):
            return int(_OPERATORS[type(op)](_value(left, sizes), _value(right, sizes)))
        case ast.Name(id=name):
            return sizes[name]
        case ast.Constant(value=int() as number):
            return number
    raise AssertionError(f"an axis holds {ast.dump(tree)}")  # _check_axis let nothing else in
