"""Note every value that a forward assigns, loops included, and move one of them by a little.

A copy of the cell's function tells the watch of each value as it is assigned: ``a = ...``,
``i, f = ...``, ``h[t] = ...`` and ``hs.append(...)``. Its derivation is left as it is.
"""

import ast
import copy
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from gradcheck.arrays import is_number
from gradcheck.source.listing import Listing

NAME = "__gradcheck_steps__"  # of the watch, inside the author's module
Place = tuple[str, int]  # the name of a value, and the how manieth of that name it is, from 0


@dataclass(frozen=True)
class Noted:
    """A value as it was assigned: under which name, the how manieth of it, and in which line."""

    name: str
    count: int
    line: int
    value: Any

    @property
    def place(self) -> Place:
        return self.name, self.count


@dataclass
class Watch:
    """What a run of the forward assigned; ``moved`` adds to the value of one place."""

    noted: list[Noted] = field(default_factory=list)
    moved: dict[Place, Any] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """A run begins: it counts from 0."""
        self.noted, self._counts = [], Counter()

    def value(self, name: str | tuple[str | None, ...], line: int, value: Any) -> Any:
        """The value, or the values, that are assigned; noted, and moved if they are to be."""
        if isinstance(name, str):
            return self._one(name, line, value)
        try:
            parts = list(value)
        except TypeError:  # the assignment says what is wrong with it
            return value
        if len(parts) != len(name):
            return value
        return tuple(
            part if one is None else self._one(one, line, part)
            for one, part in zip(name, parts, strict=True)
        )

    def appended(self, name: str, to: Any, line: int, value: Any) -> Any:
        """What is appended to a list: its next entry."""
        return self._one(f"{name}[{len(to)}]", line, value) if isinstance(to, list) else value

    def _one(self, name: str, line: int, value: Any) -> Any:
        place = name, self._counts[name]
        if place in self.moved:
            value = value + self.moved[place]
        if is_number(value):
            self.noted.append(Noted(*place, line, copy.deepcopy(value)))
        self._counts[name] += 1
        return value


def watched(listing: Listing, watch: Watch) -> Listing:
    """The listing with a forward that tells the watch what it assigns."""
    told = copy.deepcopy(listing.function)
    told.body = [_begun(), *_Telling().visit(ast.Module(told.body, [])).body]
    ast.fix_missing_locations(told)
    found = listing.changed(listing.function, told)
    again = listing.again and partial(_again, listing, watch)
    return replace(found, names={**listing.names, NAME: watch}, again=again)


def _again(listing: Listing, watch: Watch, change: Any) -> Listing:
    assert listing.again is not None
    return watched(listing.again(change), watch)


def _begun() -> ast.stmt:
    return ast.Expr(_call("begin"))


class _Telling(ast.NodeTransformer):
    """Puts the watch between each value and its name; nested functions are left alone."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if isinstance(node.value, ast.Lambda):
            return node
        target = node.targets[0]
        if isinstance(target, ast.Tuple | ast.List):
            names = [_name(part) for part in target.elts]
            if any(isinstance(part, ast.Starred) for part in target.elts):
                return node
            given: ast.expr = ast.Tuple([one or ast.Constant(None) for one in names], ast.Load())
        else:
            own = _name(target)
            if own is None:
                return node
            given = own
        node.value = _call("value", given, ast.Constant(node.lineno), node.value)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> Any:
        name = _name(node.target)
        if name is None:
            return node
        target = ast.parse(ast.unparse(node.target), mode="eval").body
        told = _call("value", name, ast.Constant(node.lineno), target)
        return [node, ast.copy_location(ast.Assign([copy.deepcopy(node.target)], told), node)]

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        match node.value:
            case ast.Call(ast.Attribute(ast.Name() as to, "append"), [value], []) as call:
                given = [ast.Constant(to.id), to, ast.Constant(node.lineno), value]
                call.args = [_call("appended", *given)]
        return node


def _name(target: ast.expr) -> ast.expr | None:
    """An expression for what a target is called: ``h[t]`` is h[2] in the third turn."""
    match target:
        case ast.Name(id=name):
            return ast.Constant(name)
        case ast.Subscript(ast.Name(id=name), index):
            plain = (ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)
            if all(isinstance(part, (*plain, ast.Load)) for part in ast.walk(index)):
                form = ast.Attribute(ast.Constant(name + "[{}]"), "format", ast.Load())
                return ast.Call(form, [copy.deepcopy(index)], [])
            return ast.Constant(ast.unparse(target))
    return None


def _call(method: str, *arguments: ast.expr) -> ast.expr:
    watch = ast.Attribute(ast.Name(NAME, ast.Load()), method, ast.Load())
    return ast.Call(watch, list(arguments), [])
