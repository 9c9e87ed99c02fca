"""One name for another, all through an expression."""

import ast
import itertools
from collections.abc import Iterator
from functools import partial

from gradcheck.lines.edits.edit import Make, Material
from gradcheck.source.trees import letter, rekeyed, substituted, unwrapped


def renamed(root: ast.expr, material: Material) -> Iterator[Make]:
    """Other names, another key, or without a function, everywhere."""
    used = list(dict.fromkeys(n.id for n in ast.walk(root) if isinstance(n, ast.Name)))
    mappings = (*_one(used, material), *_letters(used, material), *_two(used, material))
    for mapping in dict.fromkeys(mappings):
        yield partial(substituted, root, dict(mapping))
    strings = [n.value for n in ast.walk(root) if isinstance(n, ast.Constant)]
    for key in dict.fromkeys(key for key in strings if isinstance(key, str)):
        for other in material.keys:
            if other != key and strings.count(key) > 1:
                yield partial(rekeyed, root, key, other)
    called = [ast.unparse(n.func) for n in ast.walk(root) if isinstance(n, ast.Call)]
    for name in dict.fromkeys(called):
        yield partial(unwrapped, root, name)


_Mapping = tuple[tuple[str, str], ...]


def _one(used: list[str], material: Material) -> Iterator[_Mapping]:
    shapes = material.shapes
    for name in used:
        for other in material.names if name in shapes else ():
            if other != name and shapes[other] == shapes[name]:
                yield ((name, other),)


def _letters(used: list[str], material: Material) -> Iterator[_Mapping]:
    """One gate's letter for another's in all names: dai * i for daf * f."""
    pairs = [pair for a in used for b in material.names if (pair := letter(a, b))]
    for one, other in dict.fromkeys(pairs):
        mapping = [(name, name.replace(one, other)) for name in used if one in name]
        if all(new in material.space for _, new in mapping):
            yield tuple(mapping)


def _two(used: list[str], material: Material) -> Iterator[_Mapping]:
    """Two names exchanged."""
    shapes = material.shapes
    for one, other in itertools.combinations([name for name in used if name in shapes], 2):
        if shapes[one] == shapes[other]:
            yield ((one, other), (other, one))


def resized(root: ast.expr, material: Material) -> Iterator[Make]:
    """One size for another in all slices, and perhaps the two parts exchanged."""
    slices = [node.slice for node in ast.walk(root) if isinstance(node, ast.Subscript)]
    used = {n.id for part in slices for n in ast.walk(part) if isinstance(n, ast.Name)}
    for name, size in itertools.product(sorted(used), material.sizes):
        if name == size:
            continue
        yield partial(substituted, root, {name: size})
        if isinstance(root, ast.Tuple) and len(root.elts) == 2:
            swapped = ast.Tuple(root.elts[::-1], ast.Load())
            yield partial(substituted, swapped, {name: size})
