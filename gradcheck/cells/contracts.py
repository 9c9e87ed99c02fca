"""What a case declares about its derivation, where it is not the plain gradient everywhere.

A declaration is a string where Python takes an annotation, as a shape is: on a variable of the
forward, or on a cotangent of ``backward``. docs/contracts.md has the forms for users.

    h: "kink where a = 0" = np.maximum(a, 0)
    m: "constant" = np.maximum(lf, i)
    s: "slope clipped where gap < 1e-6" = np.sqrt(gap)
    def backward(dh: "orthogonal to h", dc: "zero"):
"""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array, Contract, Point
from gradcheck.errors import CaseError

KINK, CONSTANT, CLIPPED, ZERO, ORTHOGONAL = "kink", "constant", "clipped", "zero", "orthogonal"
NEAR = 1e-6  # of the size of what is compared: nearer to a kink, a draw is made again

WATCH = "__gradcheck_watch__"  # the name of the watch inside the author's module
_VARIABLE_HELP = (
    'Write "kink where a = 0", "slope clipped where a < 1e-6" or "constant" (docs/contracts.md).'
)
_COTANGENT_HELP = 'Write "zero", or "orthogonal to {output}" (docs/contracts.md).'


@dataclass
class Watch:
    """What the declared lines of a module report while they run, and what is held constant."""

    margin: float = float("inf")  # the smallest distance to a kink, relative to what is compared
    clipped: bool = False
    record: bool = False
    kept: list[Any] = field(default_factory=list)  # declared constants, in the order of the run
    replay: list[Any] | None = None

    def near(self, left: Any, right: Any) -> None:
        """A slope jumps where the two are equal."""
        left, right = np.real(left), np.real(right)
        scale = max(float(np.max(np.abs(side), initial=0.0)) for side in (left, right))
        gap = float(np.min(np.abs(left - right), initial=np.inf))
        if np.isfinite(gap):
            self.margin = min(self.margin, gap / scale if scale else 0.0)

    def below(self, left: Any, right: Any) -> None:
        """A slope is clipped on purpose where the left is below the right."""
        self.clipped |= bool(np.any(np.real(left) < np.real(right)))

    def hold(self, value: Any) -> Any:
        """The value; when a run is replayed, what it was in the recorded one."""
        if self.replay is not None and self.replay:
            return self.replay.pop(0)
        if self.record:
            self.kept.append(value)
        return value


def point(
    watch: Watch,
    forward: Callable[[Mapping[str, Any]], tuple[Array, ...]],
    inputs: Mapping[str, Any],
) -> Point:
    """Run the forward once and keep what it reports."""
    watch.margin, watch.clipped, watch.record, watch.kept = float("inf"), False, True, []
    try:
        forward(inputs)
    finally:
        watch.record = False
    kept, found = watch.kept, (watch.margin, watch.clipped)

    def held(values: Mapping[str, Any]) -> tuple[Array, ...]:
        watch.replay = list(kept)
        try:
            return forward(values)
        finally:
            watch.replay = None

    return Point(held, *found)


def cotangents(
    contracts: Sequence[Contract],
    names: Sequence[str],
    outputs: Sequence[Array],
    drawn: Sequence[Array],
) -> tuple[Array, ...]:
    """The cotangents with those parts left out for which the backward is declared not to hold."""
    kinds = {contract.name: contract.kind for contract in contracts}
    allowed = []
    for name, output, cotangent in zip(names, outputs, drawn, strict=True):
        match kinds.get(name):
            case "zero":
                allowed.append(np.zeros_like(cotangent))
            case "orthogonal":
                # Twice: what is left may be a thousandth of what was drawn, and is to be
                # orthogonal to its own last digits.
                allowed.append(_without(_without(cotangent, output), output))
            case _:
                allowed.append(cotangent)
    return tuple(allowed)


def _without(cotangent: Array, output: Array) -> Array:
    """The cotangent without its part along the output, entry vectors along the last axis."""
    size = np.max(np.abs(output), axis=-1, keepdims=True, initial=0.0)
    unit = output / np.where(size > 0, size, 1.0)
    square = np.sum(unit * unit, axis=-1, keepdims=True)
    along = np.sum(cotangent * unit, axis=-1, keepdims=True) / np.where(square > 0, square, 1.0)
    return np.asarray(cotangent - along * unit)


def declared(tree: ast.Module) -> dict[str, tuple[Contract, ...]]:
    """What each function of a file declares itself; the tree is changed to report to the watch.

    Raises CaseError for a declaration that cannot be read.
    """
    own: dict[str, tuple[Contract, ...]] = {}
    for function in [node for node in tree.body if isinstance(node, ast.FunctionDef)]:
        reader = _Reader()
        reader.visit(function)
        own[function.name] = tuple(reader.contracts)
    ast.fix_missing_locations(tree)
    return own


class _Reader(ast.NodeTransformer):
    def __init__(self) -> None:
        self.contracts: list[Contract] = []
        self.depth = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if self.depth == 1:  # a backward: what it computes declares nothing
            self.contracts += _of_cotangents(node)
            return node
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        text = node.annotation.value if isinstance(node.annotation, ast.Constant) else None
        if not isinstance(text, str) or not isinstance(node.target, ast.Name) or not node.value:
            return node
        contract, condition = _of_variable(node.target.id, text, node.lineno)
        self.contracts.append(contract)
        assigned = ast.copy_location(ast.Assign([node.target], node.value), node)
        if condition is None:
            assigned.value = ast.Call(_watch("hold"), [node.value], [])
            return assigned
        method = "near" if contract.kind == KINK else "below"
        report = ast.Expr(ast.Call(_watch(method), [condition.left, *condition.comparators], []))
        return [assigned, ast.copy_location(report, node)]


def _watch(method: str) -> ast.expr:
    return ast.Attribute(ast.Name(WATCH, ast.Load()), method, ast.Load())


def _of_variable(name: str, text: str, line: int) -> tuple[Contract, ast.Compare | None]:
    if text.strip() == CONSTANT:
        return Contract(CONSTANT, name, text, line), None
    match = re.fullmatch(r"\s*(kink|slope clipped) where (.*)", text)
    operator = {"kink": "=", "slope clipped": "<"}
    if match and (parts := re.fullmatch(rf"([^<>=]+){operator[match[1]]}([^<>=]+)", match[2])):
        try:
            left, right = (ast.parse(part.strip(), mode="eval").body for part in parts.groups())
        except (SyntaxError, ValueError):
            pass
        else:
            kind = KINK if match[1] == "kink" else CLIPPED
            return Contract(kind, name, text, line), ast.Compare(left, [ast.Lt()], [right])
    raise CaseError(
        f'Line {line} declares {name}: "{text}", which is no contract.\n{_VARIABLE_HELP}'
    )


def _of_cotangents(backward: ast.FunctionDef) -> list[Contract]:
    found = []
    for argument in backward.args.args:
        annotation = argument.annotation
        if not (isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)):
            continue
        text, output = annotation.value, argument.arg.removeprefix("d")
        if text.strip() == ZERO:
            kind = ZERO
        elif text.split() == ["orthogonal", "to", output]:
            kind = ORTHOGONAL
        else:
            raise CaseError(
                f'Line {argument.lineno} declares {argument.arg}: "{text}", which is no contract.\n'
                + _COTANGENT_HELP.format(output=output)
            )
        found.append(Contract(kind, output, text, argument.lineno))
    return found
