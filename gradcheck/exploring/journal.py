"""The journal of a run, a line of JSON for each unit, from which an interrupted run goes on."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from gradcheck.errors import CaseError
from gradcheck.exploring.request import Request
from gradcheck.exploring.unit import Outcome

FORMAT = 1  # changes with what a line holds

Parsed = TypeVar("Parsed")


@dataclass(frozen=True)
class Journal:
    """What was asked for, the outcomes so far, and how many seconds they took."""

    path: Path
    request: Request
    outcomes: tuple[Outcome, ...] = ()
    seconds: float = 0.0

    @classmethod
    def new(cls, path: Path, request: Request) -> "Journal":
        """A journal that begins. Raises CaseError if the file is there, or cannot be."""
        if path.exists():
            raise CaseError(
                f"{path} is there already.\nGo on from it with `--resume {path}`, or name another."
            )
        try:
            _folder(path.parent)
            line = json.dumps({"explore": FORMAT, **request.to_dict()})
            path.write_text(line + "\n", encoding="utf-8")
        except OSError as error:
            raise CaseError(f"{path} cannot be written: {error.strerror}.") from None
        return cls(path, request)

    @classmethod
    def read(cls, path: Path) -> "Journal":
        """A journal as it stands; a last line that was cut off does not count.

        Raises CaseError for a file that is no journal.
        """
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except OSError as error:
            raise CaseError(f"{path} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            lines = ["", ""]  # no line of it is one of a journal
        request = _parsed(path, 1, lines[0], _request)
        noted = [_parsed(path, k, line, _noted) for k, line in enumerate(lines[1:-1], 2)]
        return cls(path, request, tuple(one for one, _ in noted), noted[-1][1] if noted else 0.0)

    @contextmanager
    def open(self) -> Iterator["Pen"]:
        """The journal to be written on; a line that was cut off goes."""
        with self.path.open("rb+") as file:
            file.truncate(file.read().rfind(b"\n") + 1)
            file.seek(0, os.SEEK_END)
            yield Pen(file)


@dataclass(frozen=True)
class Pen:
    file: BinaryIO

    def note(self, outcome: Outcome, seconds: float) -> None:
        """Add what a unit found, and after how many seconds of the whole run."""
        line = json.dumps({**outcome.to_dict(), "seconds": round(seconds, 3)})
        self.file.write(line.encode() + b"\n")
        self.file.flush()


def _parsed(path: Path, number: int, line: str, read: Callable[[Any], Parsed]) -> Parsed:
    try:
        return read(json.loads(line))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CaseError(
            f"{path}:{number} is no line of a journal, or one of another version of gradcheck.\n"
            "Start the run again without --resume."
        ) from None


def _request(plain: dict[str, Any]) -> Request:
    if plain.pop("explore") != FORMAT:
        raise ValueError
    return Request.of(plain)


def _noted(plain: dict[str, Any]) -> tuple[Outcome, float]:
    return Outcome.of(plain), float(plain["seconds"])


def _folder(path: Path) -> None:
    """Make the folder; what gradcheck keeps in its own is not for version control."""
    path.mkdir(parents=True, exist_ok=True)
    if path.name == ".gradcheck":
        (path / ".gitignore").write_text("*\n", encoding="utf-8")
