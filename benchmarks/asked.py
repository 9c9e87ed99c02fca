"""A slip is planted into a right backward, and its line is asked for: what came of it."""

import ast
import copy
import time
from dataclasses import dataclass

import numpy as np

from gradcheck.lines import instrument, mend
from gradcheck.lines.findings import Fault, Findings
from gradcheck.mutation import equivalence
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
    seconds: float = 0.0  # of CPU

    def __str__(self) -> str:
        said = f": {self.said}" if self.said else ""
        return f"{self.cell}, line {self.line}, {self.slip}: `{self.mutant}`; {self.came}{said}"


def is_mistake(listing: Listing, mutant: Mutant, examples: list[Generic]) -> bool:
    """Whether its gradients are wrong.

    A mutant that fails at once or changes nothing is no mistake; one whose gradients are right,
    and that breaks a law, as by writing into a cotangent, has no line in the linear sense.
    """
    try:
        changed = listing.changed(mutant.original, mutant.changed).cell()
        wrong = equivalence.differing(changed, examples)
    except Exception:  # it fails at once
        return False
    return bool(wrong) and wrong is not EQUIVALENT


@np.errstate(all="ignore")
def ask(original: Listing, mutant: Mutant, examples: list[Generic]) -> Asked:
    """Ask for the line of a mutant."""
    listing = original.changed(mutant.original, mutant.changed)
    begun = time.process_time()
    findings = mend.find(instrument.script(listing))
    seconds = time.process_time() - begun
    said = "; ".join(map(_said, findings.faults))
    came = _came(listing, mutant, examples, findings)
    said = "" if came == BACK else said
    return Asked(listing.name, mutant.line, mutant.slip, mutant.mutant, came, said, seconds)


def _said(fault: Fault) -> str:
    return f"{fault.line.number} {' or '.join(fault.mends)}".rstrip()


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
