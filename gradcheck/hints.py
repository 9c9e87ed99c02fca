"""What a wrong derivation would be right for, if that were declared: a contract to consider.

A backward that drops a term on purpose (a stabiliser, a truncated state, a normaliser whose part
cancels) is wrong until it says so. Whatever is suggested here makes every wrong gradient right on
fresh draws.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck import case, draw
from gradcheck.bench import close
from gradcheck.cell import Array, Cell, Contract
from gradcheck.contracts import CONSTANT, ORTHOGONAL, ZERO
from gradcheck.draw import Example
from gradcheck.errors import CaseError
from gradcheck.evidence import Evidence
from gradcheck.run import Crash
from gradcheck.script import Script, is_number
from gradcheck.structure import Unusable


def contract(script: Script, wrong: Sequence[str]) -> str:
    """The declaration that would make the ``wrong`` gradients (arguments) right, as a sentence.

    Empty if there is none.
    """
    cell = script.cell
    if all(_holds(cell, wrong, example) for example in _examples(cell)):
        return ""  # wrong in a corner only, which no contract explains
    for declared in _candidates(script):
        other = replace(cell, contracts=(*cell.contracts, declared))
        if declared.kind == CONSTANT:
            other = replace(other, around=partial(script.holding, declared.name))
        if all(_holds(other, wrong, example) for example in _examples(cell)):
            return _sentence(cell, declared)
    return ""


def kink(path: Path, name: str, inputs: Mapping[str, Any]) -> str:
    """The declaration of the kink that a cell meets at some inputs, as a sentence.

    Each line of the forward that may have one declares it in turn; the kink is where the
    distance to it is nothing. Empty if no such line is found.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for line, variable, condition in _bends(tree):
        text = f"kink where {condition}"

        def declare(tree: ast.Module, line: int = line, text: str = text) -> ast.Module:
            declared: ast.Module = _Declare(line, text).visit(tree)
            return ast.fix_missing_locations(declared)

        try:
            module, contracts, watch = case.declaring(path, first=declare)
            cell = case.closure(getattr(module, name), None, contracts[name], watch)
            if cell.at(inputs).margin == 0:
                return f'If that is meant, declare it: `{variable}: "{text}" = ...` in line {line}.'
        except Exception:  # a guess that does not run is no suggestion
            continue
    return ""


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


def _candidates(script: Script) -> Iterator[Contract]:
    outputs = script.cell.outputs
    values, _ = script.cell.run(draw.inputs(script.cell, next(_examples(script.cell))))
    seen = dict(script.hooks.scope)
    if len(outputs) > 1:  # a loss without a cotangent would be no loss
        arrays = [name for name, value in zip(outputs, values, strict=True) if np.ndim(value)]
        yield from (Contract(ZERO, name, "zero", 0) for name in arrays)
    yield from (Contract(ORTHOGONAL, name, f"orthogonal to {name}", 0) for name in outputs)
    held = [n for n in script.quantities if n not in outputs and is_number(seen.get(n))]
    yield from (Contract(CONSTANT, name, "constant", 0) for name in held)


def _sentence(cell: Cell, declared: Contract) -> str:
    name = declared.name
    if declared.kind == CONSTANT:
        return (
            f"Every gradient is right if {name} is a constant. If that is meant, declare it: "
            f'`{name}: "constant" = ...`.'
        )
    where = f"where d{name} is {declared.text}"
    listed = ", ".join(
        f'd{output}: "{declared.text}"' if output == name else f"d{output}"
        for output in cell.outputs
    )
    return (
        f"Every gradient is right {where}. If that is meant, declare it: `def backward({listed}):`."
    )


def _examples(cell: Cell) -> Iterator[Example]:
    names = cell.size_names
    for seed in range(3):
        sizes = {n: 2 + (k + seed) % max(len(names), 3) for k, n in enumerate(names)}
        yield Example(tuple(sizes.items()), seed + 1)


def _holds(cell: Cell, wrong: Sequence[str], example: Example) -> bool:
    """Whether the wrong gradients are right on an example, and the truth is not nothing."""
    evidence = Evidence(cell, None, example)
    try:
        pairs = [(evidence.hand[name], evidence.numeric.best(name).value) for name in wrong]
    except (Crash, CaseError):
        return False
    told = any(bool(np.any(true)) for _, true in pairs)
    return told and all(_right(by_hand, true) for by_hand, true in pairs)


def _right(by_hand: Array | Unusable, true: Array) -> bool:
    return not isinstance(by_hand, Unusable) and close(by_hand, true, 1e-7)
