"""Mends per mutant: a slip is planted into a right backward, and its line is asked for.

Mutation and proofreading keep each other honest: what the one plants the other should give back,
as exactly that line, with a statement that makes every gradient right.
"""

import ast
import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gradcheck.lines import instrument, mend
from gradcheck.lines.findings import Fault, Findings
from gradcheck.mutation import equivalence, mutants
from gradcheck.mutation.equivalence import EQUIVALENT, Generic
from gradcheck.mutation.mutants import Mutant
from gradcheck.source.listing import Listing
from gradcheck.source.trees import relocated, rewritten

BACK = "back"  # that line alone, with a mend that makes every gradient right
UNMENDED, WRONG_MEND = "that line, without a mend", "that line, with a mend that is none"
MORE, ANOTHER = "that line among others", "another line"
UNPROVED, UNSEEN = "no line is proved", "no gradient is found wrong"


@dataclass(frozen=True)
class Asked:
    """A mutant, and what came of asking for its line; ``said`` are the lines that were named."""

    cell: str
    line: int
    slip: str
    mutant: str
    came: str
    said: str = ""

    def __str__(self) -> str:
        said = f": {self.said}" if self.said else ""
        return f"{self.cell}, line {self.line}, {self.slip}: `{self.mutant}`; {self.came}{said}"


def asked_of(path: Path, name: str, most: int) -> list[Asked]:
    """So many mutants of a cell, all its lines and slips in fair shares, and what came of each."""
    return list(itertools.islice(asked(Listing.of(path, name)), most))


def asked(listing: Listing, wanted: frozenset[str] | None = None) -> Iterator[Asked]:
    """Each mutant that is a mistake of its gradients, of the ``wanted`` slips; what came of it.

    One that fails at once or changes nothing is none; one whose gradients are right, and that
    breaks a law, as by writing into a cotangent, has no line in the linear sense.
    """
    examples = list(equivalence.generic(listing.cell()))
    first = examples[0].evidence
    found = mutants.mutants(listing, first.inputs, first.cotangents)
    for mutant in mutants.stratified(found):
        if wanted is not None and mutant.slip not in wanted:
            continue
        changed = listing.changed(mutant.original, mutant.changed)
        try:
            wrong = equivalence.differing(changed.cell(), examples)
        except Exception:  # it fails at once
            continue
        if wrong and wrong is not EQUIVALENT:
            yield _asked(changed, mutant, examples)


@np.errstate(all="ignore")
def _asked(listing: Listing, mutant: Mutant, examples: list[Generic]) -> Asked:
    findings = mend.find(instrument.script(listing))
    said = "; ".join(f"{fault.line.number} {' or '.join(fault.mends)}" for fault in findings.faults)
    came = _came(listing, mutant, examples, findings)
    said = "" if came == BACK else said
    return Asked(listing.name, mutant.line, mutant.slip, mutant.mutant, came, said)


def _came(listing: Listing, mutant: Mutant, examples: list[Generic], findings: Findings) -> str:
    if not findings.faults:
        return UNPROVED if findings.wrong else UNSEEN
    lines = _lines(mutant)
    own = [
        fault
        for fault in findings.faults
        if fault.line.number in lines or (fault.line.absent and mutant.mutant == "(deleted)")
    ]
    if not own:
        return ANOTHER
    if len(findings.faults) > 1:
        return MORE
    if not own[0].mends:
        return UNMENDED
    return BACK if _is_right(_mended(listing, own[0]), examples) else WRONG_MEND


def _lines(mutant: Mutant) -> set[int]:
    """The lines that an edit has touched: two where it has exchanged them."""
    touched = {mutant.line}
    for node in ast.walk(mutant.changed):
        match node:
            case ast.If(test=ast.Constant(True), body=body):
                touched |= {statement.lineno for statement in body if hasattr(statement, "lineno")}
    return touched


def _mended(listing: Listing, fault: Fault) -> Listing:
    """The mutant with the first mend written into it."""
    site = listing.sites[fault.line.site]
    text, node = fault.mends[0], fault.line.statement
    (found,) = ast.parse(f"{text} pass" if isinstance(node, ast.For) else text).body
    if isinstance(node, ast.For) and isinstance(found, ast.For):
        found = ast.For(found.target, found.iter, node.body, node.orelse)
    shown, written = ast.dump(node), site.node

    def mend(part: ast.AST) -> ast.AST:
        if fault.line.absent and part is written and isinstance(part, ast.FunctionDef):
            longer = copy.copy(part)
            longer.body = [found, *part.body]
            return longer
        same = isinstance(part, ast.stmt) and part.lineno == node.lineno
        return found if same and ast.dump(part) == shown else part

    definition = site.definition.node
    return listing.changed(definition, relocated(rewritten(definition, mend), definition))


def _is_right(listing: Listing, examples: list[Generic]) -> bool:
    try:
        return equivalence.differing(listing.cell(), examples) in (EQUIVALENT, frozenset())
    except Exception:  # it does not run
        return False
