"""The declaration of a kink that a draw has met, from the line of the forward that has it."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gradcheck.cells.cell import Contract
from gradcheck.cells.contracts import KINK
from gradcheck.lines.hint import Hint
from gradcheck.source.closure import closure
from gradcheck.source.declaring import declaring


def declaration(path: Path, name: str, inputs: Mapping[str, Any]) -> Hint | None:
    """What a cell would have to declare of the kink that it meets at some inputs.

    Each line of the forward that may have one declares it in turn; the kink is where the
    distance to it is nothing. None if no such line is found.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for line, variable, condition in _bends(tree):
        text = f"kink where {condition}"

        def declare(tree: ast.Module, line: int = line, text: str = text) -> ast.Module:
            declared: ast.Module = _Declare(line, text).visit(tree)
            return ast.fix_missing_locations(declared)

        try:
            module, contracts, watch = declaring(path, first=declare)
            cell = closure(getattr(module, name), None, contracts[name], watch)
            if cell.at(inputs).margin == 0:
                return Hint(Contract(KINK, variable, text, line), cell.outputs)
        except Exception:  # a guess that does not run is no suggestion
            continue
    return None


def _bends(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Lines that assign what has a kink: the line, the variable, and where the kink would be."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
            continue
        for part in ast.walk(node.value):
            for condition in _kinks_of(part):
                yield node.lineno, node.targets[0].id, condition


def _kinks_of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(
            func=ast.Attribute(attr="maximum" | "minimum" | "fmax" | "fmin"), args=[a, b]
        ):
            yield f"{ast.unparse(a)} = {ast.unparse(b)}"
        case ast.Call(func=ast.Attribute(attr="abs" | "absolute" | "fabs" | "sign"), args=[a]):
            yield f"{ast.unparse(a)} = 0"
        case ast.Call(func=ast.Name(id="abs" | "relu"), args=[a, *_]):
            yield f"{ast.unparse(a)} = 0"
        case ast.Call(func=ast.Attribute(attr="clip"), args=[a, *bounds]):
            yield from (f"{ast.unparse(a)} = {ast.unparse(bound)}" for bound in bounds)
        case ast.Compare(
            left=a, ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE()], comparators=[b]
        ):
            yield f"{ast.unparse(a)} = {ast.unparse(b)}"
        case ast.Call(func=ast.Attribute(value=owner, attr=attr), args=given, keywords=named):
            extreme = attr.removeprefix("arg").removeprefix("a")
            if extreme not in ("max", "min"):
                return
            if isinstance(owner, ast.Name) and owner.id in ("np", "numpy"):
                owner, *given = given or [owner]
            axes = given[:1] or [word.value for word in named if word.arg == "axis"]
            yield from _tie(extreme, owner, axes[0] if axes else ast.Constant(None))


def _tie(extreme: str, array: ast.expr, axis: ast.expr) -> Iterator[str]:
    """Where the largest entry along an axis, or the smallest, is the next as well."""
    try:
        along = ast.literal_eval(axis)
    except ValueError:
        return
    if along is not None and type(along) is not int:
        return
    before, after = ":, " * (along or 0), ""
    if along is not None and along < 0:
        before, after = "..., ", ", :" * (-along - 1)
    ordered = f"np.sort({ast.unparse(array)}, {along})"
    first, second = ("-1:", "-2:-1") if extreme == "max" else (":1", "1:2")
    yield f"{ordered}[{before}{first}{after}] = {ordered}[{before}{second}{after}]"


class _Declare(ast.NodeTransformer):
    """Annotate the assignment in a line with a contract."""

    def __init__(self, line: int, text: str) -> None:
        self.line, self.text = line, text

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if node.lineno != self.line:
            return node
        annotation = ast.Constant(self.text)
        target = node.targets[0]
        assert isinstance(target, ast.Name)
        return ast.copy_location(ast.AnnAssign(target, annotation, node.value, simple=1), node)
