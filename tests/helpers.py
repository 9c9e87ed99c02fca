"""What many tests ask: which nodes of a cell are red, and what is said of one."""

from gradcheck.cells.cell import Cell
from gradcheck.checking.check import checks
from gradcheck.checking.explore import DEFAULT, search
from gradcheck.checking.tally import Record
from gradcheck.finding import Wrong
from gradcheck.oracles import twins
from gradcheck.show import messages
from gradcheck.show.sentences import sentence
from gradcheck.source.closure import closure
from gradcheck.verdicts.verdict import explain


def cell_of(given):
    """A cell, or the cell that a function is."""
    return given if isinstance(given, Cell) else closure(given)


def nodes(given, twin=None):
    """The checks of a cell, by label; ``twin`` is a function of PyTorch."""
    cell = cell_of(given)
    return {c.label: c for c in checks(cell, twins.of(cell, twin) if twin else None)}


def red(given, twin=None, oracles=("fd", "autograd", "unrolled"), plan=DEFAULT):
    """The labels of the nodes of some oracles that do not pass."""
    every = nodes(given, twin).items()
    return [n for n, c in every if c.oracle in oracles and search(c, plan).wrong is not None]


def fault(finding):
    """What a finding says is wrong; None if it says nothing."""
    return sentence(finding) if isinstance(finding, Wrong) else None


def found(check, plan=DEFAULT):
    """What a search says is wrong."""
    return fault(search(check, plan).wrong)


def message(check, example=None, plan=DEFAULT, command="pytest ..."):
    """The message of one check, on the example that a search ends with or on a given one."""
    record = search(check, plan) if example is None else judged(check, example)
    return messages.text(explain(record, command=command))


def judged(check, example):
    """The record of a check that met one example."""
    finding = check.judge(check.examiner.evidence(example))
    record = Record(check)
    record.tally.add(finding)
    record.failure = (example, finding) if isinstance(finding, Wrong) else None
    return record
