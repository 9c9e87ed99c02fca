"""Numbers mean the same wherever they lie in memory: strided, Fortran, read-only, broadcast."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from gradcheck.cells import contracts
from gradcheck.cells.cell import Array
from gradcheck.evidence import Evidence
from gradcheck.finding import Finding, Reason, Unjudged, Wrong
from gradcheck.laws.runs import drawn, equal, obstacle, run


def layout(evidence: Evidence) -> Finding:
    """The results are those of contiguous copies of the same numbers, read-only as all are."""
    if reason := obstacle(evidence):
        return Unjudged(reason)
    said = list(_LAYOUTS)[evidence.example.seed % len(_LAYOUTS)]
    laid = _LAYOUTS[said]
    found = _rows_alike(evidence) if laid is _broadcast else (evidence.inputs, evidence.cotangents)
    if isinstance(found, Reason):
        return Unjudged(found)
    inputs, cotangents = found
    # With rows alike, cotangents might not be within what the backward is declared to hold for.
    held = laid is _broadcast and any(c.on_cotangent for c in evidence.cell.contracts)
    plain = run(evidence, _each(inputs, _contiguous), tuple(map(_contiguous, cotangents)))
    laid_out = cotangents if held else tuple(map(laid, cotangents))
    other = run(evidence, _each(inputs, laid), laid_out)
    for name in plain.usable:
        if name not in other.usable:
            return Wrong("layout-unusable", name, facts={"layout": said})
    return equal(
        other.values,
        {name: [value] for name, value in plain.values.items()},
        [plain],  # of the same numbers: one rounding for both
        [lambda name: 2 * plain.noise(name)],
        partial(Wrong, "layout-differs", facts={"layout": said}),
    )


def _contiguous(array: Array) -> Array:
    return np.array(array, order="C")


def _fortran(array: Array) -> Array:
    return np.array(array, order="F")


def _strided(array: Array) -> Array:
    """Every other entry of every axis, backwards; between them lies what is no number."""
    gap = np.nan if array.dtype.kind == "f" else 0
    wide = np.full([2 * size for size in array.shape], gap, array.dtype)
    backwards: list[Any] = [slice(None, None, -2)] * array.ndim
    view: Array = wide[(*backwards, ...)]
    view[...] = array
    return view


def _broadcast(array: Array) -> Array:
    """The first row in place of all, without a copy of it; a scalar has no rows."""
    return np.broadcast_to(array[:1], array.shape) if array.ndim and len(array) else array


_LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "strided": _strided,
    "Fortran-ordered": _fortran,
    "broadcast": _broadcast,
}


def _rows_alike(evidence: Evidence) -> tuple[Mapping[str, Any], tuple[Array, ...]] | Reason:
    """Inputs and cotangents whose rows are alike, or why there is no gradient at them."""
    cell, inputs = evidence.cell, _each(evidence.inputs, _broadcast)
    inputs = _each(inputs, _contiguous)
    if cell.contracts and cell.at(inputs).margin <= contracts.NEAR:
        return Reason.KINK
    outputs, _ = evidence.caller.forward(inputs)
    if not all(np.isfinite(output).all() for output in outputs):
        return Reason.NOT_FINITE
    cotangents = drawn(evidence, outputs, 0)
    if any(contract.on_cotangent for contract in cell.contracts):
        return inputs, cotangents
    return inputs, tuple(map(_broadcast, cotangents))


def _each(inputs: Mapping[str, Any], change: Callable[[Array], Array]) -> dict[str, Any]:
    return {n: change(v) if isinstance(v, np.ndarray) else v for n, v in inputs.items()}
