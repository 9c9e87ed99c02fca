"""Make a cell of a function in closure form: forward lines, then a nested ``backward``."""

import ast
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from gradcheck.cells import contracts as contract
from gradcheck.cells.cell import Argument, Array, Backward, Cell, Contract, Runner, Source
from gradcheck.cells.contracts import Watch
from gradcheck.cells.returned import described
from gradcheck.cells.shapes import Choice, Integers, parse
from gradcheck.drawing import draw
from gradcheck.drawing.draw import Example
from gradcheck.drawing.sizes import rising
from gradcheck.errors import CaseError, what_raised
from gradcheck.source import outputs as written

_LARGEST = 100_000  # entries of one argument at the sizes of the first run
_RETURN = "End the forward with `return (h, c), backward`, or `return y, backward`."
_BACKWARD = "backward"
_Backward = Callable[..., Any] | None  # None of a forward that is not derived yet


def closure(
    function: Callable[..., Any],
    source: Source | None = None,
    contracts: tuple[Contract, ...] = (),
    watch: Watch | None = None,
) -> Cell:
    """Make a cell of a function in closure form: forward lines, then a nested ``backward``.

    It is run once, on small numbers, to learn the names of its outputs. One that returns its
    outputs alone, or None for a backward, is a cell that is not derived yet. ``watch`` is what the
    function reports to where it declares ``contracts``.
    Raises CaseError with what to write if it is not in that form.
    """
    arguments, constants = _signature(function)
    run = _runner(function, source)
    name = function.__name__
    draft = Cell(name, arguments, constants, (), run, source)
    outputs, names, derived = _trial(draft, function)
    around = None
    if watch is not None and contracts:
        around = partial(contract.point, watch, lambda inputs: run(inputs)[0])
    widest = max((outputs[output].dtype for output in names), key=lambda dtype: dtype.itemsize)
    cell = Cell(name, arguments, constants, names, run, source, contracts, around, widest.name)
    cell = replace(cell, derived=derived)
    for argument, output in cell.states:
        expected, got = np.shape(outputs[argument]), np.shape(outputs[output])
        if expected != got:
            raise CaseError(
                f"{argument} has shape {expected} and {output} has shape {got}, but they are one "
                f"state: {output} is the next step's {argument}.\nGive them one shape, or one of "
                "them another name."
            )
    return cell


def shape_strings(function: Callable[..., Any]) -> dict[str, str]:
    """The shape strings among a function's annotations, by argument."""
    future = bool(function.__code__.co_flags & 0x1000000)  # `from __future__ import annotations`
    found = {}
    for name, annotation in function.__annotations__.items():
        if future:
            try:
                annotation = ast.literal_eval(annotation)
            except (ValueError, SyntaxError):
                continue
        if isinstance(annotation, str) and name != "return":
            found[name] = annotation
    return found


def _signature(
    function: Callable[..., Any],
) -> tuple[tuple[Argument, ...], tuple[Argument, ...]]:
    strings = shape_strings(function)
    arguments, constants = [], []
    for parameter in inspect.signature(function).parameters.values():
        name = parameter.name
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise CaseError(f"{parameter} has no shape.\nName every argument and give it a shape.")
        if parameter.kind is parameter.KEYWORD_ONLY:
            constants.append(_constant(parameter, strings.get(name)))
            continue
        if name not in strings:
            raise CaseError(
                f'{name} has no shape string.\nWrite {name}: "B H", or put a constant that is not '
                f"differentiated behind a star: `*, {name}=...`."
            )
        argument = Argument(name, _parse(name, strings[name]))
        if isinstance(argument.shape.domain, Integers | Choice):
            raise CaseError(
                f'{name}: "{strings[name]}" has separate values, and so no gradient.\n'
                f'Make it a constant, behind a star: `*, {name}: "{strings[name]}"`.'
            )
        if parameter.default is not parameter.empty:
            raise CaseError(
                f"{name} has a default value, but every argument is drawn.\nLeave the default out."
            )
        arguments.append(argument)
    if not arguments:
        raise CaseError("every argument is a constant: there is no gradient to check.")
    return tuple(arguments), tuple(constants)


def _parse(name: str, text: str) -> Any:
    try:
        return parse(text)
    except CaseError as error:
        raise CaseError(f"The shape string of {name} cannot be read: {error}") from None


def _constant(parameter: inspect.Parameter, text: str | None) -> Argument:
    name, default = parameter.name, parameter.default
    if text is not None:
        return Argument(name, _parse(name, text))
    if isinstance(default, int | float):
        return Argument(name, parse(""), value=default)
    given = "has no value" if default is parameter.empty else f"is {default!r}"
    raise CaseError(
        f"The constant {name} {given}, and no shape string says how to draw it.\n"
        f'Write a number, `*, {name}=0.9`, or a shape with a domain, `*, {name}: "B < V"`.'
    )


def _runner(function: Callable[..., Any], source: Source | None) -> Runner:
    signature = inspect.signature(function)
    positional = [p.name for p in signature.parameters.values() if p.kind is not p.KEYWORD_ONLY]
    keywords = [p.name for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY]

    def run(values: Mapping[str, object]) -> tuple[tuple[Array, ...], Backward]:
        # Overflow inside exp is the author's way to a correct sigmoid of -1000: what counts is
        # the result, and a NaN is caught there.
        with np.errstate(all="ignore"):
            given = {n: values[n] for n in keywords}
            result = _called(function, *(values[n] for n in positional), **given)
        outputs, backward = _taken_apart(function.__name__, result)
        if backward is None:
            return outputs, _not_derived

        def quiet(cotangents: Sequence[Array]) -> object:
            with np.errstate(all="ignore"):
                return _called(backward, *cotangents)

        quiet.__wrapped__ = backward  # type: ignore[attr-defined]  # inspect.signature looks here
        return outputs, quiet

    return run


def _not_derived(cotangents: Sequence[Array]) -> None:
    """The backward of a forward that has none yet: it returns nothing."""


def _called(function: Callable[..., Any], *positional: Any, **keywords: Any) -> Any:
    """Call the author's code; what would end the run, such as sys.exit, is an ordinary error."""
    try:
        return function(*positional, **keywords)
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise RuntimeError(f"{type(error).__name__} {error}".strip()) from error


def _taken_apart(name: str, result: object) -> tuple[tuple[Array, ...], _Backward]:
    match result:
        case tuple((outputs, backward)) if callable(backward) or backward is None:
            pass
        case np.ndarray() | np.floating() | np.complexfloating():
            outputs, backward = result, None
        case tuple() if result and all(map(_is_output, result)):
            outputs, backward = result, None
        case _:
            raise CaseError(f"{name} {_returned(result)}.\n{_RETURN}")
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    for k, output in enumerate(outputs):
        if not _is_output(output):
            raise CaseError(
                f"Output {k + 1} of {name} is {described(output)}, not a NumPy array.\n{_RETURN}"
            )
    return tuple(np.asarray(output) for output in outputs), backward


def _is_output(value: object) -> bool:
    return isinstance(value, np.ndarray | np.floating | np.complexfloating)


def _returned(result: object) -> str:
    """What a function returns that are no outputs."""
    if result is None:
        return "returns nothing"
    if isinstance(result, tuple):
        kinds = ", ".join(type(part).__name__ for part in result)
        return f"returns a tuple of {len(result)} ({kinds}), not outputs and backward"
    return f"returns {described(result)} alone, without its backward"


def _trial(
    draft: Cell, function: Callable[..., Any]
) -> tuple[dict[str, Array], tuple[str, ...], bool]:
    """Run once with sizes 2, 3, 4, ...: the values by name, the names of the outputs, and whether
    there is a backward.
    """
    sizes = rising(draft.size_names)
    example = Example(tuple(sizes.items()), seed=0)
    if not draw.fits(draft, example):
        raise CaseError(f"An axis has a negative size at {example}.\nWrite axes that stay above 0.")
    for argument in draft.arguments + draft.constants:
        if math.prod(argument.shape.sizes(sizes)) > _LARGEST:
            raise CaseError(
                f"{argument.name} has shape {argument.shape.sizes(sizes)} at {example}, too "
                f"large to be checked entry by entry.\nWrite smaller numbers, or names."
            )
    values = draw.writable(draw.inputs(draft, example))
    try:
        outputs, backward = draft.run(values)
    except CaseError:
        raise
    except Exception as error:
        path = draft.source.path if draft.source else None
        said = what_raised(error, path)
        raise CaseError(f"Its forward fails at {example} with {said}") from None
    derived = backward is not _not_derived
    if derived:
        names = _output_names(backward, len(outputs))
    elif _BACKWARD in {getattr(part, "co_name", None) for part in function.__code__.co_consts}:
        raise CaseError(f"{draft.name} does not return its {_BACKWARD}.\n{_RETURN}")
    else:
        names = written.names(function, len(outputs))
    for name, output in zip(names, outputs, strict=True):
        if output.dtype.kind != "f":
            raise CaseError(
                f"{name} is {output.dtype} although every input is float64.\nRemove the cast, or "
                "the buffer of another type, that it went through."
            )
    return {**values, **dict(zip(names, outputs, strict=True))}, names, derived


def _output_names(backward: Backward, count: int) -> tuple[str, ...]:
    parameters = list(inspect.signature(backward).parameters.values())
    given = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(given) != count or len(given) != len(parameters):
        listed = ", ".join(str(p) for p in parameters)
        raise CaseError(
            f"backward({listed}) should take one cotangent for each output, and there "
            f"{'is 1 output' if count == 1 else f'are {count} outputs'}.\nName them after the "
            "outputs: `def backward(dh, dc):` for `return (h, c), backward`."
        )
    for name in given:
        if not name.startswith("d") or name == "d":
            raise CaseError(
                f"backward's parameter {name} does not name an output.\n"
                'Write "d" and the name of the output: dh is the cotangent of h.'
            )
    return tuple(name.removeprefix("d") for name in given)
