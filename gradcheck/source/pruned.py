"""A half-written derivation as far as it goes: without its stubs, or what hangs on them."""

import ast
import copy
from collections.abc import Collection, Iterator

from gradcheck.source.listing import Listing
from gradcheck.source.trees import replaced
from gradcheck.source.unfinished import Unfinished, is_stub


def pruned(listing: Listing, half: Unfinished) -> Listing:
    """The listing with a backward that runs: it returns None for what is missing.

    Lines keep their numbers.
    """
    function = copy.deepcopy(listing.function)
    backward = function.body[listing.function.body.index(listing.backward)]
    assert isinstance(backward, ast.FunctionDef)
    backward.body = list(_kept(backward.body, set(half.missing))) or [ast.Pass()]
    ast.fix_missing_locations(backward)
    return listing.changed(listing.function, function)


def _kept(body: Collection[ast.stmt], unknown: set[str]) -> Iterator[ast.stmt]:
    """The statements that hang on nothing unknown; what the others assign is unknown as well."""
    for statement in body:
        if isinstance(statement, ast.Return):
            yield _without(statement, unknown)
        elif _stubs(statement) or _names(statement, ast.Load) & unknown:
            unknown |= _names(statement, ast.Store)
        else:
            unknown -= _names(statement, ast.Store)
            yield statement


def _stubs(statement: ast.stmt) -> bool:
    return any(is_stub(node) for node in ast.walk(statement))


def _names(statement: ast.AST, context: type[ast.expr_context]) -> set[str]:
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    }


def _without(statement: ast.Return, unknown: set[str]) -> ast.stmt:
    """A return statement with None for each part that hangs on something unknown."""
    value = statement.value
    parts = value.elts if isinstance(value, ast.Tuple) else [value] if value else []
    for part in parts:
        if _names(part, ast.Load) & unknown:
            unread = ast.copy_location(ast.Constant(None), part)
            statement = ast.copy_location(replaced(statement, part, unread), statement)
    return statement
