"""Which statements are the derivation of a cell: decided here, for everyone who asks.

A derivation is what the forward does not run: the ``backward`` that the cell returns, functions
beside it that only a backward calls, helpers of the module that only a backward reaches, and the
backwards of steps that are no cells of their own. It is compiled anew, apart from its module,
perhaps with a statement changed; a cell typed into a notebook, or made inside of another
function, has a listing as one in a file has.
"""

import __future__

import ast
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from types import FunctionType
from typing import Any

from gradcheck.cells import contracts as contract
from gradcheck.cells.cell import Cell, Contract, Source
from gradcheck.cells.contracts import Watch
from gradcheck.errors import CaseError, shown_path
from gradcheck.source.closure import closure, shape_strings
from gradcheck.source.declaring import declaring
from gradcheck.source.definitions import Definition, Function, called, is_function, reachable
from gradcheck.source.trees import reached

Change = Callable[[ast.Module], ast.Module]  # of a tree, in place


@dataclass(frozen=True)
class Site:
    """A function of a derivation, the definition that it stands in, and the function around it.

    A helper of the module is its own definition, and has nothing around it.
    """

    definition: Definition
    node: Function
    around: ast.FunctionDef | None = None

    def source(self, statement: ast.stmt, last: int) -> str:
        """A statement as it is written, in one line; ``last`` is its last line."""
        lines = self.definition.text[statement.lineno - 1 : max(last, statement.lineno)]
        return " ".join(line.strip() for line in lines)


@dataclass(frozen=True)
class Listing:
    """A cell as its author wrote it: what of it is derivation, and how it runs when changed."""

    name: str
    path: Path  # or what stands for one, such as <stdin>
    definitions: Mapping[str, Definition]  # the cell, and what it reaches of its module
    names: Mapping[str, Any]  # all that they can see
    contracts: tuple[Contract, ...] = ()
    watch: Watch | None = None
    cells: frozenset[str] = frozenset()  # the definitions that are cells of their own
    flags: int = 0  # how they are compiled
    again: Callable[[Change], "Listing"] | None = None  # read anew, with the source changed first

    @classmethod
    def of(cls, path: Path, name: str, first: Change = lambda tree: tree) -> "Listing":
        """The listing of a cell of a file. Raises CaseError if it cannot be followed."""
        path = path.resolve()
        module, contracts, _ = declaring(path, first)
        function = vars(module).get(name)
        if not isinstance(function, FunctionType) or function.__code__.co_filename != str(path):
            raise CaseError(f"{shown_path(path)} defines no cell called {name}.")
        found = cls.of_function(function, first)
        own = contracts.get(name, ())  # with those of the files that it imports
        return replace(found, contracts=own, again=partial(cls.of, path, name))

    @classmethod
    def of_function(cls, function: Any, first: Change = lambda tree: tree) -> "Listing":
        """The listing of a function. Raises CaseError if it cannot be followed."""
        if not isinstance(function, FunctionType):
            said = getattr(function, "__name__", type(function).__name__)
            raise CaseError(f"The lines of {said} cannot be followed: it is no Python function.")
        names, definitions = reachable(function)
        tree = ast.Module([one.node for one in definitions.values()], [])
        first(tree)
        own = contract.declared(tree)
        watch = names.get(contract.WATCH, Watch())  # to which imported files may report as well
        listing = cls(
            function.__name__,
            Path(function.__code__.co_filename),
            definitions,
            {**names, contract.WATCH: watch},
            tuple(one for declared in own.values() for one in declared),
            watch,
            frozenset(n for n in definitions if n[0] != "_" and shape_strings(names[n])),
            function.__code__.co_flags & __future__.annotations.compiler_flag,
            partial(cls.of_function, function),
        )
        _ = listing.backward  # or it has none that can be followed
        return listing

    @cached_property
    def function(self) -> ast.FunctionDef:
        node = self.definitions[self.name].node
        assert isinstance(node, ast.FunctionDef)  # a cell is one
        return node

    @cached_property
    def backward(self) -> ast.FunctionDef:
        """The nested function that the cell returns."""
        found = returned(self.function)
        if found is None:
            raise CaseError(
                f"The backward of {self.name} cannot be followed: it is not a function inside it."
            )
        return found

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """The functions of the derivation: the cell's own backward first, then by their lines."""
        nodes = {name: definition.node for name, definition in self.definitions.items()}
        inner = {name: tuple(_derived(node)) for name, node in nodes.items()}
        skipped = frozenset(part for parts in inner.values() for part, _ in parts)
        forward = dict.fromkeys([self.name, *reached([self.function], nodes, skipped)])
        steps = [name for name in forward if name == self.name or name not in self.cells]
        sites = {
            part: Site(self.definitions[name], part, around)
            for name in steps
            for part, around in inner[name]
        }
        helpers = [name for name in reached(list(sites), nodes) if name not in forward]
        sites |= {nodes[n]: Site(self.definitions[n], nodes[n]) for n in helpers}
        return tuple(
            sorted(sites.values(), key=lambda s: (s.node is not self.backward, s.node.lineno))
        )

    def changed(self, original: Function, changed: Function) -> "Listing":
        """The same with another definition in the place of one of its own."""
        definitions = {
            name: replace(one, node=changed) if one.node is original else one
            for name, one in self.definitions.items()
        }
        return replace(self, definitions=definitions, again=None)

    def space(self) -> dict[str, Any]:
        """The definitions compiled anew, among all that they see.

        Raises whatever running such a definition raises.
        """
        nodes = {name: one.node for name, one in self.definitions.items()}
        body: list[ast.stmt] = list(dict.fromkeys(nodes.values()))
        module = ast.fix_missing_locations(ast.Module(body, []))
        space = dict(self.names)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a slip may well be doubtful Python
            code = compile(module, str(self.path), "exec", self.flags, dont_inherit=True)
            exec(code, space)
        for name, node in nodes.items():  # it may go by another name than it was defined by
            space[name] = space[called(node)]
        return space

    def cell(self, space: Mapping[str, Any] | None = None) -> Cell:
        """The cell, of a ``space`` of definitions or as its author wrote it."""
        source = Source(self.path, self.function.lineno) if self.path.is_file() else None
        space = self.space() if space is None else space
        return closure(space[self.name], source, self.contracts, self.watch)


def returned(function: ast.FunctionDef) -> ast.FunctionDef | None:
    """The nested function that a function returns last, beside its outputs."""
    last = [node.value for node in _frame(function) if isinstance(node, ast.Return)][-1:]
    match last:
        case [ast.Tuple(elts=[*_, ast.Name(id=name)])]:
            nested = [n for n in _frame(function) if isinstance(n, ast.FunctionDef)]
            return next((n for n in reversed(nested) if n.name == name), None)
    return None


def _derived(function: ast.stmt) -> Iterator[tuple[Function, ast.FunctionDef]]:
    """The nested functions that a function does not use: it returns or keeps them.

    With each the function that it stands in.
    """
    if not isinstance(function, ast.FunctionDef):
        return
    nodes = list(_frame(function))
    nested = [node for node in nodes if is_function(node)]
    names = {called(node): node for node in nested}
    used = reached([name for node in nodes for name in _uses(node)], names)
    for node in nested:
        if called(node) in used:
            yield from _derived(node)
        else:
            yield node, function


def _uses(node: ast.AST) -> Iterator[ast.Name]:
    """The names that a node calls, or hands to a function that may call them.

    What a method is given, as in ``steps.append(backward)``, is kept.
    """
    match node:
        case ast.Call(ast.Name(id=name) as function, given, words):
            handed = [] if name == "partial" else [*given, *(word.value for word in words)]
        case ast.Call(ast.Attribute(ast.Name(id="np" | "numpy")) as function, given):
            handed = given
        case _:
            return
    yield from (part for part in [function, *handed] if isinstance(part, ast.Name))


def _frame(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function in the order of the text, without what is inside of nested ones."""
    waiting: list[ast.AST] = list(reversed(function.body))
    while waiting:
        node = waiting.pop()
        yield node
        if not is_function(node):
            waiting += reversed(list(ast.iter_child_nodes(node)))
