"""Ways to explain wrong gradients: by one line, by what names claim, by several lines at once.

Each gives the lines that it would mend, and what mends them; mend.py proves it on fresh draws.
"""

import ast
import itertools
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial

from gradcheck.lines.candidates import MOST_MENDS, Candidates, Mend, changed, different
from gradcheck.lines.claims import Claims
from gradcheck.lines.draws import probes
from gradcheck.lines.edits.edit import Edit
from gradcheck.lines.instrument import Change, Line, Script
from gradcheck.lines.needed import Targets, Values
from gradcheck.lines.raising import raising
from gradcheck.lines.trial import Bench

_MOST_LINES = 6  # wrong at once
_SMALL, _LARGE = 1.3, 2.6  # costs: of two lines mended at once, one must be a small edit
DEAREST = 0.25  # how much more than the best mend another may cost

Faults = dict[int, list[Mend]]  # mends of each line, by its key
Explained = tuple[Faults, dict[int, Change]]


class Strategies:
    """The ways to explain what is wrong with a script on a bench; ``fresh`` draws confirm."""

    def __init__(self, script: Script, bench: Bench, fresh: Bench, missing: frozenset[str]) -> None:
        self.script, self.bench, self.fresh, self.missing = script, bench, fresh, missing
        self.errors: dict[int, float | None] = {}
        self.lines = {line.key: line for line in script.lines}
        self.claims = Claims(script, bench, fresh)
        self.candidates = Candidates(script, bench, self.claims)

    def values(self, active: Mapping[int, Change]) -> Values:
        """The values that lines need, on draws that show all that is wrong."""
        probing = Bench(self.script, probes(self.script), budget=self.bench.budget)
        seen = bool(probing.draws) and probing.right(active) <= self.bench.right(active)
        return Values(probing if seen else self.bench, self.script.lines, active)

    def one(self, values: Values, wrong: frozenset[str]) -> Explained:
        """The one line that explains everything, if there is one, though perhaps without a mend."""
        found = self._single(values, wrong, {}, whole=True)
        # A smaller slip of a line that the values do not tell of comes before a large one.
        most = found[0][0][0].cost - 2 * DEAREST if found else float("inf")
        found = self._loose(values, wrong, {}, len(wrong), most) or found
        if found:
            line = found[0][0][1]
            self.errors[line.key] = values.error(line.key, self.bench.names)
            return {line.key: found[0]}, {line.key: found[0][0][2]}
        wanted = self.bench.names
        lines = [line for line in values.lines if values.proved(line.key, wanted)]
        lines = [line for line in lines if not isinstance(line.statement, ast.Return)]
        lines = [line for line in lines if not self.claims.kept(line)]
        # What its name claims can only tell on the first: the others may be fed by a wrong one.
        named = [line for line in lines[:1] if line.key in self.claims.suspects]
        for line in named if named else lines if len(lines) == 1 else []:
            draws = [*values.bench.draws, *self.bench.draws, *self.fresh.draws]
            change = values.change(line, wanted, draws)
            if change is not None:
                self.errors[line.key] = values.error(line.key, wanted)
                return {line.key: []}, {line.key: change}
        return {}, {}

    def by_names(self) -> Explained:
        """Mends for the lines whose value is not what their name claims."""
        chosen = self._needed(self.claims.suspects)
        base = self.bench.right(chosen)
        faults: Faults = {}
        active: dict[int, Change] = dict(chosen)
        for key in list(chosen):
            others = {k: c for k, c in active.items() if k != key}
            near = self.candidates.near(key)
            found = different(self._cheapest(near, others, base, self._claimed))
            if found:
                line = found[0][1]
                active.pop(key)
                active[line.key] = found[0][2]
                faults[line.key] = [mend for mend in found if mend[1].key == line.key]
            elif len(near) > 1 or len(chosen) > 1:  # it, or what feeds it: not proved which
                active.pop(key)
            else:
                faults[key] = []
        return faults, active

    def several(self, faults: Faults, active: Mapping[int, Change]) -> Explained:
        """Mends for one line or two at a time, by the values that they need."""
        faults, active = dict(faults), dict(active)
        expected = self.bench.names - self.missing
        numbers = [line.number for line in self.script.lines]
        while len(faults) < _MOST_LINES and (red := expected - self.bench.right(active)):
            if not self.bench.budget.allows(numbers):
                break
            values = self.values(active)
            found = (
                self._single(values, red, active)
                or self._pair(values, red, active)
                or self._loose(values, red, active, 1)
            )
            if not found:
                break
            for mends in found:
                line = mends[0][1]
                faults[line.key], active[line.key] = mends, mends[0][2]
        return faults, active

    def _single(
        self,
        values: Values,
        red: frozenset[str],
        active: Mapping[int, Change],
        *,
        whole: bool = False,
    ) -> list[list[Mend]]:
        """Mends of one line that repairs all that is red, or else of one that repairs the most.

        Lines that are not what their name claims come before those that are.
        """
        right = self.bench.right(active)
        for names in [red] if whole else values.repairable(right, red):
            lines = [line for line in values.lines if values.alone(line.key, right | names)]
            lines = [line for line in lines if not self._returns(line)]
            doubted = [line for line in lines if not self.claims.kept(line)]
            for chosen in (doubted, [line for line in lines if line not in doubted]):
                fits = partial(values.fits, names=right | names)
                found = self._cheapest(chosen, active, right | names, fits)
                if found:
                    least = min(edit.cost for edit, _, _ in found)
                    first = min(line.number for edit, line, _ in found if edit.cost == least)
                    mends = [mend for mend in found if mend[1].number == first]
                    return [different([mend for mend in mends if mend[1] is mends[0][1]])]
        return []

    def _pair(
        self, values: Values, red: frozenset[str], active: Mapping[int, Change]
    ) -> list[list[Mend]]:
        """Mends of two lines that together repair all that is red, one of them a small one."""
        wanted = self.bench.right(active) | red
        best: tuple[float, list[list[Mend]]] = (float("inf"), [])
        for pair in values.together(wanted):
            targets = dict(values.targets(pair, wanted))
            fitting = {line: self._fitting(line, to, _SMALL) for line, to in targets.items()}
            if not any(fitting.values()):
                continue
            for line, to in targets.items():
                fitting[line] = fitting[line] or self._fitting(line, to, _LARGE)
            for mends in itertools.product(*fitting.values()):
                cost = sum(edit.cost for edit, _, _ in mends)
                both = {**active, **{line.key: change for _, line, change in mends}}
                if cost >= best[0] or not self.bench.repairs(both, wanted):
                    continue
                if self.fresh.repairs(both, wanted):
                    best = cost, [[mend] for mend in mends]
        return best[1]

    def _fitting(self, line: Line, targets: Targets, most: float) -> list[Mend]:
        """The first few edits that give a line what it should."""
        close = (edit for edit, _ in self.candidates.of([line], most) if targets.fit(line, edit))
        mends = ((edit, line, changed(line, edit)) for edit in itertools.islice(close, 3))
        return [(edit, line, change) for edit, line, change in mends if change is not None]

    def _returns(self, line: Line) -> bool:
        """Whether it is the return of the backward itself, whose value could repair anything."""
        return isinstance(line.statement, ast.Return) and not line.loop

    def _cheapest(
        self,
        lines: Sequence[Line],
        others: Mapping[int, Change],
        wanted: frozenset[str],
        meant: Callable[[Line, Edit], bool],
    ) -> list[Mend]:
        """The cheapest edits that may be ``meant`` and make all wanted gradients right.

        Fresh draws confirm it of each.
        """
        found: list[Mend] = []
        seen: set[tuple[int, str | None, str]] = set()
        for edit, line in self.candidates.of(lines):
            if found and edit.cost > found[0][0].cost + DEAREST:
                break
            if not meant(line, edit) or (known := (line.key, edit.sign, edit.text)) in seen:
                continue
            seen.add(known)
            if (change := changed(line, edit)) is not None:
                changes = {**others, line.key: change}
                if self.bench.repairs(changes, wanted) and self.fresh.repairs(changes, wanted):
                    found.append((edit, line, change))
        return found

    def _claimed(self, line: Line, edit: Edit) -> bool:
        """Whether an edit gives a line what its name claims, if that can be told."""
        return not self.claims.judged(line) or self.claims.keeps(edit, line)

    def _needed(self, overrides: Mapping[int, Change]) -> dict[int, Change]:
        """The smallest part of the overrides that repairs as much as any part does."""
        chosen = dict(overrides)
        if not chosen:
            return {}
        best = len(self.bench.right(chosen))
        improved = True
        while improved and chosen:
            improved = False
            for key in list(chosen):
                without = {k: c for k, c in chosen.items() if k != key}
                count = len(self.bench.right(without))
                if count >= best:
                    chosen, best, improved = without, count, True
                    break
        before = self.bench.right({})
        return chosen if self.bench.right(chosen) - before else {}

    def _silent(self, line: Line) -> bool:
        """Whether its value alone says nothing."""
        return isinstance(line.statement, ast.For | ast.Expr) or self._returns(line)

    @cached_property
    def _raising(self) -> list[Line]:
        return raising(self.bench)

    def _loose(
        self,
        values: Values,
        red: frozenset[str],
        active: Mapping[int, Change],
        least: int,
        most: float = float("inf"),
    ) -> list[list[Mend]]:
        """Mends of a line whose value alone says nothing, or of where it goes: a run judges them.

        They repair all that is red, or the most of it, but no fewer than ``least`` gradients, and
        cost no more than ``most``.
        """
        right = self.bench.right(active)
        raising = [] if active else self._raising
        silent = [line for line in self.script.lines if line in raising or self._silent(line)]
        unknown = [line for line in self.script.lines if line not in values.lines]
        lines = [line for line in self.script.lines if line in (*silent, *unknown) or _fills(line)]
        candidates = (
            (edit, line)
            for edit, line in self.candidates.of([li for li in lines if li.key not in active], most)
            if edit.instead is not None
            or line in silent
            or (line in unknown and edit.cost <= _SMALL)
        )
        best: list[Mend] = []
        gained: frozenset[str] = frozenset()
        for edit, line in candidates:
            done = gained == red
            if done and (edit.cost > best[0][0].cost + DEAREST or len(best) == MOST_MENDS):
                break
            change = changed(line, edit)
            if change is None:
                continue
            repaired = self.bench.repaired({**active, line.key: change}, right, red)
            if len(repaired) < max(len(gained), least) or (repaired != gained and done):
                continue
            if not self.fresh.repairs({**active, line.key: change}, right | repaired):
                continue
            if len(repaired) > len(gained):
                best, gained = [(edit, line, change)], repaired
            elif repaired == gained and edit.cost <= best[0][0].cost + DEAREST:
                best.append((edit, line, change))
        if not best:
            return []
        first = min(best, key=lambda mend: (mend[0].cost, mend[1].number))[1]
        return [different([mend for mend in best if mend[1] is first])]


def _fills(line: Line) -> bool:
    """Whether it writes into an array: another part, or another array, may be meant."""
    node = line.statement
    targets = getattr(node, "targets", [])
    return isinstance(node, ast.AugAssign) or any(isinstance(t, ast.Subscript) for t in targets)
