"""Try changes of a script's lines on a few draws, and see which gradients come out right."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.cells.returned import Unusable, gradients
from gradcheck.drawing.draw import Example
from gradcheck.lines import drawn as draws
from gradcheck.lines.budget import Budget
from gradcheck.lines.drawn import Drawn
from gradcheck.lines.instrument import Change, Line, Script
from gradcheck.oracles import complex_step, finite_differences
from gradcheck.oracles.loss import Loss
from gradcheck.source.evaluate import compiled


class Bench:
    """A script on a few draws. ``right`` asks which gradients a set of changes makes right."""

    def __init__(
        self,
        script: Script,
        examples: Iterable[Example],
        telling: Iterable[Example] = (),
        budget: Budget | None = None,
    ) -> None:
        self.script, self.budget = script, budget or Budget()
        self.names = frozenset(argument.name for argument in script.cell.arguments)
        made = [draws.drawn(script, example) for example in examples]
        made += [draws.drawn(script, example, telling=True) for example in telling]
        self.draws = [one for one in made if one is not None]
        self.raised: Exception | None = None  # by the last run

    def part(self, draws: Sequence[Drawn]) -> "Bench":
        """The bench with some of its draws."""
        smaller = Bench(self.script, (), budget=self.budget)
        smaller.draws = list(draws)
        return smaller

    def right(self, changes: Mapping[int, Change]) -> frozenset[str]:
        """The arguments whose gradients are right on every draw."""
        return self.repaired(changes, frozenset(), self.names)

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
            if name not in drawn.truth or (gradient is not None and drawn.is_right(name, gradient))
        )

    def run(self, drawn: Drawn, changes: Mapping[int, Change]) -> dict[str, Array | None]:
        """The gradients by the changed backward; None where there is no usable one."""
        hooks, cell = self.script.hooks, self.script.cell
        self.budget.spend(self.script.statements)
        hooks.changes, hooks.scope, hooks.moved = dict(changes), drawn.scope, {}
        self.raised = None
        try:
            with np.errstate(all="ignore"):
                returned = drawn.backward([d.copy() for d in drawn.cotangents])
        except Exception as error:  # most edits are nonsense, and nonsense may raise anything
            self.raised = error
            return dict.fromkeys(self.names)
        finally:
            hooks.changes, hooks.scope = {}, {}
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
