"""What instrumented code asks and tells while it runs, and the syntax by which it does so."""

import ast
import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

NAME = "__gradcheck__"  # of the hooks, inside the author's code
_FRAME = "__gradcheck_frame__"  # of what a forward's names are worth, inside that forward


@dataclass
class Hooks:
    """The changes of a run, and what was seen of it."""

    changes: dict[int, Callable[[dict[str, Any]], Any]] = field(default_factory=dict)
    moved: dict[str, Any] = field(default_factory=dict)
    held: dict[str, Any] = field(default_factory=dict)
    scope: dict[str, Any] = field(default_factory=dict)  # of the cell's forward
    module: dict[str, Any] = field(default_factory=dict)
    watching: bool = False
    seen: dict[int, list[Any]] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)  # in which it was seen
    spaces: dict[int, dict[str, Any]] = field(default_factory=dict)

    def saw(self, key: int, value: Any, frame: dict[str, Any], space: dict[str, Any]) -> None:
        self.seen.setdefault(key, []).append(copy.deepcopy(value))
        self.order.append(key)
        self.spaces[key] = {**self.module, **frame, **space}

    def passed(self, key: int, value: Any, frame: dict[str, Any], space: dict[str, Any]) -> Any:
        if self.watching:
            self.saw(key, value, frame, space)
        return value

    def value(self, key: int, frame: dict[str, Any], space: dict[str, Any]) -> Any:
        return self.changes[key]({**self.module, **frame, **space})

    def move(self, name: str, value: Any) -> Any:
        value = self.held.get(name, value)
        return value + self.moved[name] if name in self.moved else value


@dataclass(frozen=True)
class Asking:
    """Makes the syntax that asks and tells, in functions with a ``frame`` around them or not."""

    framed: bool

    def watched(self, key: int, value: ast.expr) -> ast.stmt:
        """Report what a statement assigned, and what it could see, if anyone watches."""
        watching = ast.Attribute(name(NAME), "watching", ast.Load())
        told = _call("saw", ast.Constant(key), value, *self._seen())
        return ast.If(watching, [ast.Expr(told)], [])

    def passed(self, key: int, value: ast.expr) -> ast.expr:
        """The value, reported."""
        return _call("passed", ast.Constant(key), value, *self._seen())

    def changed(self, key: int) -> ast.expr:
        """The value that stands in for a statement's own."""
        return _call("value", ast.Constant(key), *self._seen())

    def either(self, key: int, value: ast.expr) -> ast.expr:
        """The value that stands in for a statement's own, if there is one, or its own."""
        return ast.IfExp(asked(key), self.changed(key), value)

    def _seen(self) -> tuple[ast.expr, ast.expr]:
        return (name(_FRAME) if self.framed else ast.Dict([], [])), _locals()


def asked(key: int) -> ast.expr:
    """Whether a value stands in for a statement's own."""
    changes = ast.Attribute(name(NAME), "changes", ast.Load())
    return ast.Compare(ast.Constant(key), [ast.In()], [changes])


def moved(target: str) -> ast.stmt:
    """Let a name of the forward be moved once it is assigned."""
    value = _call("move", ast.Constant(target), name(target))
    return ast.Assign([ast.Name(target, ast.Store())], value)


def framed(body: list[ast.stmt], *, outermost: bool) -> list[ast.stmt]:
    """A forward whose names, as they are when it returns, can be seen by the functions in it.

    Each call has its own; those of the cell itself, the ``outermost``, are told as well.
    """
    made = ast.Assign([ast.Name(_FRAME, ast.Store())], ast.Dict([], []))
    update = ast.Attribute(name(_FRAME), "update", ast.Load())
    kept: list[ast.stmt] = [ast.Expr(ast.Call(update, [_locals()], []))]
    if outermost:
        scope = ast.Attribute(name(NAME), "scope", ast.Store())
        kept.append(ast.Assign([scope], name(_FRAME)))
    return [made, ast.Try(body, [], [], kept)]


def name(of: str) -> ast.Name:
    return ast.Name(of, ast.Load())


def _locals() -> ast.expr:
    return ast.Call(name("locals"), [], [])


def _call(method: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Attribute(name(NAME), method, ast.Load()), list(arguments), [])
