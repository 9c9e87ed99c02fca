"""What a worker does with a unit; it needs nothing but the unit and the files that it names."""

import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from hypothesis.database import InMemoryExampleDatabase

from gradcheck.checking.check import Check, checks
from gradcheck.checking.explore import Plan, search
from gradcheck.checking.remembered import Remembered
from gradcheck.checking.result import result
from gradcheck.checking.tally import Record
from gradcheck.errors import CaseError, shown_path, what_raised
from gradcheck.exploring.unit import Count, Failure, Outcome, Unit
from gradcheck.mutation.mutate import quiet
from gradcheck.oracles import twins
from gradcheck.show.sentences import sentence
from gradcheck.source import cases
from gradcheck.source.cases import Malformed

# A worker of several threads judges one unit at a time: warnings and errstate belong to a process.
_ONE = threading.Lock()


def judge(unit: Unit) -> Outcome:
    """What the unit finds; never raises, so that one bad cell ends no run."""
    path = Path(unit.file)
    with _ONE, quiet():
        try:
            return Outcome(unit, tuple(_counts(unit, path)))
        except CaseError as error:
            return Outcome(unit, error=str(error))
        except Exception as error:
            said = what_raised(error, path)
            return Outcome(unit, error=f"The examples of seed {unit.seed} raise {said}")


def _counts(unit: Unit, path: Path) -> list[Count]:
    _unchanged(unit)
    (cell,) = cases.chosen(path, unit.cell)
    if isinstance(cell, Malformed):
        raise CaseError(cell.message)
    twin = twins.find(cell, unit.twin)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)  # the cores belong to the workers
    return [_count(unit, path, one) for one in checks(cell, twin)]


def _unchanged(unit: Unit) -> None:
    try:
        changed = unit.read() != unit.digest
    except OSError as error:
        raise CaseError(
            f"A worker cannot read {error.filename}.\nIt needs the cells and their twins under "
            "the same paths: start it where the files are, or share the folder."
        ) from None
    if changed:
        shown = shown_path(Path(unit.file))
        raise CaseError(f"{shown}, or its twin, is not what it was when the run began.")


def _count(unit: Unit, path: Path, check: Check) -> Count:
    names = check.cell.size_names
    sizes = {name: size for name, size in unit.sizes if name in names}
    found = Remembered(InMemoryExampleDatabase(), check.label, sizes)
    begun = time.perf_counter()
    record = search(check, Plan(seed=unit.seed, sizes=sizes, most=unit.most, found=found))
    made = result(record, shown_path(path), time.perf_counter() - begun)
    failure = _failure(record, found)
    complains = failure is None and not made.passed
    # What is said of all examples is decided when all units are in.
    made = replace(made, passed=failure is None)
    return Count(made, record.tally.nonzero, record.tally.eps, complains, failure)


def _failure(record: Record, found: Remembered) -> Failure | None:
    if record.failure is None:
        return None
    example, wrong = record.failure
    extent = sum(size for _, size in example.sizes)
    return Failure(sentence(wrong), str(example), extent, found.examples)
