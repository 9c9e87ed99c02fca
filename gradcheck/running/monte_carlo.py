"""How far rounding alone may move a gradient: measured, by disturbing every operation.

This is Monte Carlo arithmetic: D. S. Parker, "Monte Carlo Arithmetic: exploiting randomness in
floating-point arithmetic", UCLA Computer Science Department, CSD-970002, 1997. Verificarlo does it
to compiled code; here an array does it to NumPy's. The author's forward and backward run a few
times more on arrays whose every operation is off by up to one unit in the last place. The spread
of the results is the rounding noise of that very computation at that very point, cancellation and
saturation included. Eight samples: with four, some entries by chance hardly move.

Python's own floats and compiled code cannot be disturbed. Their results are noted where they meet
an array again: results that are not the same in all runs were rounded where nobody saw it.
"""

import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from gradcheck.arrays import leaves
from gradcheck.cells.cell import Array

SAMPLES = 8

_asarray = np.asarray  # as it is while `kept` puts another in its place

# Of each type: eps, the smallest normal number and the smallest of all. Known beforehand: finfo
# makes arrays too.
_LIMITS = {
    char: (float(np.finfo(char).eps), float(np.finfo(char).tiny), np.finfo(char).smallest_subnormal)
    for char in "efdgFDG"
}

MAKING = (
    *("array", "asarray", "ascontiguousarray", "asfortranarray", "copy", "require"),
    *("zeros", "empty", "ones", "full", "zeros_like", "empty_like", "ones_like", "full_like"),
)

_PRODUCTS = (np.dot, np.einsum, np.vdot, np.inner, np.tensordot)

# Operations whose result is zero only if one of so many of its first operands is.
_NEVER_ZERO = {np.exp: 0, np.exp2: 0, np.square: 1, np.power: 1, np.divide: 1, np.multiply: 2}


@dataclass(frozen=True)
class Disturbance:
    """Where disturbances come from: a generator, and the ``eps`` of the coarsest numbers.

    All operations are disturbed by as much as the coarsest: a buffer of float32 rounds what is
    stored in it, and no array is told of that.
    """

    generator: np.random.Generator
    eps: float = 0.0
    met: list[int] = field(default_factory=list)  # what came in undisturbed, by its hash

    def uniform(self, shape: tuple[int, ...]) -> Array:
        """Numbers from -1 to 1; the generator makes its array by np.empty, which may be tagged."""
        drawn: Array = plain(self.generator.uniform(-1.0, 1.0, shape))
        return drawn

    def meet(self, value: Any) -> None:
        """Note the undisturbed numbers in a value, or in the tuples and lists in it."""
        for leaf in leaves(value):
            match leaf:
                case Disturbed():
                    pass
                case np.ndarray() | np.inexact() if leaf.dtype.kind in "fc":
                    self.met.append(hash(leaf.tobytes()))
                case float() | complex():
                    self.met.append(hash(leaf))


class Disturbed(np.ndarray[Any, Any]):
    """An array each of whose operations is wrong by up to one rounding error."""

    source: Disturbance

    def __array_finalize__(self, parent: object) -> None:
        if isinstance(parent, Disturbed):
            self.source = parent.source

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *given: Any, **kwargs: Any) -> Any:
        stored = kwargs.get("out", ())
        if stored:
            kwargs["out"] = tuple(map(plain, stored))
        self.source.meet(given)
        result = getattr(ufunc, method)(*(plain(value) for value in given), **kwargs)
        if method == "at":
            return None
        if method == "__call__" and ufunc in _NEVER_ZERO:
            result = _above_zero(ufunc, result, [plain(value) for value in given], self.source)
        if not stored:
            return _each(result, lambda part: disturb(part, self.source))
        for out, part in zip(stored, result if len(stored) > 1 else (result,), strict=True):
            out[...] = disturb(part, self.source)
        return stored[0] if len(stored) == 1 else stored

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        self.source.meet(args)
        if function in _PRODUCTS:  # not built of ufuncs; einsum may go through others of them
            stored = kwargs.pop("out", None)
            named = {name: plain(value) for name, value in kwargs.items()}
            result = disturb(function(*_each(args, plain), **named), self.source)
            if stored is None:
                return result
            stored[...] = result
            return stored
        result = super().__array_function__(function, types, args, kwargs)
        return _each(result, lambda part: tagged(part, self.source))

    def dot(self, other: Any, out: Any = None) -> Any:  # otherwise C, past all of the above
        return np.dot(self, other, out)

    def __getitem__(self, index: Any) -> Any:
        return tagged(super().__getitem__(index), self.source)

    def __iter__(self) -> Iterator[Any]:
        return (tagged(part, self.source) for part in super().__iter__())

    def __setitem__(self, index: Any, value: Any) -> None:
        self.source.meet(value)
        super().__setitem__(index, value)


def _in_place(method: str, operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """`s += 1` makes another number of a scalar; of an array it changes the entries."""
    of_arrays = getattr(np.ndarray, method)
    return lambda self, other: (operation if self.ndim == 0 else of_arrays)(self, other)


for _operation in ("add", "sub", "mul", "truediv", "pow"):
    _method = f"__i{_operation}__"
    setattr(Disturbed, _method, _in_place(_method, getattr(operator, _operation)))


def disturb(value: Any, source: Disturbance) -> Any:
    """``value`` moved by up to one rounding error, and every operation on it from then on."""
    if not isinstance(value, np.ndarray | np.inexact) or value.dtype.kind not in "fc":
        return value
    still = plain(_asarray(value))
    # Relative, so that an exact zero stays one: `h > 0` after a relu must not flip.
    moved = still * _about_one(still, source)
    if still.dtype.kind == "c":  # the two parts are rounded apart
        moved = moved.real + 1j * (still.imag * _about_one(still, source))
    else:
        moved = _subnormal(still, moved, source)
    disturbed = _asarray(moved, still.dtype).view(Disturbed)
    disturbed.source = source
    return disturbed


def _above_zero(ufunc: np.ufunc, result: Any, operands: Sequence[Any], source: Disturbance) -> Any:
    """The result with what underflowed above zero again, anywhere below the normal range.

    An exact zero stays one under relative disturbance, and one that underflowed may still be
    multiplied by something huge.
    """
    dtype = _asarray(result).dtype
    if dtype.kind != "f":
        return result
    lost, sign = np.equal(result, 0), np.float64(1.0)
    for factor in operands[: _NEVER_ZERO[ufunc]]:
        lost = lost & np.not_equal(factor, 0)
        sign = sign * np.sign(_asarray(factor, float))  # a mask may be of booleans
    if ufunc in (np.exp, np.exp2):
        lost = lost & np.isfinite(operands[0])  # exp(-inf) of a mask is zero
    if not np.any(lost):
        return result
    some = sign * _LIMITS[dtype.char][1] * np.abs(source.uniform(np.shape(result)))
    return np.where(lost, some, result).astype(dtype)


def _subnormal(still: Array, moved: Array, source: Disturbance) -> Array:
    """``moved``, where numbers have fewer digits by a step of theirs, and none of them to zero."""
    _, normal, smallest = _LIMITS[still.dtype.char]
    low = (np.abs(still) < normal) & np.not_equal(still, 0)
    if not np.any(low):
        return moved
    step = smallest * np.rint(1.5 * source.uniform(still.shape))
    return np.where(low, np.sign(still) * np.maximum(np.abs(still) + step, smallest), moved)


def _about_one(still: Array, source: Disturbance) -> Array:
    eps = max(source.eps, _LIMITS[still.dtype.char][0])
    return _asarray(1 + eps * source.uniform(still.shape))


@contextmanager
def kept(source: Disturbance) -> Iterator[None]:
    """While it lasts, arrays that NumPy makes anew are disturbed as well.

    np.array strips a disturbance from what it is given, and a buffer of np.zeros has none.
    """
    originals = {name: getattr(np, name) for name in MAKING}
    try:
        for name, original in originals.items():
            setattr(np, name, partial(_made, original, source))
        yield
    finally:
        for name, original in originals.items():
            setattr(np, name, original)


def _made(original: Callable[..., Any], source: Disturbance, *given: Any, **options: Any) -> Any:
    if given and isinstance(given[0], np.ndarray | list | tuple):
        source.meet(given[0])
    return tagged(original(*given, **options), source)


def tagged(value: Any, source: Disturbance) -> Any:
    """``value`` as it is, with every operation on it disturbed from now on."""
    if not isinstance(value, np.ndarray | np.inexact) or value.dtype.kind not in "fc":
        return value
    # The same memory: the code may write to it under both names.
    found = _asarray(value).view(Disturbed)
    found.source = source
    return found


def spread(values: Sequence[Array]) -> Array:
    """The standard deviation of each entry over the samples; infinite where one is not finite."""
    stacked = np.stack([plain(_asarray(value)) for value in values])
    unknown = ~np.isfinite(stacked).all(axis=0)
    stacked = np.where(unknown, 0.0, stacked)
    centred = stacked - stacked.mean(axis=0)
    # Scaled before squaring: gradients of 1e-200 are ordinary in a saturated gate.
    scale = np.max(np.abs(centred), axis=0)
    safe = np.where(scale > 0, scale, 1.0)
    deviation = scale * np.sqrt(np.mean((centred / safe) ** 2, axis=0))
    return np.where(unknown, np.inf, deviation)


def plain(value: Any) -> Any:
    """The same numbers without the disturbance."""
    return value.view(np.ndarray) if isinstance(value, Disturbed) else value


def _each(result: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(result, tuple | list):
        return type(result)(change(part) for part in result)
    return change(result)
