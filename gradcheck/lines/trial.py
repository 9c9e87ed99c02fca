"""Try changes of a script's lines on a few draws, and see which gradients come out right."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.arrays import arrays_in, close
from gradcheck.cells.cell import Array, Backward, Cell
from gradcheck.cells.returned import Unusable, gradients
from gradcheck.drawing import draw
from gradcheck.drawing.draw import Example
from gradcheck.evidence import Evidence
from gradcheck.lines.instrument import Change, Line, Script
from gradcheck.oracles import complex_step, finite_differences
from gradcheck.oracles.loss import Loss
from gradcheck.source.evaluate import compiled

CLOSE = 1e-10  # relative to the largest entry: far above rounding, far below any slip
_SATURATED = 1e-6  # the same where slopes such as 1 - tanh**2 have lost digits
_KNOWN = 1e-7  # how well the truth must be known, and rounding be small, for a draw to count
_UNDERFLOW = 1e-250  # what the complex step may lose of a gradient that is exactly zero


@dataclass
class Drawn:
    """One draw: the forward as it ran, and the true gradients of the arguments.

    ``truth`` leaves out those that rounding hides on this draw; they count as right.
    """

    inputs: dict[str, Any]
    cotangents: Sequence[Array]
    backward: Backward
    scope: dict[str, Any]
    truth: dict[str, Array]
    tolerances: dict[str, float]
    quantities: dict[str, Array | None] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()  # arguments for which backward returns None
    kept: list[tuple[Array, Array]] = field(default_factory=list)  # arrays and their contents

    def restore(self) -> None:
        """Undo what an edit wrote into an input or a forward value."""
        for array, contents in self.kept:
            np.copyto(array, contents)


class Bench:
    """A script on a few draws. ``right`` asks which gradients a set of changes makes right."""

    def __init__(
        self, script: Script, examples: Iterable[Example], telling: Iterable[Example] = ()
    ) -> None:
        self.script = script
        self.names = frozenset(argument.name for argument in script.cell.arguments)
        # A draw on which rounding hides one gradient is too coarse for the others as well (a
        # wrong one may look exact); but one that is known to tell something is kept.
        whole = [_drawn(script, example) for example in examples]
        drawn = [one for one in whole if one is not None and len(one.truth) == len(self.names)]
        self.draws = drawn + [d for example in telling if (d := _drawn(script, example))]

    def part(self, draws: Sequence[Drawn]) -> "Bench":
        """The bench with some of its draws."""
        smaller = Bench(self.script, ())
        smaller.draws = list(draws)
        return smaller

    def right(self, changes: Mapping[int, Change]) -> frozenset[str]:
        """The arguments whose gradients are right on every draw."""
        found = self.names
        for drawn in self.draws:
            found &= self._right_on(drawn, changes)
            if not found:
                break
        return found

    def repairs(self, changes: Mapping[int, Change], wanted: frozenset[str]) -> bool:
        """Whether at least the wanted gradients are right; stops at the first that is not."""
        return all(wanted <= self._right_on(drawn, changes) for drawn in self.draws)

    def repaired(
        self, changes: Mapping[int, Change], right: frozenset[str], red: frozenset[str]
    ) -> frozenset[str]:
        """The red gradients that the changes make right; none if they break one that is right."""
        found = red
        for drawn in self.draws:
            now = self._right_on(drawn, changes)
            found &= now
            if not found or not right <= now:
                return frozenset()
        return found

    def _right_on(self, drawn: Drawn, changes: Mapping[int, Change]) -> frozenset[str]:
        returned = self.run(drawn, changes)
        return frozenset(
            name
            for name, gradient in returned.items()
            if name not in drawn.truth
            or (gradient is not None and close(gradient, drawn.truth[name], drawn.tolerances[name]))
        )

    def run(self, drawn: Drawn, changes: Mapping[int, Change]) -> dict[str, Array | None]:
        """The gradients by the changed backward; None where there is no usable one."""
        hooks, cell = self.script.hooks, self.script.cell
        hooks.changes, hooks.scope, hooks.moved = dict(changes), drawn.scope, {}
        try:
            with np.errstate(all="ignore"):
                returned = drawn.backward([d.copy() for d in drawn.cotangents])
        except Exception:  # most edits are nonsense, and nonsense may raise anything
            return dict.fromkeys(self.names)
        finally:
            hooks.changes, hooks.scope = {}, {}
            if changes:
                drawn.restore()
        arguments = [drawn.inputs[argument.name] for argument in cell.arguments]
        found = gradients(cell, returned, arguments)
        return {name: None if isinstance(g, Unusable) else g for name, g in found.items()}

    def watched(
        self, drawn: Drawn, changes: Mapping[int, Change]
    ) -> tuple[dict[str, Array | None], dict[int, list[Any]], dict[int, dict[str, Any]]]:
        """The same, with what each line assigned and what it could see."""
        hooks = self.script.hooks
        hooks.watching, hooks.seen, hooks.spaces = True, {}, {}
        try:
            returned = self.run(drawn, changes)
        finally:
            hooks.watching = False
        return returned, hooks.seen, hooks.spaces

    def truth(self, drawn: Drawn, name: str) -> Array | None:
        """dL/d(name) of a quantity of the forward, found by moving it where it is assigned."""
        if name in self.names:
            return drawn.truth.get(name)
        if name not in drawn.quantities:
            drawn.quantities[name] = self._quantity(drawn, name)
        return drawn.quantities[name]

    def _quantity(self, drawn: Drawn, name: str) -> Array | None:
        value = drawn.scope.get(name)
        if not isinstance(value, np.ndarray | np.floating) or np.asarray(value).dtype.kind != "f":
            return None
        moved = f"move {name}"
        inputs = {**drawn.inputs, moved: np.zeros(np.shape(value))}
        hooks, cell = self.script.hooks, self.script.cell

        def forward(values: Mapping[str, Any]) -> tuple[Array, ...]:
            hooks.moved = {name: values[moved]}
            return around.forward({k: v for k, v in values.items() if k != moved})

        # This may happen in the middle of a run, whose changes and scope must not be touched.
        kept = hooks.scope, hooks.changes, hooks.watching
        hooks.scope, hooks.changes, hooks.watching = {}, {}, False
        try:
            around = cell.at(drawn.inputs)
            loss = Loss.at(forward, inputs, drawn.cotangents)
            exact = complex_step.gradient(loss, moved)
            return (exact or finite_differences.gradient(loss, moved)).value
        finally:
            hooks.scope, hooks.changes, hooks.watching = kept
            hooks.moved = {}


def _drawn(script: Script, example: Example) -> Drawn | None:
    """A draw, or None where the forward fails or has no finite value."""
    cell: Cell = script.cell
    if not draw.fits(cell, example):
        return None
    evidence = script.examiner.evidence(example)
    inputs = draw.writable(evidence.inputs)
    script.hooks.scope = {}
    try:
        if evidence.at_kink:
            return None
        script.hooks.scope = {}
        outputs, backward = cell.run(inputs)
        if not all(np.isfinite(output).all() for output in outputs):
            return None
        scope = dict(script.hooks.scope)
        references = {a.name: evidence.numeric.best(a.name) for a in cell.arguments}
    except Exception:  # the checks tell what is wrong with the forward; here there is no draw
        return None
    missing = _missing(cell, evidence)
    least = _SATURATED if example.regime in ("saturated", "huge") else CLOSE
    truth, tolerances = {}, {}
    for name, reference in references.items():
        scale = float(np.max(np.abs(reference.value), initial=0.0))
        noise = evidence.noise(name, with_twin=False)
        unknown = float(np.max(reference.error + noise, initial=0.0))
        if unknown <= max(_KNOWN * scale, _UNDERFLOW):
            truth[name] = reference.value
            tolerances[name] = max(least, 100 * unknown / scale if scale else 0.0)
    if not truth:
        return None
    held = [a for a in arrays_in([*inputs.values(), *scope.values()]) if isinstance(a, np.ndarray)]
    kept = [(array, array.copy()) for array in held if array.flags.writeable]
    return Drawn(inputs, evidence.cotangents, backward, scope, truth, tolerances, {}, missing, kept)


def _missing(cell: Cell, evidence: Evidence) -> frozenset[str]:
    """The arguments for which the backward returns None, or has not come to return anything."""
    names = [argument.name for argument in cell.arguments]
    try:
        returned = cell.run(draw.writable(evidence.inputs))[1](
            [d.copy() for d in evidence.cotangents]
        )
    except Exception:  # unfinished in another way; the checks print it
        return frozenset()
    if returned is None:
        return frozenset(names)
    if isinstance(returned, tuple | list) and len(returned) == len(names):
        return frozenset(n for n, g in zip(names, returned, strict=True) if g is None)
    return frozenset()


def change_of(line: Line, expression: ast.expr, sign: str | None = None) -> Change:
    """The change that gives a line another right-hand side, and perhaps another sign."""
    code = compiled(whole_value(line, expression, sign))
    return lambda space: eval(code, space)


def instead_of(line: Line, statement: ast.stmt) -> Change:
    """The change that executes another statement: it fills other entries of the line's target."""
    assert isinstance(line.statement, ast.Assign | ast.AugAssign)
    node = line.statement
    target = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
    own = compiled(ast.parse(ast.unparse(target), mode="eval").body)
    module = ast.fix_missing_locations(ast.Module([statement], []))
    code = compile(module, "<edit>", "exec")

    def change(space: dict[str, Any]) -> Any:
        exec(code, space)
        return eval(own, space)  # the line itself then writes what is there already

    return change


def whole_value(line: Line, expression: ast.expr, sign: str | None = None) -> ast.expr:
    """What a line assigns, given its right-hand side: ``a += b`` assigns a + b."""
    statement = line.statement
    operators: dict[str, ast.operator] = {"+=": ast.Add(), "-=": ast.Sub()}
    if isinstance(statement, ast.AugAssign):
        target: ast.expr = statement.target
        operator = statement.op if sign is None else operators.get(sign)
    elif isinstance(statement, ast.Assign) and sign in operators:
        target, operator = statement.targets[0], operators[sign]
    else:
        return expression
    if operator is None:
        return expression
    return ast.BinOp(ast.parse(ast.unparse(target), mode="eval").body, operator, expression)
