"""Functions as they are written: found from what they are when the program runs.

So one typed into a notebook is found in its input, one made inside of another function there,
and whatever a name stands for by then, not what it stood for first.
"""

import ast
import linecache
from dataclasses import dataclass
from types import FunctionType
from typing import Any, TypeGuard

from gradcheck.errors import CaseError

Function = ast.FunctionDef | ast.Assign  # a named lambda is one as well


@dataclass(frozen=True)
class Definition:
    """A function of the author's, with the text and the tree of the file that it stands in."""

    node: Function
    text: tuple[str, ...]
    file: ast.Module


def is_function(node: ast.AST) -> TypeGuard[Function]:
    """Whether a node defines a function with a name."""
    match node:
        case ast.FunctionDef() | ast.Assign(targets=[ast.Name()], value=ast.Lambda()):
            return True
    return False


def called(node: Function) -> str:
    """What a function is called where it is defined."""
    return node.name if isinstance(node, ast.FunctionDef) else ast.unparse(node.targets[0])


def reachable(function: FunctionType) -> tuple[dict[str, Any], dict[str, Definition]]:
    """What a function can see, and those functions of its module that it reaches, as written."""
    names: dict[str, Any] = {**function.__globals__, function.__name__: function}
    found: dict[str, Definition] = {}
    files: dict[str, tuple[tuple[str, ...], ast.Module]] = {}
    waiting = [(function.__name__, function)]
    while waiting:
        name, value = waiting.pop()
        definition = _located(value, files)
        if definition is None and value is function:
            raise CaseError(
                f"The lines of {name} cannot be followed: Python keeps no source of it.\n"
                "Write it into a file, or into a notebook."
            )
        if definition is None:
            continue  # it runs as it is
        read = {node.id for node in ast.walk(definition.node) if isinstance(node, ast.Name)}
        around = _closed(value)
        seen = {**value.__globals__, **around}
        if value is not function and any(
            n in seen and seen[n] is not names.get(n, seen[n]) for n in read
        ):
            continue  # the same name is another thing to it
        _no_nonlocal(name, definition, value)
        names |= around
        found[name] = definition
        for other in sorted(read - found.keys()):
            called = names.get(other)
            if isinstance(called, FunctionType) and called.__globals__ is function.__globals__:
                waiting.append((other, called))
    return names, found


def _closed(function: FunctionType) -> dict[str, Any]:
    """The variables that a function has from the one around it."""
    closed = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            closed[name] = cell.cell_contents
        except ValueError:  # not given a value yet
            continue
    return closed


def _no_nonlocal(name: str, definition: Definition, function: FunctionType) -> None:
    changed = {n for node in ast.walk(definition.node) if isinstance(node, ast.Nonlocal)
               for n in node.names} & set(function.__code__.co_freevars)  # fmt: skip
    if changed:
        raise CaseError(
            f"The lines of {name} cannot be followed: it changes {min(changed)}, a variable of the "
            "function around it."
        )


def _located(
    function: FunctionType, files: dict[str, tuple[tuple[str, ...], ast.Module]]
) -> Definition | None:
    """The definition of a function, if its source is to be had."""
    code = function.__code__
    if code.co_filename not in files:
        lines = linecache.getlines(code.co_filename, function.__globals__)
        try:
            tree = ast.parse("".join(lines))
        except SyntaxError:
            return None
        files[code.co_filename] = tuple(line.rstrip("\r\n") for line in lines), tree
    text, tree = files[code.co_filename]
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name, decorator_list=decorators) if name == code.co_name:
                first = min([node.lineno, *(one.lineno for one in decorators)])
                if first == code.co_firstlineno:
                    node.decorator_list = []  # whatever they did, this is the function
                    return Definition(node, text, tree)
            case ast.Assign([ast.Name()], ast.Lambda() as value) if code.co_name == "<lambda>":
                if value.lineno == code.co_firstlineno:
                    return Definition(node, text, tree)
    return None
