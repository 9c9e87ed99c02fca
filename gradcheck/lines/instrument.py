"""Run an author's own source with every line of its backward observed and open to change.

The file is compiled once, with hooks: each statement of ``backward`` (and of the helpers that
only ``backward`` calls) first asks whether another value stands in for its own, and reports what
it assigned; each name that the forward assigns can be moved by a little, which gives the true
gradient of that name. Without a hook in use the code does what it did.
"""

import ast
import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from gradcheck.cells.cell import Array, Cell, Point, Source
from gradcheck.cells.returned import Unusable
from gradcheck.drawing import sizes
from gradcheck.drawing.draw import Example
from gradcheck.errors import CaseError, shown_path
from gradcheck.evidence import Examiner
from gradcheck.source import cases, widen
from gradcheck.source.cases import declaring
from gradcheck.source.closure import closure

_HOOKS = "__gradcheck__"
GENERATED = "generated"  # set on a return statement that no author wrote

# Computes the value of a statement anew, from all the names that it can see.
Change = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Line:
    """One statement of a backward: ``expression`` is its right-hand side, open to change."""

    key: int
    number: int
    source: str
    statement: ast.stmt
    expression: ast.expr
    targets: tuple[str, ...]  # plain names that it assigns, as a whole or in part
    loop: bool  # it may run more than once
    absent: bool = False  # stands where a line that completes a cotangent may be missing

    @cached_property
    def own(self) -> ast.expr | None:
        """The target, where the line reads it and so changes rather than gives it a value."""
        statement = self.statement
        if isinstance(statement, ast.AugAssign):
            return ast.parse(ast.unparse(statement.target), mode="eval").body
        if self.whole and self.targets[0] in _read(self.expression):
            return _name(self.targets[0])
        return None

    @property
    def whole(self) -> bool:
        """Whether it gives its one target a value of its own, rather than adding to one."""
        statement = self.statement
        return isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)


@dataclass
class Hooks:
    """What the instrumented code asks and tells while it runs."""

    changes: dict[int, Change] = field(default_factory=dict)
    moved: dict[str, Any] = field(default_factory=dict)
    held: dict[str, Any] = field(default_factory=dict)
    scope: dict[str, Any] = field(default_factory=dict)
    module: dict[str, Any] = field(default_factory=dict)
    watching: bool = False
    seen: dict[int, list[Any]] = field(default_factory=dict)
    spaces: dict[int, dict[str, Any]] = field(default_factory=dict)

    def saw(self, key: int, value: Any, space: dict[str, Any]) -> None:
        self.seen.setdefault(key, []).append(copy.deepcopy(value))
        self.spaces[key] = {**self.module, **self.scope, **space}

    def passed(self, key: int, value: Any, space: dict[str, Any]) -> Any:
        if self.watching:
            self.saw(key, value, space)
        return value

    def value(self, key: int, space: dict[str, Any]) -> Any:
        return self.changes[key]({**self.module, **self.scope, **space})

    def move(self, name: str, value: Any) -> Any:
        value = self.held.get(name, value)
        return value + self.moved[name] if name in self.moved else value


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
    hooks: Hooks

    @cached_property
    def examiner(self) -> Examiner:
        return Examiner(self.cell)

    def quantity(self, name: str) -> str | None:
        """The forward name that a backward name claims to be the gradient of."""
        known = {*self.quantities, *(a.name for a in self.cell.arguments)}
        return name[1:] if name.startswith("d") and name[1:] in known else None

    def holding(self, name: str, inputs: Mapping[str, Any]) -> Point:
        """The forward around ``inputs`` with a quantity held at the value it has there."""
        point = self.cell.at(inputs)
        self.cell.run(inputs)
        value = self.hooks.scope[name]

        def forward(values: Mapping[str, Any]) -> tuple[Array, ...]:
            self.hooks.held = {name: value}
            try:
                return point.forward(values)
            finally:
                self.hooks.held = {}

        return replace(point, forward=forward)


def read(path: Path, name: str) -> Script:
    """The script of one cell of a file. Raises CaseError if its source cannot be followed."""
    hooks = Hooks()
    parts: dict[str, Any] = {}

    def change(tree: ast.Module) -> ast.Module:
        text = path.read_text(encoding="utf-8").splitlines()
        parts.update(_instrumented(tree, name, text, shown_path(path)))
        return tree

    module, contracts, watch = declaring(path, change, {_HOOKS: hooks}, _reading(path, name))
    declared = partial(closure, contracts=contracts.get(name, ()), watch=watch)
    return _script(name, parts, path, vars(module), hooks, declared)


def _reading(path: Path, name: str) -> Callable[[ast.Module], ast.Module]:
    """Lines are judged in float64, whatever they are written in: rounding is no slip of a line.

    But a cast is one that makes a gradient float32 where its argument is float64.
    """
    for cell in cases.read(path) if widen.concerns(path.read_text(encoding="utf-8")) else ():
        if isinstance(cell, Cell) and cell.name == name:
            ordinary = tuple(sizes.rising(cell.size_names).items())
            with contextlib.suppress(Exception):  # what fails here is told elsewhere
                hand = Examiner(cell).evidence(Example(ordinary, 0)).hand
                if not any(isinstance(gradient, Unusable) for gradient in hand.values()):
                    return widen.finer
    return lambda tree: tree


def build(
    tree: ast.Module, name: str, text: list[str], path: Path, module: dict[str, Any]
) -> Script:
    """The script of a cell that was written as a syntax tree; ``text`` are its lines as shown.

    ``module`` are the only names that the code can see besides its own.
    """
    hooks = Hooks()
    parts = _instrumented(tree, name, text, shown_path(path))
    module = {**module, _HOOKS: hooks}
    exec(compile(tree, str(path), "exec"), module)
    return _script(name, parts, path, module, hooks, closure)


def _instrumented(tree: ast.Module, name: str, text: list[str], shown: str) -> dict[str, Any]:
    """Put the hooks into the tree; tell what they hang on."""
    function = _definition(tree.body, name)
    if function is None:
        raise CaseError(f"{shown} defines no cell called {name}.")
    backward = _backward(function)
    if backward is None:
        raise CaseError(
            f"The backward of {name} cannot be followed: it is not a function inside it."
        )
    parts = _parts(tree, function, backward, text)
    ast.fix_missing_locations(tree)
    return {**parts, "line": function.lineno}


def _script(
    name: str,
    parts: dict[str, Any],
    path: Path,
    module: dict[str, Any],
    hooks: Hooks,
    make: Callable[[Callable[..., Any], Source], Cell],
) -> Script:
    hooks.module = module
    cell = make(module[name], Source(path.resolve(), parts["line"]))
    return Script(
        cell,
        tuple(parts["lines"]),
        tuple(parts["quantities"]),
        tuple(f"d{output}" for output in cell.outputs),
        tuple(parts["slices"]),
        tuple(parts["keys"]),
        tuple(parts["functions"]),
        hooks,
    )


def _definition(body: list[ast.stmt], name: str) -> ast.FunctionDef | None:
    named = [node for node in body if isinstance(node, ast.FunctionDef) and node.name == name]
    return named[-1] if named else None


def _backward(function: ast.FunctionDef) -> ast.FunctionDef | None:
    """The nested function that the cell returns last."""
    returned = [node.value for node in function.body if isinstance(node, ast.Return)]
    if returned and isinstance(returned[-1], ast.Tuple):
        last = returned[-1].elts[-1]
        if isinstance(last, ast.Name):
            return _definition(function.body, last.id)
    return None


def _parts(
    tree: ast.Module, function: ast.FunctionDef, backward: ast.FunctionDef, text: list[str]
) -> dict[str, Any]:
    """Put the hooks into the tree; tell the lines and the forward quantities."""
    forward = [node for node in function.body if node is not backward]
    functions = _functions(tree, function.name)
    slices = [copy.deepcopy(n.slice) for n in ast.walk(function) if isinstance(n, ast.Subscript)]
    keys = [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 12
    ]
    keys = list(dict.fromkeys(keys))
    helpers = [f for f in _helpers(tree, forward, backward) if isinstance(f, ast.FunctionDef)]
    lambdas = [f for f in _helpers(tree, forward, backward) if isinstance(f, ast.Assign)]
    numbering = _Numbering(text)
    given = [argument.arg for argument in backward.args.args]
    used = {n.id for part in forward for n in ast.walk(part) if isinstance(n, ast.Name)}
    nested = [n for n in function.body if isinstance(n, ast.FunctionDef) and n is not backward]
    helpers += [inner for inner in nested if inner.name not in used]
    for body in [backward, *helpers]:
        body.body = list(numbering.block(body.body, loop=body is not backward))
    for named in lambdas:
        assert isinstance(named.value, ast.Lambda)
        numbering.function(named, named.value)
    for name in given:
        backward.body = [*numbering.absent(name, backward), *backward.body]
    quantities = _once(forward)
    new: list[ast.stmt] = []
    for node in function.body:
        if node is backward or isinstance(node, ast.FunctionDef):
            new.append(node)
        elif isinstance(node, ast.Return):
            new += [_call("scope.update", ast.Call(_name("locals"), [], [])), node]
        else:
            new.append(node)
            for target in _whole_targets(node):
                if target in quantities:
                    moved = _call_expression("move", ast.Constant(target), _name(target))
                    new.append(ast.Assign([ast.Name(target, ast.Store())], moved))
    function.body = new
    return {
        "lines": numbering.lines,
        "quantities": quantities,
        "functions": functions,
        "slices": slices,
        "keys": keys,
    }


_KNOWN_FUNCTIONS = {f"{prefix}{name}" for prefix in ("np.", "numpy.", "") for name in
                    ("tanh", "exp", "log", "sqrt", "sin", "cos", "sigmoid")}  # fmt: skip


def _functions(tree: ast.Module, cell: str) -> list[str]:
    """Functions of one argument that the file calls and that keep a shape, as far as is known."""
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)} - {cell}
    called = [
        ast.unparse(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and len(node.args) == 1
        and not node.keywords
        and not isinstance(node.args[0], ast.List | ast.Tuple)
    ]
    return [name for name in dict.fromkeys(called) if name in _KNOWN_FUNCTIONS | defined]


def _helpers(
    tree: ast.Module, forward: list[ast.stmt], backward: ast.FunctionDef
) -> list[ast.FunctionDef | ast.Assign]:
    """Functions of the file that the backward reaches and the forward does not."""
    defined: dict[str, ast.FunctionDef | ast.Assign] = {}
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name):
                defined[name] = node
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda()):
                defined[name] = node

    def reached(roots: list[ast.stmt]) -> set[str]:
        found: set[str] = set()
        waiting: list[ast.AST] = list(roots)
        while waiting:
            for node in ast.walk(waiting.pop()):
                if isinstance(node, ast.Name) and node.id in defined and node.id not in found:
                    found.add(node.id)
                    waiting.append(defined[node.id])
        return found

    return [defined[name] for name in sorted(reached([backward]) - reached(forward))]


def _once(forward: list[ast.stmt]) -> list[str]:
    """Names that the forward assigns exactly once, as a whole and outside of any loop."""
    whole = [name for node in forward for name in _whole_targets(node)]
    stored = [
        node.id
        for statement in forward
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    indexed = {
        node.value.id
        for statement in forward
        for node in ast.walk(statement)
        if isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
    }
    return [n for n in dict.fromkeys(whole) if stored.count(n) == 1 and n not in indexed]


def _whole_targets(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        for part in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(part, ast.Name):
                yield part.id


class _Numbering:
    """Gives each statement a key, and wraps it in its hooks."""

    def __init__(self, text: list[str]) -> None:
        self.text = text
        self.lines: list[Line] = []

    def block(self, body: list[ast.stmt], loop: bool) -> Iterator[ast.stmt]:
        for statement in body:
            yield from self._statement(statement, loop)

    def absent(self, name: str, backward: ast.FunctionDef) -> Iterator[ast.stmt]:
        """A place for a line ``dc = dc + ...`` at the head of the backward."""
        node = ast.Assign([ast.Name(name, ast.Store())], _name(name))
        node.lineno = node.end_lineno = backward.lineno
        yield from self._hooked(node, node.value, False)
        self.lines[-1] = replace(self.lines[-1], absent=True)

    def _statement(self, node: ast.stmt, loop: bool) -> Iterator[ast.stmt]:
        match node:
            case ast.Assign(value=ast.Lambda() as function):
                self.function(node, function)
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
                yield _watched(line.key, ast.Constant(None))
                node.iter = _either(line.key, iterated)
                node.body = list(self.block(node.body, True))
                yield node
            case ast.If() | ast.While():
                node.body = list(self.block(node.body, loop or isinstance(node, ast.While)))
                node.orelse = list(self.block(node.orelse, loop))
                yield node
            case ast.FunctionDef():
                node.body = list(self.block(node.body, True))
                yield node
            case ast.With():
                node.body = list(self.block(node.body, loop))
                yield node
            case _:
                yield node

    def function(self, node: ast.Assign, function: ast.Lambda) -> None:
        """A function of one expression: that is what may be wrong."""
        line = self._line(node, function.body, True)
        value = _either(line.key, function.body)
        function.body = _call_expression("passed", ast.Constant(line.key), value, _locals())

    def _line(self, node: ast.stmt, expression: ast.expr, loop: bool) -> Line:
        first, last = node.lineno, node.end_lineno or node.lineno
        if isinstance(node, ast.For):
            last = expression.end_lineno or first
        source = " ".join(part.strip() for part in self.text[first - 1 : last])
        line = Line(
            len(self.lines),
            first,
            source,
            copy.deepcopy(node),
            copy.deepcopy(expression),
            tuple(dict.fromkeys(_stored(node))),
            loop,
        )
        self.lines.append(line)
        return line

    def _hooked(self, node: ast.stmt, value: ast.expr, loop: bool) -> Iterator[ast.stmt]:
        line = self._line(node, value, loop)
        changed = _call_expression("value", ast.Constant(line.key), _locals())
        match node:
            case ast.Assign(targets=targets):
                node.value = _either(line.key, value)
                target = targets[0]
                yield node
            case ast.AugAssign(target=target):
                plain = ast.Assign([target], changed)
                yield ast.If(_asked(line.key), [plain], [node])
            case ast.Return():
                yield _watched(line.key, ast.Constant(None))
                node.value = _either(line.key, value)
                yield node
                return
            case _:
                yield ast.If(_asked(line.key), [ast.Expr(changed)], [node])
                target = ast.Constant(None)
        yield _watched(line.key, _loaded(target))


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


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _locals() -> ast.expr:
    return ast.Call(_name("locals"), [], [])


def _call_expression(method: str, *arguments: ast.expr) -> ast.expr:
    hook: ast.expr = _name(_HOOKS)
    for part in method.split("."):
        hook = ast.Attribute(hook, part, ast.Load())
    return ast.Call(hook, list(arguments), [])


def _call(method: str, *arguments: ast.expr) -> ast.stmt:
    return ast.Expr(_call_expression(method, *arguments))


def _watched(key: int, value: ast.expr) -> ast.stmt:
    """Report what a statement assigned, and what it could see, if anyone watches."""
    watching = ast.Attribute(_name(_HOOKS), "watching", ast.Load())
    return ast.If(watching, [_call("saw", ast.Constant(key), value, _locals())], [])


def _asked(key: int) -> ast.expr:
    changes = ast.Attribute(_name(_HOOKS), "changes", ast.Load())
    return ast.Compare(ast.Constant(key), [ast.In()], [changes])


def _either(key: int, value: ast.expr) -> ast.expr:
    """The value that stands in for a statement's own, if there is one, or its own."""
    changed = _call_expression("value", ast.Constant(key), _locals())
    return ast.IfExp(_asked(key), changed, value)
