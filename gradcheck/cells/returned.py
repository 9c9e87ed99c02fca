"""Structure before values: what is wrong with a returned gradient, in one plain sentence."""

from collections.abc import Sequence

import numpy as np

from gradcheck.arrays import entry
from gradcheck.cells.cell import Array, Cell


class Unusable:
    """Stands where a gradient should be, and says why it cannot be compared.

    ``overflows`` marks one whose only fault is an entry that is not finite.
    """

    def __init__(self, sentence: str, *, overflows: bool = False) -> None:
        self.sentence, self.overflows = sentence, overflows


Gradient = Array | Unusable

_NOT_FINITE = "while the forward is finite."


def gradients(cell: Cell, returned: object, arguments: Sequence[Array]) -> dict[str, Gradient]:
    """What ``backward`` returned, by the names of the arguments, each usable or not."""
    names = [argument.name for argument in cell.arguments]
    if isinstance(returned, np.ndarray | np.floating) and len(names) == 1:
        returned = (returned,)
    if not isinstance(returned, tuple | list):
        kind = "nothing" if returned is None else described(returned)
        return dict.fromkeys(
            names,
            Unusable(
                f"backward returns {kind} instead of a tuple.\n"
                f"Write `return {', '.join(cell.gradients)}`."
            ),
        )
    if len(returned) != len(names):
        count = f"{len(returned)} gradient{'s' * (len(returned) != 1)}"
        return dict.fromkeys(
            names,
            Unusable(
                f"backward returns {count} for {len(names)} arguments.\n"
                f"Write `return {', '.join(cell.gradients)}`."
            ),
        )
    usable: dict[str, Gradient] = {}
    for name, gradient, argument in zip(names, returned, arguments, strict=True):
        sentence = problem(f"d{name}", gradient, name, argument, cell.dtype)
        usable[name] = np.asarray(gradient) if sentence is None else _unusable(sentence, gradient)
    return usable


def _unusable(sentence: str, gradient: object) -> Unusable:
    overflows = sentence.endswith(_NOT_FINITE)
    return gradient if isinstance(gradient, Unusable) else Unusable(sentence, overflows=overflows)


def problem(
    gradient_name: str, gradient: object, name: str, argument: Array, dtype: str = "float64"
) -> str | None:
    """The first structural fault of one gradient, or None; ``dtype`` is what the cell is in."""
    if isinstance(gradient, Unusable):
        return gradient.sentence
    if gradient is None:
        return (
            f"{gradient_name} is None.\nbackward must return an array of {name}'s shape; what "
            f"needs no gradient stands behind a star: `*, {name}`."
        )
    plain_scalar = isinstance(gradient, float) and argument.shape == ()
    if not (plain_scalar or isinstance(gradient, np.ndarray | np.generic)):
        return (
            f"{gradient_name} is {described(gradient)}.\n"
            f"Return a NumPy array of {name}'s shape {argument.shape}."
        )
    gradient = np.asarray(gradient)
    if gradient.shape != argument.shape:
        return _shape(gradient_name, gradient.shape, name, argument.shape)
    narrow = gradient.dtype.itemsize < min(argument.dtype.itemsize, np.dtype(dtype).itemsize)
    if gradient.dtype.kind != "f" or narrow:
        return (
            f"{gradient_name} is {gradient.dtype}, but {name} is {argument.dtype}.\n"
            "A cast, or a buffer of another type, on its way changes what it holds."
        )
    unfit = ~np.isfinite(gradient)
    if unfit.any():
        index = tuple(int(k) for k in np.argwhere(unfit)[0])
        return (
            f"{entry(gradient_name, index)} is {gradient[index]}, "
            f"in {int(unfit.sum())} of {unfit.size} entries, {_NOT_FINITE}"
        )
    return None


def described(value: object) -> str:
    """A value's type in words, for a sentence."""
    if isinstance(value, np.ndarray):
        return "an array"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _shape(gradient_name: str, got: tuple[int, ...], name: str, expected: tuple[int, ...]) -> str:
    said = f"{gradient_name} has shape {got}, but {name} has shape {expected}."
    if got == expected[::-1]:
        return f"{said}\nIt is transposed."
    if len(got) == len(expected) + 1 and got[1:] == expected:
        return f"{said}\nSum over the first axis: `.sum(axis=0)`."
    if len(got) == len(expected) + 1 and got[:-1] == expected:
        return f"{said}\nSum over the last axis: `.sum(axis=-1)`."
    if len(got) < len(expected):
        return f"{said}\nIt was summed or squeezed too much; it would broadcast, and hide that."
    return said
