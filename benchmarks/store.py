"""What a long run has measured so far, so that one that was stopped goes on where it stopped."""

import hashlib
import pickle
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.faults import ROOT

FOLDER = ROOT / ".bench"
MEASURED = ("gradcheck", "cases", "reference")  # figures of another engine are not mixed with its


class Store:
    """Values by what they are, a file for each; those of another engine are forgotten."""

    def __init__(self, name: str, folder: Path | None = None, *, anew: bool = False) -> None:
        self._folder = (folder or FOLDER) / name
        code = self._folder / "code"
        if anew or not code.exists() or code.read_text(encoding="utf-8") != _code():
            self.forget()
            self._folder.mkdir(parents=True)
            code.write_text(_code(), encoding="utf-8")

    def __contains__(self, key: object) -> bool:
        return self._file(key).exists()

    def __getitem__(self, key: object) -> Any:
        return pickle.loads(self._file(key).read_bytes())

    def __setitem__(self, key: object, value: object) -> None:
        unfinished = self._file(key).with_suffix(".part")  # a run may be stopped while it writes
        unfinished.write_bytes(pickle.dumps(value))
        unfinished.rename(self._file(key))

    def forget(self) -> None:
        """Forget everything: the run is finished, and the next one measures anew."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _file(self, key: object) -> Path:
        return self._folder / f"{hashlib.sha256(repr(key).encode()).hexdigest()[:32]}.pickle"


def _code(root: Path = ROOT, folders: Iterable[str] = MEASURED) -> str:
    paths = sorted(path for folder in folders for path in (root / folder).rglob("*.py"))
    found = hashlib.sha256()
    for path in paths:
        found.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return found.hexdigest()
