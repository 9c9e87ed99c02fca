"""A unit of work, all checks of a cell on one seed's examples, and what came of it.

Both are small, travel between machines, and are lines of JSON in a journal.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gradcheck.checking.result import Result
from gradcheck.drawing.strategies import PROFILES
from gradcheck.errors import shown_path
from gradcheck.oracles import twins

BLOCK = PROFILES["default"]  # examples of a gradient: a unit is a default run from another seed


@dataclass(frozen=True)
class Unit:
    """All checks of a cell, each on so many examples drawn from ``seed``, with ``sizes`` held.

    ``file`` is a whole path, ``reference`` the folder of the twins; ``digest`` is of what the file
    and its twin say.
    """

    file: str
    cell: str
    seed: int
    examples: int = BLOCK
    sizes: tuple[tuple[str, int], ...] = ()
    reference: str = "reference"
    digest: str = ""

    @property
    def id(self) -> str:
        """The same for the same work."""
        said = repr(sorted(asdict(self).items())).encode()
        return f"{self.cell}-{self.seed}-{hashlib.sha256(said).hexdigest()[:16]}"

    @property
    def most(self) -> int | None:
        """What ``Plan`` calls it; None where the unit is as long as a default run."""
        return None if self.examples == BLOCK else self.examples

    @property
    def twin(self) -> Path | None:
        """The twin's file, if there is one."""
        return twins.beside(Path(self.file), Path(self.reference))

    def read(self) -> str:
        """A digest of what the file and its twin say now. Raises OSError."""
        hashed = hashlib.sha256(Path(self.file).read_bytes())
        if self.twin:
            hashed.update(hashlib.sha256(self.twin.read_bytes()).digest())
        return hashed.hexdigest()[:16]

    def node(self, label: str) -> str:
        """The node that pytest knows the check under."""
        return f"{shown_path(Path(self.file))}::{self.cell}::{label}"

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "sizes": dict(self.sizes)}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Unit":
        return cls(**{**plain, "sizes": tuple(plain["sizes"].items())})


@dataclass(frozen=True)
class Failure:
    """A smallest example that fails: what is said of it, and how to draw it again.

    ``choices`` are Hypothesis' draws, one for each example that it kept. Without an example the
    check fails over all of them.
    """

    said: str
    example: str = ""
    extent: int = 0  # the sum of the sizes
    choices: tuple[bytes, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "choices": [one.hex() for one in self.choices]}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Failure":
        return cls(**{**plain, "choices": tuple(map(bytes.fromhex, plain["choices"]))})


@dataclass(frozen=True)
class Count:
    """What one check found, over the examples of one unit or of several.

    ``nonzero`` and ``eps`` are those of the tally; ``complains`` says that in a unit it would not
    let the check pass although no example failed.
    """

    result: Result
    nonzero: bool
    eps: float
    complains: bool = False
    failure: Failure | None = None

    def to_dict(self) -> dict[str, Any]:
        failure = self.failure.to_dict() if self.failure else None
        return {**vars(self), "result": self.result.to_dict(), "failure": failure}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Count":
        result = {**plain["result"], "contracts": tuple(plain["result"]["contracts"])}
        failure = Failure.of(plain["failure"]) if plain["failure"] else None
        return cls(**{**plain, "result": Result(**result), "failure": failure})


@dataclass(frozen=True)
class Outcome:
    """What a unit found, or ``error``, why it could not be judged."""

    unit: Unit
    counts: tuple[Count, ...] = ()
    error: str = ""

    @property
    def examples(self) -> int:
        return sum(count.result.examples for count in self.counts)

    def to_dict(self) -> dict[str, Any]:
        return {"unit": self.unit.to_dict(), "counts": [one.to_dict() for one in self.counts]}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Outcome":
        return cls(Unit.of(plain["unit"]), tuple(map(Count.of, plain["counts"])))


def merged(counts: Iterable[Count]) -> Count:
    """What one check found in several units, as if they had been one; its failure is the smallest.

    The worst error is that of the finest numbers, as in a tally.
    """
    every = list(counts)
    results = [one.result for one in every]
    finest = min(one.eps for one in every)
    error, allowed = max((r.result.error, r.result.allowed) for r in every if r.eps == finest)
    reasons = dict.fromkeys(reason for one in results for reason in one.unjudged)
    result = replace(
        results[0],
        passed=all(one.passed for one in results),
        examples=sum(one.examples for one in results),
        unjudged={r: sum(one.unjudged.get(r, 0) for one in results) for r in reasons},
        error=error,
        allowed=allowed,
        seconds=sum(one.seconds for one in results),
        at_kink=sum(one.at_kink for one in results),
    )
    nonzero, complains = any(one.nonzero for one in every), any(one.complains for one in every)
    return Count(result, nonzero, finest, complains)
