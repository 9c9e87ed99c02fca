"""The other gradient checkers, one adapter each: the same NumPy step, in the form that the peer
documents for a backward written by hand.

A judge returns None if the checker is content, and otherwise its complaint.
"""

import importlib
import importlib.util
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from types import FrameType
from typing import Any

import numpy as np

from benchmarks.draws import Draw, cotangents, inputs
from benchmarks.faults import RIGHT, Step, step
from gradcheck.cells.cell import Array

Judge = Callable[[Step, Draw], str | None]


@dataclass(frozen=True)
class Peer:
    """``settings`` are in the peer's own words; ``needs`` is the module to import."""

    name: str
    needs: str
    settings: str
    judge: Judge

    @property
    def installed(self) -> bool:
        return importlib.util.find_spec(self.needs) is not None


class OverTime(BaseException):
    """A check took longer than it may. Not an Exception, so that no checker takes it for one."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise OverTime in the body when the time is up."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise OverTime

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# torch.autograd.gradcheck, of a custom autograd.Function.


def _torch(made: Step, drawn: Draw, **settings: Any) -> str | None:
    import torch
    from torch.autograd.gradcheck import GradcheckError

    class Hand(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *given: Any) -> Any:
            outputs, ctx.by_hand = made(*(tensor.detach().numpy() for tensor in given))
            return tuple(torch.from_numpy(output) for output in outputs)

        @staticmethod
        def backward(ctx: Any, *d: Any) -> Any:
            found = ctx.by_hand(*(tensor.numpy() for tensor in d))
            return tuple(torch.from_numpy(np.array(gradient)) for gradient in found)

    given = [torch.from_numpy(array).requires_grad_() for array in inputs(drawn)]
    with _spared(drawn, settings):
        try:
            torch.autograd.gradcheck(Hand.apply, given, **settings)
        except GradcheckError as error:
            return str(error)
    return None


_jacobians: dict[str, Any] = {}


@contextmanager
def _spared(drawn: Draw, settings: dict[str, Any]) -> Iterator[None]:
    """Spare what is no part of a verdict.

    The slow mode's numeric Jacobian is kept for the next fault on the same draw, as all faults
    share one forward; and the slow mode is not run to print a failure of the fast one.
    """
    module = importlib.import_module("torch.autograd.gradcheck")
    jacobian, message = "_get_numerical_jacobian", "_run_slow_mode_and_get_error"
    originals = {name: getattr(module, name) for name in (jacobian, message)}
    key = f"{drawn} {settings.get('eps')}"

    def numeric(*positional: Any, **keywords: Any) -> Any:
        if key not in _jacobians:
            _jacobians.clear()
            _jacobians[key] = originals[jacobian](*positional, **keywords)
        return _jacobians[key]

    setattr(module, jacobian, numeric)
    setattr(module, message, lambda *given, **more: "")
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(module, name, original)


# JAX check_grads, of a function with a custom_vjp that calls NumPy back.


def _jax(made: Step, drawn: Draw, **settings: Any) -> str | None:
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    logging.getLogger("jax").setLevel(logging.CRITICAL)  # tracebacks of what a fault raises
    _called.append(made)
    try:
        check_grads(_jax_function(), inputs(drawn), order=1, modes=["rev"], **settings)
    except (AssertionError, jax.errors.JaxRuntimeError, ValueError) as error:
        return str(error)
    finally:
        _called.clear()
    return None


_called: list[Step] = []  # the step that the one function calls


@cache
def _jax_function() -> Any:
    """One function for every step: JAX keeps what it compiles, for each function anew."""
    import jax

    def shapes(arrays: Any) -> Any:
        return tuple(jax.ShapeDtypeStruct(array.shape, array.dtype) for array in arrays)

    def forward(*arrays: Any) -> Any:
        return _called[-1](*map(np.asarray, arrays))[0]

    def by_hand(arrays: Any, d: Any) -> Any:
        return _called[-1](*map(np.asarray, arrays))[1](*map(np.asarray, d))

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def function(*arrays: Any) -> Any:
        return jax.pure_callback(forward, shapes(arrays[1:3]), *arrays)

    function.defvjp(
        lambda *arrays: (function(*arrays), arrays),
        lambda arrays, d: jax.pure_callback(by_hand, shapes(arrays), arrays, d),
    )
    return function


# HIPS autograd's check_grads, of a primitive.


def _autograd(made: Step, drawn: Draw) -> str | None:
    from autograd.extend import defvjp_argnums, primitive
    from autograd.test_util import check_grads

    @primitive  # type: ignore[untyped-decorator]
    def function(*arrays: Array) -> Array:
        return np.stack(made(*arrays)[0])

    def vjp(argnums: Any, answer: Array, arrays: Any, keywords: Any) -> Any:
        _, backward = made(*arrays)
        return lambda d: tuple(backward(d[0], d[1])[k] for k in argnums)

    defvjp_argnums(function, vjp)
    given = inputs(drawn)
    np.random.seed(drawn.seed)  # noqa: NPY002  its directions come from the global generator
    try:
        check_grads(function, tuple(range(len(given))), modes=["rev"], order=1)(*given)
    except AssertionError as error:
        return str(error)
    return None


# The recipe of CS231n's assignments: numeric gradients and their relative errors, for the eye.


def _cs231n(made: Step, drawn: Draw, threshold: float) -> str | None:
    given, d = inputs(drawn), cotangents(drawn)
    _, backward = made(*given)
    found = backward(*(array.copy() for array in d))
    errors = [_rel_error(ours, theirs) for ours, theirs in zip(found, _numeric(drawn), strict=True)]
    worst = max(errors)
    return None if worst < threshold else f"relative error {worst:.0e}"


@lru_cache(maxsize=1)
def _numeric(drawn: Draw) -> tuple[Array, ...]:
    """eval_numerical_gradient_array of every argument; the forward has no fault, so once."""
    made, given, d = step(RIGHT), inputs(drawn), cotangents(drawn)
    return tuple(_numeric_array(partial(made, *given), array, d) for array in given)


def _numeric_array(
    run: Callable[[], Any], x: Array, df: tuple[Array, Array], h: float = 1e-5
) -> Array:
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        x[index] = kept + h
        above, _ = run()
        x[index] = kept - h
        below, _ = run()
        x[index] = kept
        pairs = zip(above, below, df, strict=True)
        gradient[index] = sum(np.sum((p - m) * d) for p, m, d in pairs) / (2 * h)
    return gradient


def _rel_error(x: Array, y: Array) -> float:
    return float(np.max(np.abs(x - y) / np.maximum(1e-8, np.abs(x) + np.abs(y))))


def clear() -> None:
    """Forget what was kept between two checks, for a fair time."""
    _jacobians.clear()
    _numeric.cache_clear()


PEERS = (
    Peer("torch slow", "torch", "gradcheck(f, inputs)", _torch),
    Peer("torch fast", "torch", "gradcheck(f, inputs, fast_mode=True)",
         partial(_torch, fast_mode=True)),
    Peer("JAX", "jax", 'check_grads(f, args, order=1, modes=["rev"]), x64', _jax),
    Peer("autograd", "autograd", 'check_grads(f, modes=["rev"], order=1)', _autograd),
    Peer("CS231n", "numpy", "h=1e-5, any relative error >= 1e-6", partial(_cs231n, threshold=1e-6)),
)  # fmt: skip

# Sharper settings, chosen by hand; their false alarms are measured too. autograd has none to set.
BEST = (
    Peer("torch slow", "torch", "eps=1e-5, atol=1e-8, rtol=1e-6",
         partial(_torch, eps=1e-5, atol=1e-8, rtol=1e-6)),
    Peer("torch fast", "torch", "fast_mode=True, eps=1e-5, atol=1e-9, rtol=1e-6",
         partial(_torch, fast_mode=True, eps=1e-5, atol=1e-9, rtol=1e-6)),
    Peer("JAX", "jax", "eps=1e-5, atol=1e-6, rtol=1e-6",
         partial(_jax, eps=1e-5, atol=1e-6, rtol=1e-6)),
    Peer("CS231n", "numpy", "h=1e-5, any relative error >= 1e-7",
         partial(_cs231n, threshold=1e-7)),
)  # fmt: skip
