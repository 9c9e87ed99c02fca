"""Nothing on the way is coarser than what goes in and comes out.

Watching every line is slow, and types seldom hang on numbers: every third example is watched.
"""

from gradcheck.evidence import Evidence
from gradcheck.finding import Finding, Reason, Right, Unjudged, Wrong
from gradcheck.running import dtypes

_EVERY = 3


def precision(evidence: Evidence) -> Finding:
    """No number of the forward or the backward is coarser than the inputs and the outputs."""
    if evidence.example.seed % _EVERY:
        return Unjudged(Reason.SPARED)
    own = evidence.precision
    found = dtypes.found(evidence.cell, evidence.inputs, evidence.cotangents, own)
    if not found:
        return Right()
    same_line = [one for one in found if one.line == found[0].line]
    told = next((one for one in same_line if one.name), found[0])
    cast = any(one.name is None for one in same_line)
    facts = {"dtype": told.precision.name, "line": told.line, "own": own.name}
    return Wrong("precision-cast" if cast else "precision-buffer", told.name or "", facts=facts)
