"""Make a cell of a derivation on paper, and write what is found in the derivation's own signs."""

import ast
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck.lines import instrument
from gradcheck.paper import reader
from gradcheck.paper.notes import Equation, Notes
from gradcheck.paper.reader import FUNCTIONS
from gradcheck.source.definitions import Definition
from gradcheck.source.listing import Listing


def cell(path: Path) -> tuple[instrument.Script, Notes]:
    """The derivation as a script whose lines can be judged."""
    notes = reader.read(path)
    name = "derivation"
    function = _function(name, notes)
    module: dict[str, Any] = {
        # NumPy's own methods import through these; no name of a file can start with "_".
        "__builtins__": {"locals": locals, "__import__": __import__},
        "_np": np,
        **FUNCTIONS,
    }
    written = Definition(function, notes.lines, ast.Module([function], []))
    listing = Listing(name, path, {name: written}, module)
    return replace(instrument.script(listing), python=False), notes


def spelled(notes: Notes, statement: str) -> str:
    """A mended statement, which is Python, in the signs and names of the file."""
    names = sorted(notes.spelling, key=len, reverse=True)
    pattern = rf"(?<![\w.])({'|'.join(map(re.escape, names))})(?!\w)" if names else r"(?!)"
    said = re.sub(pattern, lambda found: notes.spelling[found[0]], statement)
    said = re.sub(r"\bsigmoid\(", "σ(", said) if "σ" in "".join(notes.lines) else said
    said = re.sub(r"(\w+)\(([^()]*)\) \*\* 2", r"\1²(\2)", said)
    said = said.replace(" ** 2", "²").replace(" ** 3", "³").replace(".T", "ᵀ")
    return said.replace(" * ", " ⊙ ").replace(" @ ", " · ")


def _function(name: str, notes: Notes) -> ast.FunctionDef:
    """The derivation as a cell in closure form."""
    assigned = {equation.target for equation in notes.backward}
    gradients: list[ast.expr] = [
        ast.Name(f"d{argument}", ast.Load()) if f"d{argument}" in assigned else ast.Constant(None)
        for argument, _ in notes.arguments
    ]
    last = notes.backward[-1].line
    returned = _at(ast.Return(ast.Tuple(gradients, ast.Load())), last)
    setattr(returned, instrument.GENERATED, True)
    backward = _definition(
        "backward",
        _parameters([f"d{output}" for output in notes.outputs]),
        [*map(_statement, notes.backward), returned],
    )
    backward.lineno, backward.end_lineno = notes.backward[0].line, last
    outputs = ast.Tuple([ast.Name(output, ast.Load()) for output in notes.outputs], ast.Load())
    both = ast.Tuple([outputs, ast.Name("backward", ast.Load())], ast.Load())
    parameters = _parameters([argument for argument, _ in notes.arguments])
    for argument, (_, shape) in zip(parameters.args, notes.arguments, strict=True):
        argument.annotation = ast.Constant(shape.text)
    body = [*map(_statement, notes.forward), backward, ast.Return(both)]
    function = _definition(name, parameters, body)
    function.lineno, function.end_lineno = notes.forward[0].line, last
    return function


def _definition(name: str, parameters: ast.arguments, body: list[ast.stmt]) -> ast.FunctionDef:
    # Python 3.12 demands the type parameters that 3.13 fills in, and 3.11 does not know.
    known: dict[str, Any] = {"type_params": []} if "type_params" in ast.FunctionDef._fields else {}
    return ast.FunctionDef(name, parameters, body, [], **known)


def _parameters(names: list[str]) -> ast.arguments:
    return ast.arguments([], [ast.arg(name) for name in names], None, [], [], None, [])


def _statement(equation: Equation) -> ast.stmt:
    target = ast.Name(equation.target, ast.Store())
    if equation.adds:
        # Never in place: the left side may be the caller's array.
        known = ast.Name(equation.target, ast.Load())
        value: ast.expr = ast.BinOp(known, ast.Add(), equation.value)
    else:
        value = equation.value
    return _at(ast.Assign([target], value), equation.line)


def _at(statement: ast.stmt, line: int) -> ast.stmt:
    for node in ast.walk(statement):
        if isinstance(node, ast.stmt | ast.expr):
            node.lineno = node.end_lineno = line
            node.col_offset = node.end_col_offset = 0
    return statement
