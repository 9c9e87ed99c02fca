"""Small cells, written in a test and read as scripts."""

import ast
import textwrap

import pytest

from gradcheck.lines import instrument


@pytest.fixture
def script(tmp_path):
    """Reads the first cell of a text."""

    def read(text):
        path = tmp_path / "cell.py"
        path.write_text("import numpy as np\n" + textwrap.dedent(text), encoding="utf-8")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        cell = next(node.name for node in tree.body if isinstance(node, ast.FunctionDef))
        return instrument.read(path, cell)

    return read
