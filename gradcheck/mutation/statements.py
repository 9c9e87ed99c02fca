"""Slips in whole statements of a backward: deleted, repeated, out of order, written in place.

The counterpart of slips.py, with a table of its own at the end.
"""

import ast
from collections.abc import Iterator

import numpy as np

from gradcheck.mutation.places import Place, Several, Slip
from gradcheck.source.trees import filled, letter, replaced, substituted


def _another_gate(statement: ast.stmt, place: Place) -> Iterator[ast.stmt]:
    """One gate's letter for another's throughout a right-hand side, as copying a line does."""
    if not isinstance(statement, ast.Assign) or isinstance(statement.value, ast.Lambda):
        return
    value = statement.value
    used = {n.id for n in ast.walk(value) if isinstance(n, ast.Name) and n.id in place.space}
    pairs = {pair for a in used for b in place.space if (pair := letter(a, b))}
    for one, other in sorted(pairs):
        mapping = {name: name.replace(one, other) for name in used if one in name}
        alike = all(
            new in place.space and np.shape(place.space[new]) == np.shape(place.space[old])
            for old, new in mapping.items()
        )
        if alike and len(mapping) > 1:
            yield replaced(statement, value, substituted(value, mapping))


def _accumulation(statement: ast.stmt, place: Place) -> Iterator[ast.stmt]:
    match statement:
        case ast.AugAssign(target, ast.Add(), value):
            yield ast.Assign([target], value)
            yield ast.AugAssign(target, ast.Sub(), value)
        case ast.AugAssign(target, ast.Sub(), value):
            yield ast.AugAssign(target, ast.Add(), value)
        case ast.Assign([ast.Subscript() as target], value) if place.shape(value) is not None:
            yield ast.AugAssign(target, ast.Add(), value)


def _scatter(statement: ast.stmt, place: Place) -> Iterator[ast.stmt]:
    match statement:
        case ast.Expr(ast.Call(ast.Attribute(ast.Attribute(attr="add"), "at"), [a, index, value])):
            target = ast.Subscript(a, index, ast.Store())
            yield ast.AugAssign(target, ast.Add(), value)
            yield ast.Assign([target], value)


def _in_place(statement: ast.stmt, place: Place) -> Iterator[ast.stmt | Several]:
    match statement:
        case ast.Assign(
            [ast.Name(own) as target],
            ast.BinOp(ast.Name(read), ast.Add() | ast.Sub() | ast.Mult() as op, value),
        ) if np.ndim(place.space.get(read, 0)):
            changed = ast.AugAssign(ast.Name(read, ast.Store()), op, value)
            if own == read:
                yield changed
            elif read in place.given:
                yield Several((changed, ast.Assign([target], ast.Name(read, ast.Load()))))


def _written_into(statement: ast.stmt, place: Place) -> Iterator[Several]:
    if isinstance(statement, ast.Return) and statement.value is not None:
        keep = ast.Assign([ast.Name("found", ast.Store())], statement.value)
        hand = ast.Return(ast.Name("found", ast.Load()))
        for name in (*place.given, *place.kept):
            if isinstance(place.space.get(name), np.ndarray):
                yield Several((keep, _statement(f"{name}[...] = 2 * {name}"), hand))


def _cotangent_ignored(statement: ast.stmt, place: Place) -> Iterator[Several]:
    if place.first:
        yield from (Several((_statement(f"{n} = 0 * {n}"), statement)) for n in place.given)


def _severed(statement: ast.stmt, place: Place) -> Iterator[ast.stmt]:
    match statement:
        case ast.Assign([ast.Name(name)], value) if name in place.carried:
            yield replaced(statement, value, filled("0 * _", value))


def _order(statement: ast.stmt, place: Place) -> Iterator[ast.stmt]:
    match statement:
        case ast.For(iter=ast.Call(ast.Name("reversed"), [inner]) as iterated):
            yield replaced(statement, iterated, inner)
        case ast.For(iter=ast.Call(ast.Name("range" | "zip" | "enumerate")) as iterated):
            yield replaced(statement, iterated, filled("reversed(list(_))", iterated))


def _other_branch(statement: ast.stmt, place: Place) -> Iterator[ast.stmt]:
    match statement:
        case ast.If(test, one, other):
            yield ast.If(ast.UnaryOp(ast.Not(), test), one, other)


def _deleted(statement: ast.stmt, place: Place) -> Iterator[ast.stmt]:
    if isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr | ast.Delete):
        yield ast.Pass()


def _neighbours(statement: ast.stmt, place: Place) -> Iterator[Several]:
    """Two statements in the other order, if one has to do with what the other assigns."""
    simple = ast.Assign | ast.AugAssign | ast.Expr
    other = place.following
    if isinstance(statement, simple) and isinstance(other, simple):
        (read, written), (later_read, later_written) = _uses(statement), _uses(other)
        if written & (later_read | later_written) or read & later_written:
            yield Several((other, statement), next_too=True)


def _uses(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """The names that a statement reads, and those that it may write to."""
    read, written = set(), set()
    for node in ast.walk(statement):
        match node:
            case ast.Name(name, ast.Load()):
                read.add(name)
            case ast.Name(name):
                written.add(name)
            case ast.Subscript(ast.Name(name), _, ast.Store()):
                written.add(name)
    if isinstance(statement, ast.Expr):
        written |= read
    return read, written


def _statement(text: str) -> ast.stmt:
    return ast.parse(text).body[0]


STATEMENTS = (
    Slip("another gate", "M6", _another_gate),
    Slip("an accumulation", "M8", _accumulation),
    Slip("a scatter lost", "M22", _scatter),
    Slip("in place", "M14", _in_place),
    Slip("written into", "M14", _written_into),
    Slip("a cotangent ignored", "M12", _cotangent_ignored),
    Slip("a carry severed", "M1 M11", _severed),
    Slip("the loop's order", "M20", _order),
    Slip("exchanged branches", "M17", _other_branch),
    Slip("a statement deleted", "M8 M11", _deleted),
    Slip("two statements exchanged", "M2", _neighbours),
)
