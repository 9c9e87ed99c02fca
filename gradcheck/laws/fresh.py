"""A fresh process gives the same: nothing hangs on what ran before, nor on the hash seed.

One example of each cell is judged, the first that is drawn with sizes of at least 2, in one
process: a new Python takes longer than all other laws together, and what differs between two
processes differs in most examples.
"""

import os
import pickle
import subprocess
import sys

from gradcheck.drawing.draw import Example
from gradcheck.evidence import Evidence, Examiner
from gradcheck.laws.child import Answer
from gradcheck.laws.runs import broken, sides, void

_PATIENCE = 120  # seconds, for a machine that is very busy; a child takes less than one
_ADVICE = (
    "It depends on what ran before, on the order of a set, or on random numbers drawn at import: "
    "sort what is unordered, and make a constant of what is drawn."
)


def _judged(examiner: Examiner) -> dict[Example, str | None]:
    """The one example of a cell that was judged, and the verdict on it; empty until then."""
    return {}


def of_a_file(examiner: Examiner) -> bool:
    """Whether another process can read the cell."""
    source = examiner.cell.source
    return source is not None and source.path.is_file()


def fresh(evidence: Evidence) -> str | None:
    """The same in a new process, with another hash seed."""
    known, example = evidence.examiner.fact(_judged), evidence.example
    if not known and all(size >= 2 for _, size in example.sizes) and not void(evidence):
        known[example] = _verdict(evidence)
    return known.get(example)


def _verdict(evidence: Evidence) -> str | None:
    cell, own = evidence.cell, evidence.run
    answer = _asked(evidence)
    if answer is None:
        return None
    if isinstance(answer, str):
        first, *rest = answer.splitlines()
        return "\n".join([f"In a fresh process it is another: {first}", *rest, _ADVICE])
    assert cell.source is not None  # or the law does not apply
    _, backward = evidence.caller.forward(evidence.inputs)
    if not answer.is_of(backward, cell.source.path):
        return None
    got = {**dict(zip(cell.outputs, answer.outputs, strict=True)), **answer.gradients}
    for name, value in own.values.items():
        if name not in got or got[name].shape != value.shape:
            return f"{name} cannot be compared in a fresh process, and here it can.\n{_ADVICE}"
    wrong = broken(
        got,
        {name: [value] for name, value in own.values.items()},
        [own],
        [lambda name: 2 * own.noise(name)],
        evidence,
    )
    if wrong is None:
        return None
    there, here = sides(wrong.got, wrong.want)
    return f"{wrong.entry} is {here} here, but {there} in a fresh process.\n{_ADVICE}"


def _asked(evidence: Evidence) -> Answer | str | None:
    """What a new process says; None if there is none to be had."""
    cell = evidence.cell
    assert cell.source is not None  # or the law does not apply
    inputs, cotangents = dict(evidence.inputs), tuple(evidence.cotangents)
    asked = pickle.dumps((cell.source.path, cell.name, inputs, cotangents, evidence.caller.writes))
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    path = os.pathsep.join(filter(None, sys.path))
    try:
        done = subprocess.run(
            [sys.executable, "-c", "from gradcheck.laws.child import main; main()"],
            input=asked,
            capture_output=True,
            timeout=_PATIENCE,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
        )
        found: Answer | str | None = pickle.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, pickle.UnpicklingError, EOFError):
        return None  # the machine's fault: nothing is known of the cell
    return found
