"""What a half-written backward still lacks, in the reverse order of its forward.

Asked of the text: which gradients its return statement leaves out, and of which values of the
forward no line assigns a gradient.
"""

import ast
import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gradcheck.cells.cell import Cell
from gradcheck.source.listing import Listing


@dataclass(frozen=True)
class Stage:
    """A line of the forward, and the gradients that are to be derived from it."""

    line: int
    source: str
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Unfinished:
    """``missing`` are gradients of arguments that no line assigns, in the order of the arguments.

    ``unreturned`` are assigned and not returned yet, ``runs`` is whether what is there can be
    judged. ``stages`` go through the forward from its end, with the names that a line reads and
    that have no gradient yet; each gradient stands at the last line that reads its value.
    """

    missing: tuple[str, ...]
    unreturned: tuple[str, ...]
    runs: bool
    stages: tuple[Stage, ...]


def unfinished(cell: Cell, listing: Listing) -> Unfinished | None:
    """What is missing of a cell's backward; None if it is there as a whole.

    A gradient that is assigned, but returned as None, is a slip and not missing.
    """
    backward = listing.backward
    assigned = set(_stored(backward)) | {argument.arg for argument in backward.args.args}
    parts = _parts(backward)
    if parts is None:
        return None
    left_out = _left_out(cell, parts, assigned | _known(listing))
    missing = tuple(name for name in left_out if name not in assigned)
    if not missing:
        return None
    named = {part.id for part in parts if isinstance(part, ast.Name)}
    unreturned = [n for n in cell.gradients if n in assigned and n not in named]
    told = {*assigned, *(name for name in cell.gradients if name not in missing)}
    stages = tuple(_stages(cell, listing, told))
    runs = len(parts) == len(cell.gradients) and not named - assigned - _known(listing)
    return Unfinished(missing, tuple(unreturned), runs, stages)


def _parts(backward: ast.FunctionDef) -> list[ast.expr] | None:
    """What it returns, in parts; none if it returns nothing yet, None if it returns otherwise."""
    returns = [node for node in ast.walk(backward) if isinstance(node, ast.Return)]
    if not returns:
        return []
    match returns:
        case [ast.Return(value=None | ast.Constant(value=None))]:
            return []
        case [ast.Return(value=ast.Tuple(elts=parts))]:
            return parts
        case [ast.Return(value=ast.Name() as part)]:
            return [part]
    return None


def _left_out(cell: Cell, parts: Sequence[ast.expr], known: set[str]) -> list[str]:
    """The gradients that the parts do not hold: None stands there, or a name that nothing has."""
    if len(parts) == len(cell.gradients):
        return [
            name
            for name, part in zip(cell.gradients, parts, strict=True)
            if (isinstance(part, ast.Constant) and part.value is None)
            or (isinstance(part, ast.Name) and part.id not in known)
        ]
    names = [part.id for part in parts if isinstance(part, ast.Name)]
    if len(names) < len(parts) or len(parts) > len(cell.gradients):
        return []  # it is another kind of mistake
    return [name for name in cell.gradients if name not in names or name not in known]


def _known(listing: Listing) -> set[str]:
    """The names that a backward may use without assigning them."""
    return {
        *_stored(listing.function),
        *_arguments(listing.function),
        *listing.names,
        *dir(builtins),
    }


def _arguments(function: ast.FunctionDef) -> Iterator[str]:
    given = function.args
    yield from (one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs))


def _stored(function: ast.FunctionDef) -> Iterator[str]:
    """The names that a function assigns, those in functions inside of it left out."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _stages(cell: Cell, listing: Listing, known: set[str]) -> Iterator[Stage]:
    forward = [node for node in listing.function.body if not isinstance(node, ast.FunctionDef)]
    arguments = {argument.name for argument in cell.arguments}
    values = arguments | {name for node in forward for name in _whole(node)}
    told = set(known)
    for node in reversed([one for one in forward if not isinstance(one, ast.Return)]):
        wanted = tuple(f"d{n}" for n in _read(node) if n in values and f"d{n}" not in told)
        if wanted:
            told |= set(wanted)
            text = listing.definitions[listing.name].text[node.lineno - 1].strip()
            yield Stage(node.lineno, text, wanted)


def _read(node: ast.stmt) -> Iterator[str]:
    """The names that a statement reads, each once, in the order of the text."""
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    names.sort(key=lambda one: (one.lineno, one.col_offset))
    yield from dict.fromkeys(one.id for one in names)


def _whole(node: ast.stmt) -> Iterator[str]:
    """The names that a statement gives a value, of which a gradient may be asked."""
    if isinstance(node, ast.Assign) and not isinstance(node.value, ast.Lambda):
        for part in ast.walk(node.targets[0]):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                yield part.id
