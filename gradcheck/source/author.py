"""A cell as its author wrote it: what of its file may be edited, and how it runs when it was.

Edited is what the forward does not run: ``backward``, the helpers that only a backward calls, and
the backwards of steps that are no cells of their own.
"""

import ast
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from gradcheck.cells.cell import Cell, Contract, Source
from gradcheck.cells.contracts import Watch
from gradcheck.errors import CaseError
from gradcheck.source import cases
from gradcheck.source.cases import Malformed
from gradcheck.source.closure import closure


@dataclass(frozen=True)
class Author:
    """A case file and one of its cells, from which mutants are made without reading it again."""

    path: Path
    name: str
    text: tuple[str, ...]
    tree: ast.Module
    module: Mapping[str, Any]
    contracts: tuple[Contract, ...]
    watch: Watch
    cells: frozenset[str]

    @cached_property
    def definitions(self) -> dict[str, ast.stmt]:
        """The functions of the file by name, named lambdas among them."""
        found: dict[str, ast.stmt] = {}
        for node in self.tree.body:
            match node:
                case ast.FunctionDef(name=name) | ast.Assign([ast.Name(name)], ast.Lambda()):
                    found[name] = node
        return found

    @cached_property
    def function(self) -> ast.FunctionDef:
        function = self.definitions[self.name]
        assert isinstance(function, ast.FunctionDef)  # a cell is one
        return function

    def cell(self, original: ast.stmt | None = None, changed: ast.stmt | None = None) -> Cell:
        """The cell, perhaps with one definition changed; only what it needs is compiled.

        Raises whatever running such a definition raises.
        """
        body = [changed if changed and node is original else node for node in self._needed]
        module = ast.fix_missing_locations(ast.Module(body, []))
        space = dict(self.module)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a slip may well be doubtful Python
            exec(compile(module, str(self.path), "exec"), space)
        source = Source(self.path, self.function.lineno)
        return closure(space[self.name], source, self.contracts, self.watch)

    @cached_property
    def _needed(self) -> tuple[ast.stmt, ...]:
        names = self._reached([self.function]) | {self.name}
        return tuple(node for name, node in self.definitions.items() if name in names)

    def _reached(
        self, roots: list[ast.AST], skipped: frozenset[ast.stmt] = frozenset()
    ) -> set[str]:
        """The functions of the file that the roots call, directly or not, ``skipped`` left out."""
        found: set[str] = set()
        waiting = list(roots)
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.Name) and node.id in self.definitions.keys() - found:
                found.add(node.id)
                waiting.append(self.definitions[node.id])
            waiting += [n for n in ast.iter_child_nodes(node) if n not in skipped]
        return found

    @cached_property
    def sites(self) -> tuple[tuple[ast.stmt, ast.stmt], ...]:
        """What may be edited: a definition of the file, and the part of it that is a backward."""
        defined = self.definitions.values()
        nested = {node: tuple(_returned(node)) for node in defined}
        inner = frozenset(part for parts in nested.values() for part in parts)
        forward = {self.name} | self._reached([self.function], inner)
        own = [n for n in forward if n == self.name or n not in self.cells]
        sites: list[tuple[ast.stmt, ast.stmt]] = [
            (self.definitions[n], part) for n in own for part in nested[self.definitions[n]]
        ]
        helpers = self._reached([part for _, part in sites]) - forward
        sites += [(self.definitions[n], self.definitions[n]) for n in helpers]
        return tuple(sorted(sites, key=lambda site: site[1].lineno))


def _returned(node: ast.stmt) -> Iterator[ast.FunctionDef]:
    """The nested functions that the function does not call itself: it returns or keeps them."""
    nested = [part for part in ast.walk(node) if isinstance(part, ast.FunctionDef)]
    nested = [part for part in nested if part is not node and part in getattr(node, "body", [])]
    waiting = [part for part in ast.iter_child_nodes(node) if part not in nested]
    called = {
        part.func.id
        for root in waiting
        for part in ast.walk(root)
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)
    }
    yield from (part for part in nested if part.name not in called)


def read(path: Path, name: str) -> Author:
    """The author's cell. Raises CaseError if the file cannot be read."""
    trees = []

    def keep(tree: ast.Module) -> ast.Module:
        trees.append(tree)
        return tree

    path = path.resolve()
    module, contracts, watch = cases.declaring(path, keep)
    cells = frozenset(c.name for c in cases.read(path) if not isinstance(c, Malformed))
    text = tuple(path.read_text(encoding="utf-8").splitlines())
    author = Author(path, name, text, trees[0], vars(module), contracts.get(name, ()), watch, cells)
    if not isinstance(author.definitions.get(name), ast.FunctionDef) or not author.sites:
        raise CaseError(
            f"The backward of {name} cannot be followed: it is not a function inside it."
        )
    return author
