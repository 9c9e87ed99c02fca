"""Gather what edits of a line may draw on: the names, slices, sizes and sister lines in sight."""

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcheck.arrays import is_number, is_whole
from gradcheck.lines.drawn import Drawn
from gradcheck.lines.edits.edit import Material
from gradcheck.lines.instrument import Line, Script
from gradcheck.lines.statements import signs, summands
from gradcheck.source.trees import parsed

_ENDS = (ast.Slice(ast.Constant(1)), ast.Slice(None, ast.UnaryOp(ast.USub(), ast.Constant(1))))


def gathered(script: Script, drawn: Drawn, line: Line, space: Mapping[str, Any]) -> Material:
    """The material for edits of a line; ``space`` is what it could see when it ran on a draw."""
    module = script.hooks.module
    known = {n: value for n, value in space.items() if n not in module or value is not module[n]}
    later = {t for other in script.lines if other.key >= line.key for t in other.targets}
    later -= set(space)
    names = [
        name
        for name, value in known.items()
        if isinstance(value, np.ndarray) and is_number(value) and name not in later
    ]
    names.sort(key=lambda name: not name.startswith("d"))  # dh * z, and not z * dh
    sisters = [other for other in script.lines if other.key != line.key]
    return Material(
        line.expression,
        {**module, **known},
        tuple(names),
        script.functions,
        tuple(part for other in sisters for part in summands(other.expression)),
        _slices(script),
        tuple(name for name, value in known.items() if is_whole(value) and name not in later),
        _conditions(script, known),
        _later(script, line),
        script.keys,
        _sizes(script, known),
        signs(line),
        deep=line.absent,
    )


def _conditions(script: Script, known: Mapping[str, Any]) -> tuple[ast.expr, ...]:
    """The comparisons of the cell, and the names of arrays of truth values."""
    masks = [
        name
        for name, value in known.items()
        if isinstance(value, np.ndarray) and value.dtype == bool
    ]
    found = {ast.unparse(node): node for node in (*map(parsed, masks), *script.conditions)}
    return tuple(found.values())


def _later(script: Script, line: Line) -> dict[str, ast.expr]:
    """What the lines after a line give the names that it reads, if that is a value of its own."""
    read = {node.id for node in ast.walk(line.expression) if isinstance(node, ast.Name)}
    return {
        other.targets[0]: other.expression
        for other in script.lines
        if other.site == line.site and other.key > line.key and not other.absent
        if other.whole and other.targets[0] in read and other.loop == line.loop
    }


def _slices(script: Script) -> tuple[ast.expr, ...]:
    """The slices of the whole cell, and the two that leave out an end."""
    found = {
        ast.unparse(node): node
        for node in (*script.slices, *_ENDS)
        if not isinstance(node, ast.Name)
    }
    return tuple(found.values())


def _sizes(script: Script, known: Mapping[str, Any]) -> tuple[str, ...]:
    """Sizes as they may be written: names of whole numbers, constants, lengths."""
    plain = [
        name
        for name, value in known.items()
        if isinstance(value, int | float | np.integer) and not isinstance(value, bool)
    ]
    arguments = script.cell.arguments
    shaped = [
        f"{argument.name}.shape[{k}]"
        for argument in arguments
        for k in range(len(argument.shape.axes))
        if argument.name in ("x", "h_prev") or len(arguments) <= 4
    ]
    return tuple(dict.fromkeys([*plain, *shaped]))
