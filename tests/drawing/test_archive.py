"""An .npz file of inputs: what is none, or holds what is no array of numbers, is told."""

import re

import numpy as np
import pytest

from gradcheck.drawing.archive import arrays
from gradcheck.errors import CaseError


def test_arrays_come_by_name(tmp_path):
    np.savez(tmp_path / "my.npz", x=np.ones((1, 2)), n=np.array([1, 2]))
    found = arrays(tmp_path / "my.npz")
    assert list(found) == ["x", "n"]
    assert found["x"].shape == (1, 2)


def written(folder, kind):
    path = folder / "my.npz"
    match kind:
        case "text":
            path.write_text("x = 1")
        case "empty":
            path.write_bytes(b"")
        case "half":
            np.savez(path, x=np.ones(100))
            path.write_bytes(path.read_bytes()[:300])
        case "single":
            with path.open("wb") as file:
                np.save(file, np.ones(2))
        case "objects":
            np.savez(path, x=np.array([{}, 1], object))
        case "complex":
            np.savez(path, x=np.ones(2, complex))
        case "words":
            np.savez(path, x=np.array(["a"]))
        case "damaged":
            np.savez(path, x=np.ones(100))
            content = bytearray(path.read_bytes())
            content[200] ^= 255
            path.write_bytes(bytes(content))
        case "folder":
            path.mkdir()
    return path


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (
            "nothing",
            "my.npz cannot be read: No such file or directory.\nWrite one with `np.savez('",
        ),
        ("folder", "my.npz cannot be read: Is a directory.\n"),
        ("text", "my.npz is no .npz file.\n"),
        ("empty", "my.npz is no .npz file.\n"),
        ("half", "my.npz is no .npz file.\n"),
        ("single", "my.npz is a single array, not an .npz file.\n"),
        (
            "objects",
            "my.npz holds Python objects, which are not loaded.\nWrite an array of numbers",
        ),
        ("complex", "my.npz is complex128, and no array of real numbers.\nWrite one: `np.asarray("),
        ("words", "my.npz is <U1, and no array of real numbers.\n"),
        ("damaged", "my.npz cannot be read: Bad CRC-32 for file 'x.npy'."),
    ],
)
def test_what_holds_no_arrays_of_numbers_is_told(tmp_path, kind, said):
    with pytest.raises(CaseError, match=re.escape(said)):
        arrays(written(tmp_path, kind))


def test_nothing_in_a_file_is_executed(tmp_path):
    class Loud:
        def __reduce__(self):
            return (open, (str(tmp_path / "made"), "w"))

    np.savez(tmp_path / "my.npz", x=np.array([Loud()], object))
    with pytest.raises(CaseError, match="holds Python objects"):
        arrays(tmp_path / "my.npz")
    assert not (tmp_path / "made").exists()
