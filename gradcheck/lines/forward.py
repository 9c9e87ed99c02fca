"""What a forward has that a backward may be written in: its names, indices, keys and functions."""

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gradcheck.source.listing import Listing

_KNOWN_FUNCTIONS = {f"{prefix}{name}" for prefix in ("np.", "numpy.", "") for name in
                    ("tanh", "exp", "log", "sqrt", "sin", "cos", "sigmoid")}  # fmt: skip

_LONGEST = 12  # letters: what is longer is a sentence, and no key


@dataclass(frozen=True)
class Forward:
    """What a listing's functions have in common, as it is written."""

    quantities: tuple[str, ...]  # names of the forward that are assigned once, as a whole
    slices: tuple[ast.expr, ...]  # every index that occurs in the cell and its steps
    keys: tuple[str, ...]  # every string that occurs in them, such as the keys of a dict of gates
    functions: tuple[str, ...]  # one-argument functions that the file calls, such as np.tanh
    conditions: tuple[ast.expr, ...]  # comparisons that they make, such as p >= 0


def read(listing: Listing) -> Forward:
    """What there is, before any of it is changed."""
    written = [site.around for site in listing.sites if site.around is not None]
    nodes = [
        node for root in dict.fromkeys([listing.function, *written]) for node in ast.walk(root)
    ]
    return Forward(
        tuple(_once([node for node in listing.function.body if node is not listing.backward])),
        tuple(copy.deepcopy(node.slice) for node in nodes if isinstance(node, ast.Subscript)),
        tuple(
            dict.fromkeys(
                node.value
                for node in nodes
                if isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and len(node.value) < _LONGEST
            )
        ),
        tuple(_functions(listing)),
        tuple(copy.deepcopy(node) for node in nodes if isinstance(node, ast.Compare)),
    )


def _functions(listing: Listing) -> Iterator[str]:
    """Functions of one argument that the file calls and that keep a shape, as far as is known."""
    tree = listing.definitions[listing.name].file
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    defined |= listing.definitions.keys()
    called = [
        ast.unparse(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and len(node.args) == 1
        and not node.keywords
        and not isinstance(node.args[0], ast.List | ast.Tuple)
    ]
    known = _KNOWN_FUNCTIONS | defined - {listing.name}
    yield from (name for name in dict.fromkeys(called) if name in known)


def _once(forward: Sequence[ast.stmt]) -> list[str]:
    """Names that the forward assigns exactly once, as a whole and outside of any loop."""
    whole = [name for node in forward for name in whole_targets(node)]
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


def whole_targets(node: ast.stmt) -> Iterator[str]:
    """The names that a statement gives a value as a whole."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        for part in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(part, ast.Name):
                yield part.id
