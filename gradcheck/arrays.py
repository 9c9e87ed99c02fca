"""What is asked of arrays everywhere: which are in here, are two close, what is an entry called."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DEEP = 6  # containers inside one another that are looked into: an author's may hold itself


def close(got: Any, want: Any, tolerance: float) -> bool:
    """Whether two values have one shape, and no entry is off by more than a share of the largest.

    ``tolerance`` is that share, of ``want``. What is not finite is close to nothing.
    """
    if np.shape(got) != np.shape(want):
        return False
    scale = float(np.max(np.abs(want), initial=0.0))
    return bool(np.all(np.abs(np.subtract(got, want)) <= tolerance * scale))


def is_number(value: object) -> bool:
    """Whether a value is a float array or number, and so may have a gradient."""
    return (
        isinstance(value, np.ndarray | np.floating | float) and np.asarray(value).dtype.kind == "f"
    )


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number, or an array of them."""
    if isinstance(value, np.ndarray):
        return bool(value.dtype.kind == "i")
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def leaves(value: Any, depth: int = _DEEP) -> Iterator[Any]:
    """What a value is made of: itself, or all that is in it if it is a list, a tuple or a dict."""
    if depth and isinstance(value, list | tuple | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from leaves(part, depth - 1)
    else:
        yield value


def arrays_in(value: Any) -> Iterator[NDArray[Any] | np.generic]:
    """The arrays, and NumPy's own numbers, that a value is made of."""
    return (leaf for leaf in leaves(value) if isinstance(leaf, np.ndarray | np.generic))


def entry(name: str, index: tuple[int, ...]) -> str:
    """The name with its index in brackets, as in dWf[0,2]; a scalar's has none."""
    return f"{name}[{','.join(map(str, index))}]" if index else name
