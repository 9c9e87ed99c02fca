"""What a half-written backward still lacks, in the reverse order of its forward.

Asked of the text: which gradients its return statement leaves out, and of which values of the
forward no line assigns a gradient.
"""

import ast
import builtins
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from gradcheck.cells.cell import Cell
from gradcheck.source.listing import Listing


@dataclass(frozen=True)
class Stage:
    """A line of the forward, and the gradients that are to be derived there; ``sums`` are those
    of values that other lines read as well.
    """

    line: int
    source: str
    missing: tuple[str, ...]
    sums: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unfinished:
    """``missing`` are gradients of arguments that no line assigns, in the order of the arguments.

    ``stages`` go through the forward from its end, with the gradients that are to be derived
    there: each stands at the first line that reads its value, where all of its parts are known.
    """

    missing: tuple[str, ...]
    stages: tuple[Stage, ...]


def unfinished(cell: Cell, listing: Listing) -> Unfinished | None:
    """What is missing of a cell's backward; None if it is there as a whole.

    What is assigned as ``...`` is missing. A gradient that is assigned, but returned as None, is
    a slip and not missing.
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
    told = assigned.union(name for name in cell.gradients if name not in missing)
    text = listing.definitions[listing.name].text
    return Unfinished(missing, tuple(stages(cell, listing.function, text, told)))


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
    if len(names) < len(parts) or not set(names) <= set(cell.gradients):
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
        if not isinstance(node, ast.FunctionDef | ast.Lambda) and not is_stub(node):
            waiting += ast.iter_child_nodes(node)


def is_stub(node: ast.AST) -> bool:
    """Whether a statement assigns nothing yet, as ``da = ...`` and ``dc = dc + ...`` do."""
    return isinstance(node, ast.Assign | ast.AugAssign) and any(
        isinstance(part, ast.Constant) and part.value is ... for part in ast.walk(node.value)
    )


def stages(
    cell: Cell, function: ast.FunctionDef, text: Sequence[str], known: Collection[str]
) -> Iterator[Stage]:
    """The lines of a forward from its end, each with the gradients to be derived there.

    ``text`` are the lines of the file, ``known`` the gradients that are there already.
    """
    skipped = ast.FunctionDef | ast.Return
    forward = [node for node in function.body if not isinstance(node, skipped)]
    values = {argument.name for argument in cell.arguments}
    values |= {name for node in forward for name in _whole(node)}
    times = Counter(name for node in forward for name in _read(node))
    told, found = set(known), []
    for node in forward:
        wanted = tuple(f"d{n}" for n in _read(node) if n in values and f"d{n}" not in told)
        if wanted:
            told |= set(wanted)
            sums = tuple(name for name in wanted if times[name[1:]] > 1)
            found.append(Stage(node.lineno, text[node.lineno - 1].strip(), wanted, sums))
    yield from reversed(found)


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
