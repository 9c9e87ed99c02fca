"""A case file executed so that it reports what it declares, and so do the files that it imports."""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from gradcheck.cells import contracts as contract
from gradcheck.cells.cell import Contract
from gradcheck.cells.contracts import Watch
from gradcheck.errors import CaseError, shown_path
from gradcheck.source import execute


def declaring(
    path: Path, first: Callable[[ast.Module], ast.Module] = lambda tree: tree
) -> tuple[ModuleType, dict[str, tuple[Contract, ...]], Watch]:
    """Execute a case file: the module, what its functions declare, and whom they report to.

    What a function declares holds for those that call it, from another file, too; there it is
    only what is said of variables, for a cotangent is another thing to the caller. ``first``
    edits the tree before that. Raises CaseError for what cannot be read.
    """
    path, watch = path.resolve(), Watch()
    files: dict[str, _File] = {}

    def beside(tree: ast.Module, file: Path) -> ast.Module:
        try:
            files[file.stem] = _File.of(tree)
        except CaseError as error:
            raise CaseError(f"{shown_path(file)} cannot be imported.\n{error}") from None
        return tree

    own: list[_File] = []

    def reporting(tree: ast.Module) -> ast.Module:
        tree = first(tree)
        own.append(_File.of(tree))
        return tree

    module = execute.module(path, reporting, {contract.WATCH: watch}, beside)
    (file,) = own
    return module, {name: tuple(_declared(file, name, files)) for name in file.functions}, watch


@dataclass(frozen=True, eq=False)
class _File:
    """The functions of a file, what each declares, and what its names stand for in other files.

    ``imported`` are the names that are functions there, each with its file and its name in it;
    ``modules`` those that are files.
    """

    functions: Mapping[str, ast.FunctionDef]
    own: Mapping[str, tuple[Contract, ...]]
    imported: Mapping[str, tuple[str, str]]
    modules: Mapping[str, str]
    whole: tuple[str, ...]  # files of which every name is imported

    @classmethod
    def of(cls, tree: ast.Module) -> "_File":
        """Of a tree, which is changed to report to the watch."""
        own = contract.declared(tree)
        functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
        imported: dict[str, tuple[str, str]] = {}
        modules: dict[str, str] = {}
        whole: list[str] = []
        for node in ast.walk(tree):
            match node:
                case ast.ImportFrom(module=str(file), names=names):
                    whole += [file for one in names if one.name == "*"]
                    imported |= {one.asname or one.name: (file, one.name) for one in names}
                case ast.Import(names=names):
                    modules |= {one.asname or one.name: one.name for one in names}
        return cls(functions, own, imported, modules, tuple(whole))

    def named(self, node: ast.AST, files: Mapping[str, "_File"]) -> Iterator[tuple["_File", str]]:
        """The functions that a node names, each in its file."""
        match node:
            case ast.Name(id=name) if name in self.functions:
                yield self, name
            case ast.Name(id=name):
                file, there = self.imported.get(name, ("", ""))
                places = [(file, there), *((one, name) for one in self.whole)]
                yield from ((files[f], n) for f, n in places if f in files)
            case ast.Attribute(ast.Name(id=module), name) if self.modules.get(module) in files:
                yield files[self.modules[module]], name


def _declared(file: _File, name: str, files: Mapping[str, _File]) -> Iterator[Contract]:
    """What a function of a file declares, and all functions that it reaches."""
    found: list[tuple[_File, str]] = []
    waiting = [(file, name)]
    while waiting:
        where, function = one = waiting.pop(0)
        if one in found or function not in where.functions:
            continue
        found.append(one)
        told = where.own[function]
        yield from (c for c in told if where is file or not c.on_cotangent)
        for node in ast.walk(where.functions[function]):
            waiting += where.named(node, files)
