"""Autograd of the twin: the same cell in PyTorch, float64, differentiated by PyTorch.

float64 always: in float32 the native CPU LSTM has a hand-written backward of its own, and one
hand-written backward would be compared with another.
"""

import inspect
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gradcheck.cells import unrolled
from gradcheck.cells.cell import Array, Cell
from gradcheck.errors import CaseError, shown_path

Tensors = tuple[torch.Tensor, ...]

_SMALL = 2**15

if "PYTEST_XDIST_WORKER" in os.environ:
    torch.set_num_threads(1)  # the cores belong to the workers; threads would wait for each other


@dataclass(frozen=True)
class Twin:
    """A cell in PyTorch, forward only: ``forward(inputs by name) -> outputs in order``."""

    forward: Callable[[Mapping[str, Any]], Tensors]
    path: Path | None


def twin(cell: Cell, function: Callable[..., Any], path: Path | None = None) -> Twin:
    """A PyTorch function as the twin of a cell; ``path`` is where it is written.

    Raises CaseError if it does not take the cell's arguments by their names.
    """
    called = f"{shown_path(path)}: {cell.name}" if path else getattr(function, "__name__", "twin")
    wanted = [argument.name for argument in cell.arguments + cell.constants]
    parameters = inspect.signature(function).parameters
    if list(parameters) != wanted:
        raise CaseError(
            f"{called} takes ({', '.join(parameters)}), its case takes "
            f"({', '.join(wanted)}).\nWrite `def {cell.name}({', '.join(wanted)}):`."
        )
    keywords = [name for name, one in parameters.items() if one.kind is one.KEYWORD_ONLY]

    def forward(values: Mapping[str, Any]) -> Tensors:
        positional = [values[name] for name in wanted if name not in keywords]
        result = function(*positional, **{name: values[name] for name in keywords})
        return _outputs(cell, called, result)

    return Twin(forward, path)


def _outputs(cell: Cell, called: str, result: object) -> Tensors:
    outputs = result if isinstance(result, tuple) else (result,)
    if len(outputs) == len(cell.outputs) and all(isinstance(o, torch.Tensor) for o in outputs):
        return outputs
    kinds = ", ".join(type(output).__name__ for output in outputs)
    raise CaseError(
        f"{called} returns ({kinds}), its case returns "
        f"({', '.join(cell.outputs)}).\nReturn the same outputs as tensors, in the same order."
    )


def over_time(twin: Twin, cell: Cell) -> Twin:
    """The twin of the unrolled cell: the twin's steps, one after the other."""

    stepped = unrolled.per_step(cell)

    def zeros(length: int) -> torch.Tensor:
        return torch.zeros(length, dtype=torch.float64)

    def forward(values: Mapping[str, Any]) -> Tensors:
        return unrolled.forward(cell, stepped, twin.forward, values, torch.stack, zeros)

    return Twin(forward, twin.path)


def run(
    twin: Twin,
    cell: Cell,
    inputs: Mapping[str, Any],
    cotangents: Callable[[tuple[Array, ...]], Sequence[Array]],
) -> tuple[tuple[Array, ...], dict[str, Array]]:
    """The twin's outputs and, for cotangents made from them, its gradients by argument name."""
    return _run(twin, cell, inputs, cotangents, nullcontext())


def disturbed(
    twin: Twin, cell: Cell, inputs: Mapping[str, Any], cotangents: Sequence[Array], seed: int
) -> tuple[tuple[Array, ...], dict[str, Array]]:
    """Outputs and gradients with every operation's result moved by up to one rounding error."""
    generator = torch.Generator().manual_seed(seed)
    return _run(twin, cell, inputs, lambda _: cotangents, _Disturb(generator))


def _run(
    twin: Twin,
    cell: Cell,
    inputs: Mapping[str, Any],
    cotangents: Callable[[tuple[Array, ...]], Sequence[Array]],
    mode: AbstractContextManager[Any],
) -> tuple[tuple[Array, ...], dict[str, Array]]:
    tensors = {
        name: _tensor(value) if isinstance(value, np.ndarray) else value
        for name, value in inputs.items()
    }
    leaves = [tensors[argument.name].requires_grad_() for argument in cell.arguments]
    with _threads(sum(leaf.numel() for leaf in leaves)), mode:
        outputs = twin.forward(tensors)
        values = tuple(output.detach().numpy() for output in outputs)
        given = [_tensor(cotangent) for cotangent in cotangents(values)]
        pairs = [(o, d) for o, d in zip(outputs, given, strict=True) if o.requires_grad]
        if not pairs:
            return values, {a.name: np.zeros(inputs[a.name].shape) for a in cell.arguments}
        gradients = torch.autograd.grad(
            [output for output, _ in pairs],
            leaves,
            [cotangent for _, cotangent in pairs],
            materialize_grads=True,  # an argument that the twin ignores has a zero gradient
        )
    names = [argument.name for argument in cell.arguments]
    return values, {n: g.numpy() for n, g in zip(names, gradients, strict=True)}


@contextmanager
def _threads(entries: int) -> Iterator[None]:
    """One thread for small tensors, where several only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1 if entries < _SMALL else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _tensor(array: Array) -> torch.Tensor:
    # A copy, because PyTorch has no negative strides; in float64 whatever the case is in.
    dtype = np.float64 if array.dtype.kind == "f" else array.dtype
    return torch.from_numpy(np.array(array, dtype, order="C"))


class _Disturb(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Multiply every floating-point result by 1 + eps * u, u uniform in [-1, 1]."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._generator = generator

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if any(returned.alias_info is not None for returned in func._schema.returns):
            return result  # a view of an operand, or the operand itself: nothing was rounded
        if isinstance(result, torch.Tensor):
            return self._moved(result)
        if isinstance(result, tuple | list):
            return type(result)(
                self._moved(part) if isinstance(part, torch.Tensor) else part for part in result
            )
        return result

    def _moved(self, tensor: torch.Tensor) -> torch.Tensor:
        if tensor.dtype is torch.complex128:  # the two parts are rounded apart
            return torch.complex(self._moved(tensor.real), self._moved(tensor.imag))
        if tensor.dtype is not torch.float64:
            return tensor
        draw = torch.rand(tensor.shape, generator=self._generator, dtype=torch.float64)
        # Relative, so that an exact zero stays one: a relu's mask must not flip.
        return tensor * (1 + torch.finfo(torch.float64).eps * (2 * draw - 1))
