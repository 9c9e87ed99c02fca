"""Every small edit of one line: of its right-hand side, its sign, and where it writes."""

import ast
from collections.abc import Iterator
from functools import partial

from gradcheck.lines.edits.anew import anew, as_it_is
from gradcheck.lines.edits.calls import exchanged
from gradcheck.lines.edits.edit import Edit, Make, Material
from gradcheck.lines.edits.growing import grown, terms
from gradcheck.lines.edits.in_place import in_place
from gradcheck.lines.edits.renaming import renamed, resized
from gradcheck.lines.edits.writing import elsewhere
from gradcheck.source.trees import expressions, parsed, replaced

_SIGN, _RENAMED, _RESIZED, _EXCHANGED = 1.1, 1.2, 1.8, 1.0
_MOST_PARTS = 4  # of a tuple, to write one of them anew


def edits(statement: ast.stmt, material: Material) -> Iterator[Edit]:
    """The small edits of a statement, in no particular order; some come more than once."""
    root = material.expression
    for sign in material.signs:
        yield Edit(_SIGN, partial(as_it_is, root), sign)
    for cost, make in _of_a_value(root, material):
        yield Edit(cost, make)
    if isinstance(statement, ast.For):
        yield Edit(_EXCHANGED, partial(ast.Call, parsed("reversed"), [root], []))
    yield from elsewhere(statement, material)


def _of_a_value(root: ast.expr, material: Material) -> Iterator[tuple[float, Make]]:
    for node in expressions(root):
        for cost, new in in_place(node, material):
            yield cost, partial(replaced, root, node, new)
    yield from ((_RENAMED, make) for make in renamed(root, material))
    yield from ((_RESIZED, make) for make in resized(root, material))
    parts = root.elts if isinstance(root, ast.Tuple) else [root]
    for part in parts:
        for node in terms(part):
            for cost, new in grown(node, material, material.shape(part)):
                yield cost, partial(replaced, root, node, new)
        if not isinstance(root, ast.Tuple) or len(parts) <= _MOST_PARTS:
            for cost, make in anew(part, material):
                yield cost, partial(_put, root, part, make)
    if isinstance(root, ast.Tuple):
        for elements in exchanged(root.elts):
            yield _EXCHANGED, partial(ast.Tuple, elements, ast.Load())


def _put(root: ast.expr, old: ast.expr, make: Make) -> ast.expr:
    result: ast.expr = replaced(root, old, make())
    return result
