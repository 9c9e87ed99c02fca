"""Read a derivation as it stands on paper: plain equations, with a forward and a backward part.

The text is parsed by a grammar of its own (grammar.lark) into the syntax tree of a cell made of
names, numbers and a fixed set of functions; nothing of it is ever given to Python's parser. Size
and depth are bounded before anything is read, so that a stranger's file is safe to proofread.
docs/proofreading.md shows the form. Another front end, such as LaTeX, has to produce the same
``Equation``s.
"""

import ast
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput

from gradcheck.cells.shapes import Shape, parse
from gradcheck.errors import CaseError, shown_path
from gradcheck.paper.notes import Equation, Notes

_BYTES, _LINES, _COLUMNS, _DEPTH, _NAMES = 64_000, 400, 400, 40, 60
_AXIS = 32  # the largest number in a shape
_POWER = 4

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "tanh": np.tanh,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
}
_PARTS = ("forward", "backward")


def read(path: Path) -> Notes:
    """Read a file of equations. Raises CaseError with line and column where it cannot be read."""
    try:
        data = path.read_bytes()[: _BYTES + 1]
    except OSError as error:
        raise CaseError(f"{shown_path(path)} cannot be read: {error.strerror or error}.") from None
    if len(data) > _BYTES:
        raise CaseError(f"{shown_path(path)} is longer than {_BYTES} bytes.")
    try:
        text = unicodedata.normalize("NFC", data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CaseError(f"{shown_path(path)} is not UTF-8 at byte {error.start}.") from None
    lines = text.splitlines()
    if len(lines) > _LINES:
        raise CaseError(f"{shown_path(path)} has {len(lines)} lines, {_LINES} at most.")
    return _Reader(path, lines).notes()


@cache
def _parser() -> Lark:
    grammar = (
        resources.files("gradcheck.paper").joinpath("grammar.lark").read_text(encoding="utf-8")
    )
    return Lark(grammar, parser="lalr", lexer="contextual")


class _Reader:
    """Reads the lines of one file."""

    def __init__(self, path: Path, lines: list[str]) -> None:
        self.path, self.lines = path, lines
        self.spelling: dict[str, str] = {}
        text = "\n".join(lines)
        # Where a file has δc and ∂E/∂c, the first gathers all paths and the second is a part.
        self.gathered = set(re.findall(r"[δΔ](\w+)", text))

    def fail(self, line: int, column: int, reason: str, instead: str) -> CaseError:
        shown = self.lines[line - 1][:_COLUMNS]
        where = f"{shown_path(self.path)}:{line}:{column}"
        return CaseError(f"{where}: {reason}\n    {shown}\n    {' ' * (column - 1)}^\n{instead}")

    def notes(self) -> Notes:
        arguments: dict[str, Shape] = {}
        outputs: tuple[str, ...] = ()
        equations: dict[str, list[Equation]] = {part: [] for part in _PARTS}
        part = None
        for number, raw in enumerate(self.lines, start=1):
            heading = re.sub(r"[#*_:\s]+", " ", raw).strip().lower()
            words = heading.split()
            if words and words[0] in _PARTS and len(words) <= 2 and "=" not in raw:
                part = words[0]
                continue
            line = raw.split("#")[0].rstrip()
            if not line.strip() or line.lstrip().startswith((">", "```", "<!--")):
                continue
            if len(line) > _COLUMNS:
                raise self.fail(number, 1, f"a line of {len(line)} characters.", "Break it up.")
            if match := re.match(r"\s*shapes?\s*:(.*)", line):
                arguments.update(self._shapes(number, match[1], match.start(1)))
            elif match := re.match(r"\s*outputs?\s*:(.*)", line):
                outputs = tuple(self._name(number, n.strip()) for n in match[1].split(","))
            elif part is None or "=" not in line:
                continue  # prose around the equations
            else:
                equations[part].append(self._equation(number, line))
        self._complete(arguments, outputs, equations)
        return Notes(
            tuple(arguments.items()),
            outputs,
            tuple(equations["forward"]),
            tuple(equations["backward"]),
            tuple(self.lines),
            self.spelling,
        )

    def _complete(
        self,
        arguments: Mapping[str, Shape],
        outputs: tuple[str, ...],
        equations: Mapping[str, list[Equation]],
    ) -> None:
        shown = shown_path(self.path)
        if not arguments:
            raise CaseError(
                f"{shown} declares no shapes.\nWrite a line such as `shapes: x: D 1, W: H D`."
            )
        if len(arguments) > _NAMES:
            raise CaseError(f"{shown} declares {len(arguments)} arguments, {_NAMES} at most.")
        for part in _PARTS:
            if not equations[part]:
                raise CaseError(
                    f"{shown} has no {part} part.\nWrite a line `{part}:` and equations below it."
                )
        if not outputs:
            raise CaseError(f"{shown} names no outputs.\nWrite a line such as `outputs: h, c`.")
        known = {*arguments, *(equation.target for equation in equations["forward"])}
        for output in outputs:
            if output not in known:
                raise CaseError(f"{shown}: the output {output} is not computed in the forward.")
        self._defined(equations["forward"], set(arguments))
        given = known | {f"d{output}" for output in outputs}
        self._defined(equations["backward"], given)

    def _defined(self, equations: list[Equation], known: set[str]) -> None:
        """Every name must be known where it is used."""
        for equation in equations:
            used = [n for n in ast.walk(equation.value) if isinstance(n, ast.Name)]
            names = [n.id for n in used if n.id not in FUNCTIONS and n.id != "_np"]
            for name in names + ([equation.target] if equation.adds else []):
                if name not in known:
                    spelled_name = self.spelling.get(name, name)
                    column = self.lines[equation.line - 1].find(spelled_name) + 1
                    raise self.fail(
                        equation.line,
                        max(column, 1),
                        f"{spelled_name} is not known here.",
                        "Declare its shape, or compute it in a line above.",
                    )
            known.add(equation.target)

    def _shapes(self, number: int, text: str, start: int) -> Iterator[tuple[str, Shape]]:
        for match in re.finditer(r"([^,:]+):([^,]*)", text):
            name = self._name(number, match[1].strip())
            try:
                shape = parse(match[2].strip())
            except CaseError as error:
                raise self.fail(number, start + match.start(2) + 1, str(error), "") from None
            constants = [
                node.value
                for axis in shape.axes
                for node in ast.walk(axis.tree)
                if isinstance(node, ast.Constant) and isinstance(node.value, int)
            ]
            if len(shape.axes) > 4 or any(value > _AXIS for value in constants):
                column = start + match.start(2) + 1
                reason = f"the shape {match[2].strip()!r} is too large to be worked."
                raise self.fail(number, column, reason, f"Write numbers up to {_AXIS}.")
            yield name, shape

    def _name(self, number: int, name: str) -> str:
        """The internal name: δc, Δc and ∂E/∂c are dc."""
        match = re.fullmatch(r"(?:(∂\w{0,8}/∂)|([δΔ]))(.+)", name)
        internal = name
        if match:
            part_only = match[1] and match[3] in self.gathered
            internal = f"part_{match[3]}" if part_only else f"d{match[3]}"
        internal = unicodedata.normalize("NFKC", internal)
        if not internal.isidentifier() or internal.startswith("_") or len(internal) > 40:
            column = max(self.lines[number - 1].find(name) + 1, 1)
            raise self.fail(
                number, column, f"{name!r} is not a name.", "Write letters, digits and _."
            )
        if internal in FUNCTIONS or internal == "derivation" or internal == "backward":
            column = max(self.lines[number - 1].find(name) + 1, 1)
            raise self.fail(number, column, f"{name!r} is taken.", "Choose another name.")
        if internal != name:
            self.spelling.setdefault(internal, name)
        return internal

    def _equation(self, number: int, line: str) -> Equation:
        depth = deepest = 0
        for sign in line:
            depth += (sign in "([") - (sign in ")]")
            deepest = max(deepest, depth)
        if deepest > _DEPTH:
            raise self.fail(number, 1, f"brackets nested {deepest} deep.", "Name the inner parts.")
        try:
            tree = _parser().parse(line)
        except UnexpectedInput as error:
            column = (
                error.column if isinstance(error.column, int) and error.column > 0 else len(line)
            )
            what = repr(line[column - 1]) if column <= len(line) else "the end of the line"
            if isinstance(error, UnexpectedCharacters):
                reason = f"{what} cannot stand in an equation."
            else:
                token = getattr(error, "token", None)
                what = repr(str(token)) if token else "the end of the line"
                reason = f"{what} was not expected here."
            instead = (
                "Write one equation, such as `δc = δc + δh ⊙ o ⊙ (1 - tanh²(c))`; a product has a "
                "sign, ⊙ or * by entries, · or @ for matrices."
            )
            raise self.fail(number, min(column, len(line)), reason, instead) from None
        target, operator, value = tree.children
        assert isinstance(target, Tree)
        name = self._name(number, str(target.children[0]))
        return Equation(number, name, operator == "+=", self._value(number, value))

    def _value(self, number: int, node: Any) -> ast.expr:
        """The syntax tree of an expression, made of what is allowed and nothing else."""

        def deeper(child: Any) -> ast.expr:
            return self._value(number, child)

        children = list(node.children)
        binary: dict[str, ast.operator] = {
            "add": ast.Add(),
            "subtract": ast.Sub(),
            "times": ast.Mult(),
            "matmul": ast.MatMult(),
            "divide": ast.Div(),
        }
        if node.data in binary:
            first, last = children[0], children[-1]
            return ast.BinOp(deeper(first), binary[node.data], deeper(last))
        match node.data:
            case "negative":
                return ast.UnaryOp(ast.USub(), deeper(children[-1]))
            case "transpose":
                return ast.Attribute(deeper(children[0]), "T", ast.Load())
            case "square":
                return self._power(number, deeper(children[0]), "2")
            case "cube":
                return self._power(number, deeper(children[0]), "3")
            case "power":
                return self._power(number, deeper(children[0]), children[-1])
            case "number":
                text = str(children[0])
                return ast.Constant(float(text) if "." in text else int(text))
            case "name":
                return ast.Name(self._name(number, str(children[0])), ast.Load())
            case "call":
                return self._call(children[0], deeper(children[1]))
            case "call_squared":
                return self._power(number, self._call(children[0], deeper(children[-1])), "2")
            case "call_power":
                called = self._call(children[0], deeper(children[-1]))
                return self._power(number, called, children[1])
            case "total":
                sign = -1 if any(c == "-" or c == "−" for c in children[1:]) else 1
                axis = [
                    sign * int(str(c)) for c in children[1:] if getattr(c, "type", "") == "NUMBER"
                ]
                keywords = [ast.keyword("axis", ast.Constant(axis[0]))] if axis else []
                return ast.Call(ast.Attribute(deeper(children[0]), "sum", ast.Load()), [], keywords)
            case "stack":
                parts: list[ast.expr] = [deeper(child) for child in children]
                function = ast.Attribute(ast.Name("_np", ast.Load()), "concatenate", ast.Load())
                return ast.Call(function, [ast.List(parts, ast.Load())], [])
        raise AssertionError(f"the grammar has a rule {node.data} that is not read")

    def _call(self, function: Token, argument: ast.expr) -> ast.expr:
        name = {"σ": "sigmoid"}.get(str(function), str(function))
        return ast.Call(ast.Name(name, ast.Load()), [argument], [])

    def _power(self, number: int, base: ast.expr, exponent: str | Token) -> ast.expr:
        if str(exponent) not in {str(k) for k in range(1, _POWER + 1)}:
            column = max(self.lines[number - 1].find(str(exponent)) + 1, 1)
            reason = f"the power {exponent} is not allowed."
            raise self.fail(number, column, reason, f"Write a whole power from 1 to {_POWER}.")
        return ast.BinOp(base, ast.Pow(), ast.Constant(int(exponent)))
