"""Structure before values: what is wrong with the form of a returned gradient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array, Cell


@dataclass(frozen=True)
class Unusable:
    """Stands where a gradient should be, and says why it cannot be compared.

    ``kind`` is the fault; ``name`` the gradient's, and ``index`` and ``got`` an entry's, where one
    shows it; ``facts`` are what else a sentence needs.
    """

    kind: str
    name: str = ""
    index: tuple[int, ...] | None = None
    got: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def overflows(self) -> bool:
        """Whether its only fault is an entry that is not finite."""
        return self.kind == "not-finite"


Gradient = Array | Unusable


def gradients(cell: Cell, returned: object, arguments: Sequence[Array]) -> dict[str, Gradient]:
    """What ``backward`` returned, by the names of the arguments, each usable or not."""
    names = [argument.name for argument in cell.arguments]
    facts: dict[str, object]
    if isinstance(returned, np.ndarray | np.floating) and len(names) == 1:
        returned = (returned,)
    if not isinstance(returned, tuple | list):
        facts = {"returned": type_name(returned), "gradients": cell.gradients}
        return dict.fromkeys(names, Unusable("not-a-tuple", facts=facts))
    if len(returned) != len(names):
        facts = {"returned": len(returned), "gradients": cell.gradients}
        return dict.fromkeys(names, Unusable("count", facts=facts))
    usable: dict[str, Gradient] = {}
    for name, gradient, argument in zip(names, returned, arguments, strict=True):
        fault = _fault(name, gradient, argument, cell.dtype)
        usable[name] = np.asarray(gradient) if fault is None else fault
    return usable


def _fault(name: str, gradient: object, argument: Array, dtype: str) -> Unusable | None:
    """The first structural fault of one gradient, or None; ``dtype`` is what the cell is in."""
    if isinstance(gradient, Unusable):  # of a step, handed through by a cell made of steps
        return gradient
    own, facts = f"d{name}", {"argument": name, "argument_shape": argument.shape}
    if gradient is None:
        return Unusable("missing", own, facts=facts)
    plain_scalar = isinstance(gradient, float) and argument.shape == ()
    if not (plain_scalar or isinstance(gradient, np.ndarray | np.generic)):
        return Unusable("type", own, facts={**facts, "returned": type_name(gradient)})
    gradient = np.asarray(gradient)
    if gradient.shape != argument.shape:
        return Unusable("shape", own, facts={**facts, "shape": gradient.shape})
    narrow = gradient.dtype.itemsize < min(argument.dtype.itemsize, np.dtype(dtype).itemsize)
    if gradient.dtype.kind != "f" or narrow:
        types = {"dtype": str(gradient.dtype), "argument_dtype": str(argument.dtype)}
        return Unusable("dtype", own, facts={**facts, **types})
    unfit = ~np.isfinite(gradient)
    if unfit.any():
        index = tuple(int(k) for k in np.argwhere(unfit)[0])
        counts = {"count": int(unfit.sum()), "size": unfit.size}
        return Unusable("not-finite", own, index, float(gradient[index]), {**facts, **counts})
    return None


def type_name(value: object) -> str:
    """The name of a value's type, as a word of a sentence."""
    return "array" if isinstance(value, np.ndarray) else type(value).__name__


def with_article(noun: str) -> str:
    """The noun with "a" or "an" before it."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def described(value: object) -> str:
    """A value's type in words, for a sentence."""
    return with_article(type_name(value))
