"""Which value a line would need for the gradients to come out right, whatever the line is called.

It is the solution of a linear system (response.py). Lines for which it has none cannot be what is
wrong, and edits of the others are tried against the solution alone, without running anything.
"""

import ast
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array
from gradcheck.lines.budget import Budget
from gradcheck.lines.drawn import Drawn
from gradcheck.lines.edits.edit import Edit
from gradcheck.lines.instrument import Change, Line
from gradcheck.lines.response import SOLVED, Needed, Response, flat, increment, response, setting
from gradcheck.lines.trial import Bench
from gradcheck.source.evaluate import Evaluator

_SOLVING = 20  # what a linear system costs, in statements


@dataclass(frozen=True)
class Wanted:
    """What a line should give on one draw: in each space that it ran in, a value.

    ``shows`` maps the entries of all values to what the gradients see of them.
    """

    spaces: tuple[dict[str, Any], ...]
    values: Array
    shows: Array

    @property
    def whole(self) -> bool:
        """Whether the gradients show every entry."""
        return bool(np.linalg.matrix_rank(self.shows) == self.shows.shape[1])

    def fits(
        self,
        line: Line,
        expression: ast.expr,
        evaluators: Sequence[Evaluator],
    ) -> bool:
        """Whether the line has the value with another right-hand side; nonsense may raise."""
        found = [flat(increment(line, expression, one)) for one in evaluators]
        values = np.concatenate(found) if found else np.zeros(0)
        if values.shape != self.values.shape:
            return False
        off = self.shows @ (values - self.values)
        return bool(np.max(np.abs(off), initial=0.0) <= 10 * SOLVED)


def wanted(
    bench: Bench, response: Response, active: Mapping[int, Change], needed: Needed
) -> dict[int, Wanted]:
    """Run with the needed changes in place: the spaces in which edits of the lines are judged."""
    lines = {line.key: line for line in bench.script.lines}
    spaces: dict[int, list[dict[str, Any]]] = {key: [] for key in needed.changes}
    values = {key: response.values[key] + change for key, change in needed.changes.items()}
    changes = {key: setting(lines[key], values[key], spaces[key]) for key in values}
    bench.run(response.drawn, {**active, **changes})
    return {key: Wanted(tuple(spaces[key]), values[key], needed.shows[key]) for key in values}


class Values:
    """The lines of a script that a change of value could mend, and the values that they need."""

    def __init__(self, bench: Bench, lines: Sequence[Line], active: Mapping[int, Change]) -> None:
        self.bench, self.active = bench, active
        self.answers = [response(bench, drawn, lines, active) for drawn in bench.draws]
        known = set.intersection(*(set(one.gradients) for one in self.answers))
        self.lines = [line for line in lines if line.key in known]
        self._needed: dict[tuple[tuple[int, ...], frozenset[str]], list[Needed] | None] = {}
        self._targets: dict[tuple[int, frozenset[str]], Targets] = {}

    def needed(self, keys: tuple[int, ...], names: frozenset[str]) -> list[Needed] | None:
        """On each draw the changes of the lines that repair the names; None if there are none."""
        if (keys, names) not in self._needed:
            self.bench.budget.spend(_SOLVING * len(self.answers))
            found: list[Needed] | None = []
            for answer in self.answers:
                one = answer.needed(keys, sorted(names & set(answer.names)))
                if one is None:
                    found = None
                    break
                assert found is not None
                found.append(one)
            self._needed[keys, names] = found
        return self._needed[keys, names]

    def alone(self, key: int, names: frozenset[str]) -> bool:
        """Whether the line repairs the names by its value."""
        return self.needed((key,), names) is not None

    def proved(self, key: int, names: frozenset[str]) -> bool:
        """The same where that says something: the line could not repair anything whatever."""
        found = self.needed((key,), names)
        return found is not None and not any(one.idle for one in found)

    def change(self, line: Line, names: frozenset[str], draws: Iterable[Drawn]) -> Change | None:
        """Give the line the value that it needs on any of the draws; None if one has none."""
        settings: dict[int, Change] = {}
        for drawn in draws:
            answer = response(self.bench, drawn, [line], self.active)
            if line.key not in answer.gradients:
                return None
            found = answer.needed((line.key,), sorted(names & set(answer.names)))
            if found is None:
                return None
            values = answer.values[line.key] + found.changes[line.key]
            settings[id(drawn.scope)] = setting(line, values)
        hooks = self.bench.script.hooks
        return lambda space: settings[id(hooks.scope)](space)

    def error(self, key: int, names: frozenset[str]) -> float | None:
        """By how much the line's value is off, relative to its largest entry, if that is known."""
        known = all(key in answer.gradients for answer in self.answers)
        found = self.needed((key,), names) if known else None
        if (
            found is None
            or np.linalg.matrix_rank(found[0].shows[key]) < found[0].shows[key].shape[1]
        ):
            return None
        change = found[0].changes[key]
        size = np.max(np.abs(self.answers[0].values[key] + change), initial=0.0)
        off = float(np.max(np.abs(change), initial=0.0))
        return off / float(size) if size else off

    def repairable(self, right: frozenset[str], red: frozenset[str]) -> Iterator[frozenset[str]]:
        """What a single line can repair: all that is red if any can, then the largest parts."""
        parts = set()
        for line in self.lines:
            each = frozenset(n for n in red if self.alone(line.key, right | {n}))
            if each and self.alone(line.key, right | each):
                parts.add(each)
            else:
                parts |= {frozenset([name]) for name in each}
        yield from sorted(parts, key=lambda part: (-len(part), sorted(part)))

    def together(self, names: frozenset[str]) -> Iterator[tuple[int, int]]:
        """Pairs of lines that repair the names, though neither does alone."""
        budget, begun = self.bench.budget, self.bench.budget.spent
        for one, other in itertools.combinations([line.key for line in self.lines], 2):
            if not budget.allows((line.number for line in self.lines), begun):
                return
            if self.alone(one, names) or self.alone(other, names):
                continue
            if (found := self.needed((one, other), names)) and not any(n.idle for n in found):
                yield one, other

    def targets(
        self, keys: tuple[int, ...], names: frozenset[str]
    ) -> Iterator[tuple[Line, "Targets"]]:
        """What each of the lines should give for the names to come out right."""
        found = self.needed(keys, names)
        assert found is not None
        drawn = [
            wanted(self.bench, answer, self.active, one)
            for answer, one in zip(self.answers, found, strict=True)
        ]
        lines = {line.key: line for line in self.lines}
        for key in keys:
            wanted_of = [one[key] for one in drawn]
            yield lines[key], Targets(lines[key], wanted_of, self.bench.budget)

    def fits(self, line: Line, edit: Edit, names: frozenset[str]) -> bool:
        """Whether an edit gives the line a value that repairs the names."""
        if (line.key, names) not in self._targets:
            ((_, targets),) = self.targets((line.key,), names)
            self._targets[line.key, names] = targets
        return self._targets[line.key, names].fit(line, edit)


class Targets:
    """What a line should give on each draw; edits of it are judged against that alone."""

    def __init__(self, line: Line, drawn: Sequence[Wanted], budget: Budget) -> None:
        self._budget = budget
        # Where the gradients do not show the whole value, the spaces are not known either.
        self.drawn = [
            (one, [Evaluator(space, [line.expression]) for space in one.spaces])
            for one in drawn
            if one.whole
        ]

    def fit(self, line: Line, edit: Edit) -> bool:
        """Whether an edit may be what is wanted; of some only a run can tell."""
        if edit.sign is not None or edit.instead is not None or not self.drawn:
            return True
        self._budget.spend(sum(len(evaluators) for _, evaluators in self.drawn))
        try:
            return all(
                one.fits(line, edit.expression, evaluators) for one, evaluators in self.drawn
            )
        except Exception:  # most edits are nonsense
            return False
