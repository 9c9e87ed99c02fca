"""The complex step: Im f(x + ih) / h, exact to rounding, where the forward lets it through.

Squire and Trapp (1998), "Using complex variables to estimate derivatives of real functions",
SIAM Review 40(1):110-112. One forward an entry and no subtraction; but abs, casts and real
buffers drop the imaginary part without a word, so every answer must prove itself: the real part
is that of the real forward, and the derivative along a random direction is the one that finite
differences see, within the bound that those give for themselves. Where that bound is wide
(tiny or huge inputs, saturation) this proves little: evidence.py asks for the proof on ordinary
numbers as well.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcheck.arrays import close
from gradcheck.cells.cell import Array
from gradcheck.oracles import finite_differences
from gradcheck.oracles.loss import EPS, Loss
from gradcheck.oracles.reference import Reference, directions

NAME = "the complex step"

_STEP = 1e-20  # of the tensor's size: products of two imaginary parts vanish
_UNDERFLOW = 64 * float(np.finfo(float).tiny)  # what results below the normal range may lose
_SAME = 1e-9  # of an output: far above rounding, far below what another branch gives
_LOOSE = 1e-6  # agreement with finite differences that rules out a lost term


def gradient(loss: Loss, name: str) -> Reference | None:
    """dL/d(inputs[name]), or None where the complex step is not valid."""
    x = loss.inputs[name]
    value = np.zeros(x.shape)
    direction = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        direction[index] = 1.0
        slope = _slope(loss, name, direction)
        if slope is None:
            return None
        value[index], direction[index] = slope, 0.0
    witness, *_ = directions(x.shape)
    if not _proved(loss, name, witness, value, np.sum(value * witness)):
        return None
    return Reference(NAME, value, np.full(x.shape, lost(loss, _step(x))))


def probed(loss: Loss, name: str) -> Reference | None:
    """The same along random directions only, for arguments with many entries."""
    x = loss.inputs[name]
    chosen = directions(x.shape)
    slopes = [_slope(loss, name, direction) for direction in chosen]
    known = [slope for slope in slopes if slope is not None]
    if len(known) < len(chosen):
        return None
    value = np.array(known)
    if not _proved(loss, name, chosen[0], value, value[0]):
        return None
    # Each slope is a sum over all outputs, and sums are rounded.
    rounded = 32 * EPS * np.max(np.abs(value))
    return Reference(NAME, value, np.full(len(chosen), lost(loss, _step(x)) + rounded), chosen)


def valid(loss: Loss, name: str) -> bool:
    """Whether it is the derivative, as far as one direction tells."""
    witness, *_ = directions(loss.inputs[name].shape)
    slope = _slope(loss, name, witness)
    return slope is not None and _proved(loss, name, witness, np.array([slope]), slope)


def _slope(loss: Loss, name: str, direction: Array) -> float | None:
    """The derivative along ``direction``; None where complex numbers do not come through."""
    step = _step(loss.inputs[name])
    moved = loss.inputs[name] + 1j * step * direction
    return through(loss, {**loss.inputs, name: moved}, step)


def through(loss: Loss, inputs: Mapping[str, Any], step: float) -> float | None:
    """The slope where the imaginary parts of some inputs are ``step`` times a direction; None where
    complex numbers do not come through.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            outputs = loss.forward(inputs)
        except Exception:  # whatever the author's code cannot do with complex numbers
            return None
    if not all(map(same, loss.plain, outputs)):
        return None
    pairs = zip(loss.cotangents, outputs, strict=True)
    return sum(float(np.sum(d * np.imag(out) / step)) for d, out in pairs)


def _proved(loss: Loss, name: str, direction: Array, value: Array, slope: float) -> bool:
    """Whether differences see the same slope along a direction."""
    seen, bound = finite_differences.along(loss, name, direction)
    return abs(seen - slope) <= _LOOSE * float(np.sum(np.abs(value))) + bound


def _step(x: Array) -> float:
    return _STEP * (float(np.max(np.abs(x), initial=0.0)) or 1.0)


def lost(loss: Loss, step: float) -> float:
    """What results below the normal range may have lost of a slope."""
    return _UNDERFLOW / step * loss.cotangent_size


def same(real: Array, moved: Array) -> bool:
    """Equal real parts, up to the rounding of another code path (complex products round anew)."""
    return bool(np.isfinite(moved).all()) and close(np.real(moved), real, _SAME)
