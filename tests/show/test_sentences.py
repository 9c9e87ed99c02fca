"""Each kind of fault has a sentence, and each sentence is of a kind."""

import ast
from pathlib import Path

import gradcheck
from gradcheck.finding import Wrong
from gradcheck.show.sentences import SENTENCES, sentence

ENGINE = Path(gradcheck.__file__).parent


def kinds():
    """The first argument of every ``Wrong(...)``, ``partial(Wrong, ...)`` and ``Unusable(...)``."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in ENGINE.rglob("*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in calls:
        match call:
            case ast.Call(ast.Name("Wrong" | "Unusable"), [kind, *_]) | ast.Call(
                ast.Name("partial"), [ast.Name("Wrong"), kind, *_]
            ):
                yield from strings(kind)


def strings(node):
    if isinstance(node, ast.IfExp):
        return [*strings(node.body), *strings(node.orelse)]
    return [node.value] if isinstance(node, ast.Constant) else []


def test_every_kind_has_a_sentence_and_every_sentence_a_kind():
    assert set(kinds()) == set(SENTENCES)


def test_as_many_digits_as_it_takes():
    def told(got, want):
        return sentence(Wrong("layout-differs", "dx", (0,), got, want, {"layout": "strided"}))

    assert told(1.5, 2.5).startswith("dx[0] is 1.5 for strided arrays, but 2.5 for contiguous")
    assert told(0.1, 0.1 + 1e-10).startswith("dx[0] is 0.1 for strided arrays, but 0.1000000001 ")
    assert told(0.1, float("nan")).startswith("dx[0] is 0.1 for strided arrays, but nan ")
