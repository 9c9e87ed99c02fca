"""Laws: what must hold of every backward, whatever its numbers; no oracle is asked."""

from collections.abc import Callable, Iterator

import numpy as np

from gradcheck import draw
from gradcheck.cell import Array
from gradcheck.evidence import NOT_A_FUNCTION, Evidence
from gradcheck.structure import Unusable, gradients

Law = Callable[[Evidence], str | None]


def purity(evidence: Evidence) -> str | None:
    """Nothing that was handed in, and no output, is written into."""
    cell = evidence.cell
    given = draw.writable(evidence.inputs)
    outputs, backward = cell.run(given)
    kept = [output.copy() for output in outputs]
    cotangents = [cotangent.copy() for cotangent in evidence.cotangents]
    forward_wrote = list(_changed(evidence.inputs, given))
    if forward_wrote:
        name = forward_wrote[0]
        return (
            f"The forward writes into its argument {name}.\n"
            f"Work on a copy: `{name} = {name}.copy()`."
        )
    backward(cotangents)
    names = [f"d{output}" for output in cell.outputs]
    cotangents_before = dict(zip(names, evidence.cotangents, strict=True))
    for name in _changed(cotangents_before, dict(zip(names, cotangents, strict=True))):
        return (
            f"backward writes into {name}, which belongs to its caller.\n"
            f"Write `{name} = {name} + ...` where it says `{name} += ...` or stores into {name}."
        )
    for name in _changed(evidence.inputs, given):
        return f"backward writes into the argument {name}.\nWork on a copy: `{name}.copy()`."
    for name, before, after in zip(cell.outputs, kept, outputs, strict=True):
        if not _same(before, after):
            return f"backward writes into the output {name}.\nWork on a copy: `{name}.copy()`."
    if evidence.writes:
        return "It writes into an array that was handed in, though it leaves every value as it was."
    return None


def repeatable(evidence: Evidence) -> str | None:
    """The same call gives the same bits: again from one forward, and from a new forward."""
    cell = evidence.cell
    outputs, backward = cell.run(evidence.forward_inputs())
    first = _bits(evidence, backward(evidence.backward_cotangents()))
    again = _bits(evidence, backward(evidence.backward_cotangents()))
    for name in _changed(first, again):
        return (
            f"Two calls of backward differ in d{name}.\nIt changes something that the forward "
            "kept, or draws random numbers."
        )
    outputs_again, backward_again = cell.run(evidence.forward_inputs())
    for name, before, after in zip(cell.outputs, outputs, outputs_again, strict=True):
        if not _same(before, after):
            return f"Two calls of the forward differ in {name}.\n{NOT_A_FUNCTION}"
    other = {
        k: 1.5 * v if np.asarray(v).dtype.kind == "f" else v for k, v in evidence.inputs.items()
    }
    cell.run(other)
    for name in _changed(first, _bits(evidence, backward(evidence.backward_cotangents()))):
        return (
            f"backward gives another d{name} once the forward has run on other inputs.\nIt reads "
            "what the last forward left; let it use the variables of its own."
        )
    for name in _changed(first, _bits(evidence, backward_again(evidence.backward_cotangents()))):
        return f"Two calls differ in d{name}, although the forward repeats itself."
    return None


def aliasing(evidence: Evidence) -> str | None:
    """No gradient shares memory with what was handed in, with an output or another gradient."""
    cell, given = evidence.cell, evidence.forward_inputs()
    outputs, backward = cell.run(given)
    cotangents = evidence.backward_cotangents()
    arguments = [given[argument.name] for argument in cell.arguments]
    found = gradients(cell, backward(cotangents), arguments)
    owners: list[tuple[str, Array]] = [
        *((f"the cotangent d{n}", d) for n, d in zip(cell.outputs, cotangents, strict=True)),
        *((f"the argument {a.name}", given[a.name]) for a in cell.arguments),
        *((f"the output {n}", out) for n, out in zip(cell.outputs, outputs, strict=True)),
    ]
    for name, gradient in found.items():
        if isinstance(gradient, Unusable):
            continue
        for owner, array in owners:
            if np.shares_memory(gradient, array):
                return (
                    f"d{name} shares memory with {owner}.\nAdding to one in place would change "
                    f"the other: return `d{name}.copy()`."
                )
        owners.append((f"the gradient d{name}", gradient))
    return None


LAWS: dict[str, Law] = {"purity": purity, "repeatable": repeatable, "aliasing": aliasing}


def _bits(evidence: Evidence, returned: object) -> dict[str, Array]:
    arguments = [evidence.inputs[argument.name] for argument in evidence.cell.arguments]
    found = gradients(evidence.cell, returned, arguments)
    return {n: g.copy() for n, g in found.items() if not isinstance(g, Unusable)}


def _changed(before: dict[str, Array], after: dict[str, Array]) -> Iterator[str]:
    return (name for name in before if not _same(before[name], after[name]))


def _same(before: Array, after: Array) -> bool:
    return np.array_equal(before, after, equal_nan=True)
