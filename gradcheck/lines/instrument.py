"""Run an author's own source with every line of its derivation observed and open to change.

Each statement of a listing first asks whether another value stands in for its own, and reports
what it assigned; each name that the forward assigns can be moved by a little, which gives the
true gradient of that name. Without a hook in use the code does what it did.
"""

import ast
import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from gradcheck.cells.cell import Cell
from gradcheck.cells.returned import Unusable
from gradcheck.drawing import sizes
from gradcheck.drawing.draw import Example
from gradcheck.evidence import Examiner
from gradcheck.lines import forward, hooks
from gradcheck.lines.hooks import Asking, Hooks
from gradcheck.source import widen
from gradcheck.source.definitions import Definition
from gradcheck.source.listing import Listing, Site

# Computes the value of a statement anew, from all the names that it can see.
Change = Callable[[dict[str, Any]], Any]
GENERATED = "generated"  # set on a return statement that no author wrote
_TIMES = 4  # that a loop goes round, about, on sizes of 1 to 5


@dataclass(frozen=True)
class Line:
    """One statement of a derivation: ``expression`` is its right-hand side, open to change."""

    key: int
    number: int
    source: str
    statement: ast.stmt
    expression: ast.expr
    targets: tuple[str, ...]  # plain names that it assigns, as a whole or in part
    loop: bool  # it may run more than once
    site: int  # which function of the derivation it stands in; 0 is the cell's own backward
    absent: bool = False  # stands where a line that completes a cotangent may be missing

    @cached_property
    def own(self) -> ast.expr | None:
        """The target, where the line reads it and so changes rather than gives it a value."""
        statement = self.statement
        if isinstance(statement, ast.AugAssign):
            return ast.parse(ast.unparse(statement.target), mode="eval").body
        if self.whole and self.targets[0] in _read(self.expression):
            return hooks.name(self.targets[0])
        return None

    @property
    def whole(self) -> bool:
        """Whether it gives its one target a value of its own, rather than adding to one."""
        statement = self.statement
        return isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)


@dataclass(frozen=True)
class Script:
    """A cell whose lines can be watched and changed through ``hooks``."""

    cell: Cell
    lines: tuple[Line, ...]
    quantities: tuple[str, ...]  # names of the forward that are assigned once, as a whole
    cotangents: tuple[str, ...]  # the parameters of backward
    slices: tuple[ast.expr, ...]  # every index that occurs in the cell
    keys: tuple[str, ...]  # every string that occurs in it, such as the keys of a dict of gates
    functions: tuple[str, ...]  # one-argument functions that the file calls, such as np.tanh
    conditions: tuple[ast.expr, ...]  # comparisons that the cell makes, such as p >= 0
    hooks: Hooks
    python: bool = True  # or it is equations, in which nothing can be declared

    @cached_property
    def examiner(self) -> Examiner:
        return Examiner(self.cell)

    @cached_property
    def statements(self) -> int:
        """About how many its backward runs: those of a loop several times."""
        return sum(_TIMES if line.loop else 1 for line in self.lines)

    def quantity(self, name: str) -> str | None:
        """The forward name that a backward name claims to be the gradient of."""
        known = {*self.quantities, *(a.name for a in self.cell.arguments)}
        return name[1:] if name.startswith("d") and name[1:] in known else None


def read(path: Path, name: str) -> Script:
    """The script of one cell of a file. Raises CaseError if its source cannot be followed."""
    return script(Listing.of(path, name))


def script(listing: Listing) -> Script:
    """A listing with the hooks put in."""
    listing = _widened(listing)
    facts = forward.read(listing)
    copied = replace(listing, definitions=_copies(listing.definitions))
    told, numbering = Hooks(), _Numbering()
    for place, site in enumerate(copied.sites):
        numbering.site(site, place)
    for around in dict.fromkeys([copied.function, *(site.around for site in copied.sites)]):
        if around is not None:
            own = around is copied.function
            body = list(_movable(around.body, facts.quantities)) if own else around.body
            around.body = hooks.framed(body, outermost=own)
    space = replace(copied, names={**copied.names, hooks.NAME: told}).space()
    told.module = space
    cell = copied.cell(space)
    return Script(
        cell,
        tuple(numbering.lines),
        facts.quantities,
        tuple(f"d{output}" for output in cell.outputs),
        facts.slices,
        facts.keys,
        facts.functions,
        facts.conditions,
        told,
    )


def _widened(listing: Listing) -> Listing:
    """Lines are judged in float64, whatever they are written in: rounding is no slip of a line.

    But a cast is one that makes a gradient float32 where its argument is float64.
    """
    text = "\n".join(listing.definitions[listing.name].text)
    if listing.again is not None and widen.concerns(text):
        cell = listing.cell()
        ordinary = tuple(sizes.rising(cell.size_names).items())
        with contextlib.suppress(Exception):  # what fails here is told elsewhere
            hand = Examiner(cell).evidence(Example(ordinary, 0)).hand
            if not any(isinstance(gradient, Unusable) for gradient in hand.values()):
                return listing.again(widen.finer)
    return listing


def _copies(definitions: Mapping[str, Definition]) -> dict[str, Definition]:
    """The definitions with nodes of their own, to be changed."""
    nodes = copy.deepcopy({name: one.node for name, one in definitions.items()})
    return {name: replace(one, node=nodes[name]) for name, one in definitions.items()}


def _movable(body: list[ast.stmt], quantities: tuple[str, ...]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        for target in forward.whole_targets(node):
            if target in quantities:
                yield hooks.moved(target)


class _Numbering:
    """Gives each statement a key, and wraps it in its hooks."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def site(self, site: Site, place: int) -> None:
        """Every statement of one function of the derivation."""
        self._site, self._place = site, place
        self._asking = Asking(framed=site.around is not None)
        if isinstance(site.node, ast.Assign):
            self._function(site.node)
            return
        body = list(self._block(site.node.body, loop=place > 0))
        if place == 0:
            for given in site.node.args.args:
                body = [*self._absent(given.arg, site.node), *body]
        site.node.body = body

    def _block(self, body: list[ast.stmt], loop: bool) -> Iterator[ast.stmt]:
        for statement in body:
            yield from self._statement(statement, loop)

    def _absent(self, name: str, backward: ast.FunctionDef) -> Iterator[ast.stmt]:
        """A place for a line ``dc = dc + ...`` at the head of the backward."""
        node = ast.Assign([ast.Name(name, ast.Store())], hooks.name(name))
        node.lineno = node.end_lineno = backward.lineno
        yield from self._hooked(node, node.value, False)
        self.lines[-1] = replace(self.lines[-1], absent=True)

    def _statement(self, node: ast.stmt, loop: bool) -> Iterator[ast.stmt]:
        match node:
            case ast.Assign(value=ast.Lambda()):
                self._function(node)
                yield node
            case ast.Return() if getattr(node, GENERATED, False):
                yield node
            case ast.Assign() | ast.AugAssign() | ast.Return() | ast.Expr() if node.value:
                if isinstance(node.value, ast.Constant) and isinstance(node, ast.Expr | ast.Return):
                    yield node  # a docstring, or `return None`
                    return
                yield from self._hooked(node, node.value, loop)
            case ast.AnnAssign(value=ast.expr() as value, target=target):
                yield from self._hooked(
                    ast.copy_location(ast.Assign([target], value), node), value, loop
                )
            case ast.For(iter=iterated):
                line = self._line(node, iterated, loop)
                yield self._asking.watched(line.key, ast.Constant(None))
                node.iter = self._asking.either(line.key, iterated)
                node.body = list(self._block(node.body, True))
                yield node
            case ast.If() | ast.While():
                node.body = list(self._block(node.body, loop or isinstance(node, ast.While)))
                node.orelse = list(self._block(node.orelse, loop))
                yield node
            case ast.FunctionDef():
                node.body = list(self._block(node.body, True))
                yield node
            case ast.With():
                node.body = list(self._block(node.body, loop))
                yield node
            case _:
                yield node

    def _function(self, node: ast.Assign) -> None:
        """A function of one expression: that is what may be wrong."""
        assert isinstance(node.value, ast.Lambda)
        line = self._line(node, node.value.body, True)
        value = self._asking.either(line.key, node.value.body)
        node.value.body = self._asking.passed(line.key, value)

    def _line(self, node: ast.stmt, expression: ast.expr, loop: bool) -> Line:
        first, last = node.lineno, node.end_lineno or node.lineno
        if isinstance(node, ast.For):
            last = expression.end_lineno or first
        line = Line(
            len(self.lines),
            first,
            self._site.source(node, last),
            copy.deepcopy(node),
            copy.deepcopy(expression),
            tuple(dict.fromkeys(_stored(node))),
            loop,
            self._place,
        )
        self.lines.append(line)
        return line

    def _hooked(self, node: ast.stmt, value: ast.expr, loop: bool) -> Iterator[ast.stmt]:
        line = self._line(node, value, loop)
        changed = self._asking.changed(line.key)
        match node:
            case ast.Assign(targets=targets):
                node.value = self._asking.either(line.key, value)
                target = targets[0]
                yield node
            case ast.AugAssign(target=target):
                plain = ast.Assign([target], changed)
                yield ast.If(hooks.asked(line.key), [plain], [node])
            case ast.Return():
                yield self._asking.watched(line.key, ast.Constant(None))
                node.value = self._asking.either(line.key, value)
                yield node
                return
            case _:
                yield ast.If(hooks.asked(line.key), [ast.Expr(changed)], [node])
                target = ast.Constant(None)
        yield self._asking.watched(line.key, _loaded(target))


def _stored(node: ast.stmt) -> Iterator[str]:
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AugAssign):
        targets = [node.target]
    for target in targets:
        for part in ast.walk(target):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                yield part.id
            elif isinstance(part, ast.Subscript) and isinstance(part.value, ast.Name):
                yield part.value.id


def _loaded(target: ast.expr) -> ast.expr:
    """The target as an expression that reads it."""
    loaded = copy.deepcopy(target)
    for part in ast.walk(loaded):
        if isinstance(getattr(part, "ctx", None), ast.Store):
            part.ctx = ast.Load()  # type: ignore[attr-defined]
    return loaded


def _read(expression: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
