"""What a wrong line might have been meant to be: its edits, the smallest slips of the pen first."""

import ast
import heapq
import itertools
from collections.abc import Iterator, Sequence

from gradcheck.lines.claims import Claims
from gradcheck.lines.edits.edit import Edit, Material
from gradcheck.lines.edits.every import edits
from gradcheck.lines.instrument import Change, Line, Script
from gradcheck.lines.material import gathered
from gradcheck.lines.statements import canonical
from gradcheck.lines.trial import Bench, change_of, instead_of

MOST_MENDS = 3

Mend = tuple[Edit, Line, Change]


class Candidates:
    """The edits of a script's lines, made when they are first asked for."""

    def __init__(self, script: Script, bench: Bench, claims: Claims) -> None:
        self._script, self._claims, self._drawn = script, claims, bench.draws[0]
        self._budget = bench.budget
        self._lines = {line.key: line for line in script.lines}
        self._edits: dict[int, list[Edit]] = {}
        _, self._seen, self._spaces = bench.watched(self._drawn, {})

    def of(self, lines: Sequence[Line], most: float = float("inf")) -> Iterator[tuple[Edit, Line]]:
        """The edits of some lines that cost no more than ``most``, the smallest first.

        As many as the budget of the search allows.
        """
        begun = self._budget.spent
        each = [zip(self._of(line), itertools.repeat(line)) for line in lines]
        for edit, line in heapq.merge(*each, key=lambda pair: pair[0].cost):
            if edit.cost > most:
                return
            if not self._budget.allows((one.number for one in lines), begun):
                return
            yield edit, line

    def near(self, key: int) -> list[Line]:
        """The line, those that build its name, and temporaries without a claim that feed it."""
        near, waiting = {key: self._lines[key]}, [self._lines[key]]
        while waiting:
            line = waiting.pop()
            read = {n.id for n in ast.walk(line.expression) if isinstance(n, ast.Name)}
            for other in self._script.lines:
                if other.absent or other.site != line.site:
                    continue
                feeds = bool(read & set(other.targets)) and other.key not in self._claims
                builds = bool(set(line.targets) & set(other.targets)) and line.key == key
                before = other.number < self._lines[key].number and not self._is_size(other)
                if other.key not in near and before and (feeds or builds):
                    near[other.key] = other
                    waiting.append(other)
        return list(near.values())

    def _of(self, line: Line) -> list[Edit]:
        if line.key not in self._edits:
            found = sorted(edits(line.statement, self._material(line)), key=lambda edit: edit.cost)
            self._edits[line.key] = found
            self._budget.spend(len(found))
        return self._edits[line.key]

    def _material(self, line: Line) -> Material:
        """What edits of the line may draw on, with true values where they are known."""
        space = self._spaces.get(line.key, self._drawn.scope)
        if self._claims.judged(line):
            space = self._claims.space(line)
        return gathered(self._script, self._drawn, line, space)

    def _is_size(self, line: Line) -> bool:
        values = self._seen.get(line.key, [])
        return bool(values) and isinstance(values[0], int)


def different(found: list[Mend]) -> list[Mend]:
    """The first few, without those that only order terms or factors otherwise."""
    forms: dict[tuple[int, str], Mend] = {}
    for edit, line, change in found:
        form = edit.text if edit.instead else f"{edit.sign} {canonical(edit.expression)}"
        forms.setdefault((line.key, form), (edit, line, change))
    return list(forms.values())[:MOST_MENDS]


def changed(line: Line, edit: Edit) -> Change | None:
    """What makes the edit of a line; None of a tree that does not compile: it is no mend."""
    try:
        if edit.instead is not None:
            return instead_of(line, edit.instead())
        return change_of(line, edit.expression, edit.sign)
    except Exception:
        return None
