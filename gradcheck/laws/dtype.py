"""Nothing on the way is coarser than what goes in and comes out.

Watching every line is slow, and types seldom hang on numbers: every other example is watched.
"""

from gradcheck.evidence import Evidence
from gradcheck.running import dtypes
from gradcheck.running.dtypes import Narrow

_EVERY = 2


def precision(evidence: Evidence) -> str | None:
    """No number of the forward or the backward is coarser than the inputs and the outputs."""
    if evidence.example.seed % _EVERY:
        return None
    own = evidence.precision
    found = dtypes.found(evidence.cell, evidence.inputs, evidence.cotangents, own)
    if not found:
        return None
    same_line = [one for one in found if one.line == found[0].line]
    variable = next((one for one in same_line if one.name), None)
    cast = any(one.name is None for one in same_line)
    return _told(variable or found[0], own.name, cast)


def _told(one: Narrow, own: str, cast: bool) -> str:
    what = one.name or "A number"
    where = "" if one.line is None else f" in line {one.line}"
    fault = f"{what} is {one.precision.name}{where} although inputs and outputs are {own}."
    if cast:
        return (
            f"{fault}\nLeave out what casts it, `.astype(...)`, `np.{one.precision.name}(...)` or "
            "`dtype=`: what it loses no later line brings back."
        )
    return (
        f"{fault}\nMake the buffer in the type of what it holds: `np.zeros(shape, x.dtype)`, or "
        "leave the dtype out."
    )
