"""A case and its twin to start from: a small recurrent cell, or another case under a new name."""

import keyword
from pathlib import Path

from gradcheck import like as likeness
from gradcheck.errors import CaseError, shown_path

_CASE = '''"""{title}: what it is, and what sets it apart, in one sentence.

Author (2000), "Title of the paper", where it was published.
B sequences, D inputs, H units; what else someone must know to write the forward again.
"""

import numpy as np


def {name}(x: "B D", h_prev: "B H", W: "D H", U: "H H", b: "H"):
    h = np.tanh(x @ W + h_prev @ U + b)

    def backward(dh):
        da = dh * (1 - h**2)
        dx = da @ W.T
        dh_prev = da @ U.T
        dW = x.T @ da
        dU = h_prev.T @ da
        db = da.sum(axis=0)
        return dx, dh_prev, dW, dU, db

    return h, backward
'''

_TWIN = '''"""{title} in PyTorch, written from the paper and not from the case."""

import torch


def {name}(x, h_prev, W, U, b):
    return torch.tanh(x @ W + h_prev @ U + b)
'''


def write(name: str, cases: Path, reference: Path, like: str | None = None) -> tuple[Path, ...]:
    """Write the case and the twin; the paths of what was written.

    They are a small cell that passes at once; ``like`` another, ``"lstm"`` or ``"FILE::CELL"``,
    they are that one: with its derivation, or with a stub for each line that is to be derived.
    Raises CaseError if the name is none for a function, or if one of the files is there already.
    """
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise CaseError(
            f"{name!r} cannot be the name of a function.\n"
            "Write letters, digits and _, such as `gradcheck new peephole_lstm`."
        )
    paths = cases / f"{name}.py", reference / f"{name}.py"
    for path in paths:
        if path.exists():
            raise CaseError(f"{shown_path(path)} exists already, and is left as it is.")
    texts = _template(name) if like is None else likeness.texts(name, like, cases, reference)
    written = [(path, text) for path, text in zip(paths, texts, strict=True) if text is not None]
    for path, text in written:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CaseError(
                f"{shown_path(path)} cannot be written: {error.strerror or error}."
            ) from None
    return tuple(path for path, _ in written)


def _template(name: str) -> tuple[str, str]:
    title = name.replace("_", " ").capitalize()
    return _CASE.format(name=name, title=title), _TWIN.format(name=name, title=title)
