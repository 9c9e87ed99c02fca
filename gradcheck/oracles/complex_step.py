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
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.cell import Array
from gradcheck.oracles import fd
from gradcheck.oracles.reference import Reference

NAME = "the complex step"

_STEP = 1e-20  # of the tensor's size: products of two imaginary parts vanish
_UNDERFLOW = 64 * float(np.finfo(float).tiny)  # what results below the normal range may lose
_LOOSE = 1e-6  # agreement with finite differences that rules out a lost term


def gradient(
    forward: fd.Forward,
    inputs: Mapping[str, Any],
    plain: Sequence[Array],
    cotangents: Sequence[Array],
    name: str,
) -> Reference | None:
    """d<cotangents, outputs>/d(inputs[name]), or None where the complex step is not valid.

    ``plain`` are the outputs on the inputs as they are.
    """
    x = inputs[name]
    value = np.zeros(x.shape)
    step = _STEP * (float(np.max(np.abs(x), initial=0.0)) or 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        for index in np.ndindex(x.shape):
            moved = x.astype(np.complex128)
            moved[index] += 1j * step
            try:
                outputs = forward({**inputs, name: moved})
            except Exception:  # whatever the author's code cannot do with complex numbers
                return None
            if not all(same(real, out) for real, out in zip(plain, outputs, strict=True)):
                return None
            value[index] = sum(
                float(np.sum(d * np.imag(out) / step))
                for d, out in zip(cotangents, outputs, strict=True)
            )
    # Not +-1: terms of two-decimal numbers cancel exactly often enough to hide a lost part.
    generator = np.random.default_rng(x.size)
    direction = generator.uniform(0.5, 1.5, x.shape) * generator.choice([-1.0, 1.0], x.shape)
    seen, bound = fd.along(forward, inputs, cotangents, name, direction)
    size = float(np.sum(np.abs(value)))
    if not abs(seen - np.sum(value * direction)) <= _LOOSE * size + bound:
        return None
    lost = _UNDERFLOW / step * sum(float(np.sum(np.abs(d))) for d in cotangents)
    return Reference(NAME, value, np.full(x.shape, lost))


def same(real: Array, moved: Array) -> bool:
    """Equal real parts, up to the rounding of another code path (complex products round anew)."""
    if not np.isfinite(moved).all():
        return False
    scale = float(np.max(np.abs(real), initial=0.0))
    return bool(np.all(np.abs(np.real(moved) - real) <= 1e-9 * scale))
