"""Which names a loop hands from one turn to the next: read in its body before they are assigned."""

import ast
from collections.abc import Iterator


def handed_on(function: ast.AST) -> frozenset[str]:
    """The names that loops of a function hand on, those of lists that grow in them included.

    A sum such as ``dW += ...`` is not handed on: no other line reads it.
    """
    found: set[str] = set()
    for loop in ast.walk(function):
        if isinstance(loop, ast.For | ast.While):
            found |= _handed_on(loop.body)
    return frozenset(found)


def _handed_on(body: list[ast.stmt]) -> set[str]:
    read: set[str] = set()  # before they are assigned
    assigned: set[str] = set()
    grown: set[str] = set()
    for statement in body:
        read |= set(_read(statement)) - assigned
        assigned |= {
            node.id
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        grown |= set(_grown(statement))
    return read & (assigned | grown)


def _read(statement: ast.stmt) -> Iterator[str]:
    """The names whose values a statement uses; to append to a list is not to read it."""
    appended = set(_grown(statement)) if isinstance(statement, ast.Expr) else set()
    counts = [
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    ]
    yield from (name for name in counts if name not in appended or counts.count(name) > 1)


def _grown(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        match node:
            case ast.Call(ast.Attribute(ast.Name(id=name), "append")):
                yield name
