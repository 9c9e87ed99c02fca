"""Every mutant of a cell: each slip of the pen at each place of its backward where it can happen.

A mutant differs from the author's source by one edit of its syntax tree.
"""

import ast
import copy
import itertools
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.mutation.places import Place, Several
from gradcheck.mutation.slips import EXPRESSIONS
from gradcheck.mutation.statements import STATEMENTS
from gradcheck.source.definitions import Function
from gradcheck.source.listing import Listing, Site
from gradcheck.source.trees import expressions, relocated, rewritten

SLIPS = (*EXPRESSIONS, *STATEMENTS)


@dataclass(frozen=True)
class Mutant:
    """One edit: the line as written, what it has become, and the definition that holds it."""

    line: int
    source: str
    mutant: str
    slip: str
    original: Function
    changed: Function


def mutants(
    listing: Listing, inputs: Mapping[str, Any], cotangents: tuple[Array, ...]
) -> list[Mutant]:
    """Every mutant once, in the order of the lines; the numbers tell which names are alike."""
    scopes = _scopes(listing, inputs, cotangents)
    found: dict[tuple[int, str], Mutant] = {}
    for site in listing.sites:
        for place in places(listing, site, scopes):
            for slip, old, new in _slips(place):
                mutant = _mutant(site, place, slip, old, new)
                if mutant.mutant != _shown(place.statement):
                    found.setdefault((id(place.statement), mutant.mutant), mutant)
    return sorted(found.values(), key=lambda mutant: mutant.line)


def stratified(found: list[Mutant]) -> Iterator[Mutant]:
    """The same in an order whose every beginning has all lines and all slips in fair shares."""
    waiting: dict[tuple[str, int], list[Mutant]] = {}
    for mutant in reversed(found):
        waiting.setdefault((mutant.slip, mutant.line), []).append(mutant)
    slips_taken: dict[str, int] = {}
    lines_taken: dict[int, int] = {}
    while waiting:
        key = min(waiting, key=lambda k: (slips_taken.get(k[0], 0), lines_taken.get(k[1], 0)))
        slips_taken[key[0]] = slips_taken.get(key[0], 0) + 1
        lines_taken[key[1]] = lines_taken.get(key[1], 0) + 1
        yield waiting[key].pop()
        if not waiting[key]:
            del waiting[key]


def _mutant(site: Site, place: Place, slip: str, old: ast.AST, new: Any) -> Mutant:
    gone, standing = None, new
    if isinstance(new, Several):
        gone = place.following if new.next_too else None
        for part in new.body:
            if part not in (place.statement, gone):
                ast.copy_location(part, place.statement)
        standing = ast.If(ast.Constant(True), list(new.body), [])

    def change(node: ast.AST) -> ast.AST:
        return standing if node is old else ast.Pass() if node is gone else node

    statement = place.statement
    last = statement.end_lineno or statement.lineno
    if isinstance(statement, ast.For | ast.If | ast.With):
        last = statement.body[0].lineno - 1
    definition = site.definition.node
    return Mutant(
        statement.lineno,
        site.source(statement, last),
        _shown(standing if old is statement else rewritten(statement, change)),
        slip,
        definition,
        relocated(rewritten(definition, change), definition),
    )


def _shown(node: ast.stmt) -> str:
    """A statement in one line, tuples without brackets as people write them."""
    match node:
        case ast.If(test=ast.Constant(True), body=body):
            return "; ".join(map(_shown, body))
        case ast.Return(ast.Tuple(elements)):
            return f"return {', '.join(map(ast.unparse, elements))}"
        case ast.Assign([target], ast.Tuple(elements)):
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            left = ", ".join(map(ast.unparse, names))
            return f"{left} = {', '.join(map(ast.unparse, elements))}"
        case ast.Pass():
            return "(deleted)"
        case ast.For() | ast.If() | ast.With():
            return _unparsed(node).splitlines()[0]
    return _unparsed(node)


def _unparsed(node: ast.stmt) -> str:
    """Its text; the node itself must not get a line that is not its own."""
    return ast.unparse(ast.fix_missing_locations(copy.deepcopy(node)))


def _slips(place: Place) -> Iterator[tuple[str, ast.AST, Any]]:
    """Each slip with the node that it replaces and what it puts there."""
    statement = place.statement
    for slip in STATEMENTS:
        for new in slip.make(statement, place):
            yield slip.name, statement, new
    for part in _own(statement):
        for node in expressions(part):
            stored = isinstance(getattr(node, "ctx", None), ast.Store)
            if not stored or isinstance(node, ast.Subscript):
                for slip in EXPRESSIONS:
                    for new in slip.make(node, place):
                        yield slip.name, node, new


def _own(statement: ast.stmt) -> Iterator[ast.expr]:
    """The expressions of a statement, those of the statements inside it left out."""
    for node in ast.iter_child_nodes(statement):
        if isinstance(node, ast.expr):
            yield node


def places(
    listing: Listing, site: Site, scopes: Mapping[int, Mapping[str, Any]]
) -> Iterator[Place]:
    """The statements of a function that may be edited; ``scopes`` tell what names are worth."""
    node = site.node
    outer = {} if site.around is None else scopes.get(site.around.lineno, {})
    space = {**outer, **scopes.get(node.lineno, {})}
    if isinstance(node, ast.Assign):  # a named lambda
        yield Place(node, None, space, listing.names, (), (), frozenset(), (), False)
        return
    given = tuple(argument.arg for argument in node.args.args)
    read = dict.fromkeys(n.id for n in ast.walk(node) if isinstance(n, ast.Name))
    kept = tuple(name for name in read if name in outer and name not in _own_names(node))
    sizes = tuple(_sizes(listing, outer)) if site.around else ()
    first = next((s for s in node.body if not _docstring(s)), None)
    for statement, following, carried in _statements(node.body, frozenset()):
        yield Place(
            statement, following, space, listing.names, given, kept, carried, sizes,
            statement is first and site.around is not None,
        )  # fmt: skip


def _own_names(site: ast.FunctionDef) -> set[str]:
    """The names that are a function's own: its parameters, and what it assigns."""
    stored = {
        n.id for n in ast.walk(site) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    return stored | {argument.arg for argument in site.args.args}


def _sizes(listing: Listing, space: Mapping[str, Any]) -> Iterator[str]:
    """An expression for each different size of the arguments, such as x.shape[0]."""
    seen: set[int] = set()
    for argument in listing.function.args.args:
        for axis, size in enumerate(np.shape(space.get(argument.arg, ()))):
            if size not in seen:
                seen.add(size)
                yield f"{argument.arg}.shape[{axis}]"


def _docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _statements(
    body: list[ast.stmt], carried: frozenset[str]
) -> Iterator[tuple[ast.stmt, ast.stmt | None, frozenset[str]]]:
    """Each statement, the one after it, and what the loop around it hands on.

    A ``while`` is left alone: an edit there could keep it from ending.
    """
    for statement, following in itertools.zip_longest(body, body[1:]):
        if _docstring(statement) or isinstance(statement, ast.While | ast.Pass):
            continue
        if not isinstance(statement, ast.FunctionDef):
            yield statement, following, carried
        inside = carried
        if isinstance(statement, ast.For):
            before = _stored(body[: body.index(statement)])
            inside = carried | (_stored(statement.body) & before)
        for field in ("body", "orelse"):
            yield from _statements(getattr(statement, field, []), inside)


def _stored(body: list[ast.stmt]) -> frozenset[str]:
    nodes = [node for statement in body for node in ast.walk(statement)]
    names = [n for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return frozenset(name.id for name in names)


def _scopes(
    listing: Listing, inputs: Mapping[str, Any], cotangents: tuple[Array, ...]
) -> dict[int, dict[str, Any]]:
    """What the names of each function of the file are worth when it returns, by its first line."""
    cell, found, before = listing.cell(), {}, sys.getprofile()

    def returning(frame: FrameType, event: str, _: object) -> None:
        if event == "return" and frame.f_code.co_filename == str(listing.path):
            found[frame.f_code.co_firstlineno] = dict(frame.f_locals)

    sys.setprofile(returning)
    try:
        _, backward = cell.run(inputs)
        backward(cotangents)
    finally:
        sys.setprofile(before)
    return found
