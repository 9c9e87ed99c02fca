"""A fresh process gives the same: nothing hangs on what ran before, nor on the hash seed.

One example of each cell is judged, the first that is drawn with sizes of at least 2, in one
process: a new Python takes longer than all other laws together, and what differs between two
processes differs in most examples. The process runs ``main`` below.
"""

import os
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array, Cell, Source
from gradcheck.cells.returned import Unusable, gradients
from gradcheck.drawing import draw
from gradcheck.drawing.draw import Example
from gradcheck.errors import what_raised
from gradcheck.evidence import Evidence, Examiner
from gradcheck.finding import Finding, Reason, Unjudged, Wrong
from gradcheck.laws.runs import equal, obstacle
from gradcheck.source.cases import read

_PATIENCE = 120  # seconds, for a machine that is very busy; a child takes less than one


def of_a_file(examiner: Examiner) -> bool:
    """Whether another process can read the cell: a file says it, and no edit of it since."""
    source = examiner.cell.source
    return source is not None and source.content is not None and source.path.is_file()


def _judged(examiner: Examiner) -> dict[Example, Finding]:
    """The one example of a cell that was judged, and the finding on it; empty until then."""
    return {}


def fresh(evidence: Evidence) -> Finding:
    """The same in a new process, with another hash seed."""
    known, example = evidence.examiner.fact(_judged), evidence.example
    if not known and all(size >= 2 for _, size in example.sizes):
        if reason := obstacle(evidence):
            return Unjudged(reason)
        known[example] = _finding(evidence)
    return known.get(example, Unjudged(Reason.SPARED))


def _finding(evidence: Evidence) -> Finding:
    cell, own = evidence.cell, evidence.run
    assert cell.source is not None  # or the law does not apply
    answer = _asked(cell.source.path, evidence)
    if not _says_what_ran(cell.source):
        return Unjudged(Reason.EDITED)
    if answer is None:
        return Unjudged(Reason.ORACLE)
    if isinstance(answer, str):
        return Wrong("fresh-fails", facts={"said": answer})
    for name, value in own.values.items():
        if name not in answer or answer[name].shape != value.shape:
            return Wrong("fresh-missing", name)
    return equal(
        answer,
        {name: [value] for name, value in own.values.items()},
        [own],
        [lambda name: 2 * own.noise(name)],
        partial(Wrong, "fresh-differs"),
    )


def _says_what_ran(source: Source) -> bool:
    try:
        return source.path.read_bytes() == source.content
    except OSError:
        return False


# What a cell gave, by name: its outputs and usable gradients; or a sentence on why it gave nothing.
Answer = dict[str, Array] | str


def _asked(path: Path, evidence: Evidence) -> Answer | None:
    """What a new process says; None if there is none to be had, or no such cell in the file."""
    inputs, cotangents = dict(evidence.inputs), tuple(evidence.cotangents)
    asked = pickle.dumps((path, evidence.cell.name, inputs, cotangents, evidence.caller.writes))
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    paths = os.pathsep.join(filter(None, sys.path))
    try:
        done = subprocess.run(
            [sys.executable, "-c", "from gradcheck.laws.fresh import main; main()"],
            input=asked,
            capture_output=True,
            timeout=_PATIENCE,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": paths},
        )
        found: Answer | None = pickle.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, pickle.UnpicklingError, EOFError):
        return None  # the machine's fault: nothing is known of the cell
    return found


def main() -> None:
    """Answer on standard output what is asked on standard input, both pickled."""
    asked = pickle.load(sys.stdin.buffer)
    out, sys.stdout = sys.stdout.buffer, sys.stderr  # what a case prints is no part of the answer
    pickle.dump(_answer(*asked), out)
    out.flush()


def _answer(
    path: Path, name: str, inputs: dict[str, Any], cotangents: tuple[Array, ...], writes: bool
) -> Answer | None:
    cell = next((one for one in read(path) if one.name == name), None)
    if cell is None:
        return None
    if not isinstance(cell, Cell):
        return cell.message
    if not writes:
        for array in (*inputs.values(), *cotangents):
            if isinstance(array, np.ndarray):
                draw.read_only(array)
    try:
        with np.errstate(all="ignore"):
            outputs, backward = cell.run(inputs)
            kept = [output.copy() for output in outputs]
            returned = backward(cotangents)
    except Exception as error:
        return f"The cell fails with {what_raised(error, path)}"
    found = gradients(cell, returned, [inputs[argument.name] for argument in cell.arguments])
    usable = {f"d{n}": np.array(g) for n, g in found.items() if not isinstance(g, Unusable)}
    return {**dict(zip(cell.outputs, kept, strict=True)), **usable}
