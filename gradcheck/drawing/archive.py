"""Arrays by name from an .npz file, as ``numpy.savez`` writes it; nothing in it is executed."""

import zipfile
from pathlib import Path

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.errors import CaseError, shown_path

_WRITE = "Write one with `np.savez({path!r}, x=x, W=W)`, a name for each argument."


def arrays(path: Path) -> dict[str, Array]:
    """The arrays of a file. Raises CaseError for what is no such file, or no array of numbers."""
    shown = shown_path(path)
    advice = _WRITE.format(path=shown)
    try:
        with path.open("rb") as file:
            opened = np.load(file, allow_pickle=False)
            if not isinstance(opened, np.lib.npyio.NpzFile):
                raise CaseError(f"{shown} is a single array, not an .npz file.\n{advice}")
            return {name: _array(opened, name, shown) for name in opened.files}
    except OSError as error:
        raise CaseError(f"{shown} cannot be read: {error.strerror or error}.\n{advice}") from None
    except CaseError:
        raise
    except (ValueError, EOFError, zipfile.BadZipFile):  # a pickle, a text, or half a file
        raise CaseError(f"{shown} is no .npz file.\n{advice}") from None


def _array(opened: "np.lib.npyio.NpzFile", name: str, shown: str) -> Array:
    try:
        array = np.asarray(opened[name])
    except (ValueError, EOFError, zipfile.BadZipFile, OSError) as error:
        if "Object arrays" in str(error):
            raise CaseError(
                f"{name} in {shown} holds Python objects, which are not loaded.\n"
                "Write an array of numbers: `np.asarray(..., float)`."
            ) from None
        raise CaseError(f"{name} in {shown} cannot be read: {error}.") from None
    if array.dtype.kind not in "fiub":
        raise CaseError(
            f"{name} in {shown} is {array.dtype}, and no array of real numbers.\n"
            "Write one: `np.asarray(..., float)`."
        )
    return array
