"""Arrays belong to whom they were handed to: nothing is written into, nothing is shared."""

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.cells.returned import Unusable, gradients
from gradcheck.drawing import draw
from gradcheck.evidence import Evidence
from gradcheck.finding import Finding, Right, Wrong
from gradcheck.laws import kept
from gradcheck.laws.kept import changed


def purity(evidence: Evidence) -> Finding:
    """Nothing is written into: what was handed in, the outputs, and what the forward kept."""
    cell = evidence.cell
    given = draw.writable(evidence.inputs)
    with evidence.caller.crashing("The forward"):
        outputs, backward = cell.run(given)
    before = [output.copy() for output in outputs]
    cotangents = [cotangent.copy() for cotangent in evidence.cotangents]
    for name in changed(evidence.inputs, given):
        return Wrong("purity-forward", name)
    cache = kept.snapshot(backward)
    with evidence.caller.crashing("backward"):
        backward(cotangents)
    names = [f"d{output}" for output in cell.outputs]
    cotangents_before = dict(zip(names, evidence.cotangents, strict=True))
    for name in changed(cotangents_before, dict(zip(names, cotangents, strict=True))):
        return Wrong("purity-cotangent", name)
    for name in changed(evidence.inputs, given):
        return Wrong("purity-argument", name)
    for name, was, now in zip(cell.outputs, before, outputs, strict=True):
        if not kept.same(was, now):
            return Wrong("purity-output", name)
    held = kept.held(backward)
    for name, value in cache.items():
        difference = kept.difference(name, value, held.get(name))
        if difference is not None:
            return difference
    return Wrong("purity-in-place") if evidence.caller.writes else Right()


def aliasing(evidence: Evidence) -> Finding:
    """No gradient shares memory with what was handed in, with an output or another gradient."""
    cell, caller = evidence.cell, evidence.caller
    given = caller.handed(evidence.inputs)
    with caller.crashing("The forward"):
        outputs, backward = cell.run(given)
    cotangents = [d.copy() for d in evidence.cotangents] if caller.writes else evidence.cotangents
    arguments = [given[argument.name] for argument in cell.arguments]
    with caller.crashing("backward"):
        found = gradients(cell, backward(cotangents), arguments)
    owners: list[tuple[str, str, Array]] = [
        *(("cotangent", f"d{n}", d) for n, d in zip(cell.outputs, cotangents, strict=True)),
        *(("argument", a.name, given[a.name]) for a in cell.arguments),
        *(("output", n, out) for n, out in zip(cell.outputs, outputs, strict=True)),
    ]
    for name, gradient in found.items():
        if isinstance(gradient, Unusable):
            continue
        for owner, other, array in owners:
            if np.shares_memory(gradient, array):
                return Wrong("aliasing", f"d{name}", facts={"owner": owner, "other": other})
        owners.append(("gradient", f"d{name}", gradient))
    return Right()
