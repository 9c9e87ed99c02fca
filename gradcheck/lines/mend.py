"""Find the wrong lines of a backward, prove each, and say what it should have been.

A line is accused only if changing it, and nothing else that is not needed, makes wrong
gradients right: by a small edit of its text, or by giving its name the true value. Both are
verified on draws that the search has not seen. What cannot be proved so is not accused.
"""

import ast
import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gradcheck.drawing.draw import Example
from gradcheck.lines.candidates import MOST_MENDS, Candidates, Mend, changed, different
from gradcheck.lines.claims import Claims
from gradcheck.lines.draws import examples, probes
from gradcheck.lines.edits.edit import Edit
from gradcheck.lines.findings import Fault, Findings, doubts
from gradcheck.lines.influence import influence
from gradcheck.lines.instrument import Change, Line, Script
from gradcheck.lines.needed import Targets, Values
from gradcheck.lines.statements import statement
from gradcheck.lines.trial import Bench

_MOST_LINES = 6  # wrong at once
_MOST_TRIALS = 2_000  # of one search: a budget in runs, not in seconds, the same on every machine
_SMALL, _LARGE = 1.3, 2.6  # costs: of two lines mended at once, one must be a small edit
_DEAREST = 0.25  # how much more than the best mend another may cost


@np.errstate(all="ignore")
def find(script: Script, telling: Sequence[Example] = ()) -> Findings:
    """The faults of a script; ``telling`` are examples that are known to show one."""
    fresh = Bench(script, examples(script), telling)
    if not fresh.draws:
        return Findings(frozenset(), bench=fresh)
    missing = frozenset.union(*(drawn.missing for drawn in fresh.draws))
    ordinary = fresh.part(fresh.draws[:2])
    wrong = fresh.names - fresh.right({}) - missing
    hidden = wrong - (ordinary.names - ordinary.right({}))
    special = [d for d in fresh.draws[2:] if hidden - fresh.part([d]).right({})][:3]
    bench = fresh.part([*special, *ordinary.draws] if hidden else ordinary.draws)
    if not wrong and not missing:
        return Findings(wrong, bench=bench, draws=tuple(fresh.draws))
    return _Search(script, bench, fresh, missing).findings(wrong)


_Faults = dict[int, list[Mend]]


class _Search:
    """One search for the faults of a script."""

    def __init__(self, script: Script, bench: Bench, fresh: Bench, missing: frozenset[str]) -> None:
        self.script, self.bench, self.fresh, self.missing = script, bench, fresh, missing
        self.errors: dict[int, float | None] = {}
        self.lines = {line.key: line for line in script.lines}
        self.claims = Claims(script, bench, fresh)
        self.candidates = Candidates(script, bench, self.claims)

    def findings(self, wrong: frozenset[str]) -> Findings:
        """The faults that leave the fewest doubts: one line, those that names tell, or several."""
        if self.missing or not wrong:
            return self._proved(wrong, *(self._by_names() if wrong else ({}, {})))
        values = self._values({})
        by_name: tuple[_Faults, dict[int, Change]] = {}, {}
        best = self._proved(wrong, *self._one(values, wrong))
        if not best.settled:
            by_name = self._by_names()
            best = min(best, self._proved(wrong, *by_name), key=doubts)
        for start in ({}, {}), by_name:
            if not best.settled:
                found = self._proved(wrong, *self._several(*start))
                # A part that can be explained by itself may be fed by what is not explained yet.
                best = best if found.unexplained else min(best, found, key=doubts)
        return best

    def _values(self, active: Mapping[int, Change]) -> Values:
        """The values that lines need, on draws that show all that is wrong."""
        probing = Bench(self.script, probes(self.script))
        seen = bool(probing.draws) and probing.right(active) <= self.bench.right(active)
        return Values(probing if seen else self.bench, self.script.lines, active)

    def _one(self, values: Values, wrong: frozenset[str]) -> tuple[_Faults, dict[int, Change]]:
        """The one line that explains everything, if there is one, though perhaps without a mend."""
        found = self._single(values, wrong, {}, whole=True) or self._loose(wrong, {}, len(wrong))
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

    def _by_names(self) -> tuple[_Faults, dict[int, Change]]:
        """Mends for the lines whose value is not what their name claims."""
        chosen = self._needed(self.claims.suspects)
        base = self.bench.right(chosen)
        faults: _Faults = {}
        active: dict[int, Change] = dict(chosen)
        for key in list(chosen):
            others = {k: c for k, c in active.items() if k != key}
            near = self.candidates.near(key)
            found = self._mends(near, others, base)
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

    def _several(
        self, faults: _Faults, active: Mapping[int, Change]
    ) -> tuple[_Faults, dict[int, Change]]:
        """Mends for one line or two at a time, by the values that they need."""
        faults, active = dict(faults), dict(active)
        expected = self.bench.names - self.missing
        while len(faults) < _MOST_LINES and (red := expected - self.bench.right(active)):
            values = self._values(active)
            found = (
                self._single(values, red, active)
                or self._pair(values, red, active)
                or self._loose(red, active, 1)
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
                found: list[Mend] = []
                seen: set[tuple[int, str | None, str]] = set()
                for edit, line in self.candidates.of(chosen):
                    if found and edit.cost > found[0][0].cost + _DEAREST:
                        break
                    if len(seen) > _MOST_TRIALS:
                        break
                    known = (line.key, edit.sign)
                    if values.fits(line, edit, right | names) and (*known, edit.text) not in seen:
                        seen.add((*known, edit.text))
                        found += self._verified(edit, line, active, right | names)
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

    def _verified(
        self, edit: Edit, line: Line, active: Mapping[int, Change], wanted: frozenset[str]
    ) -> Iterator[Mend]:
        """The mend, if fresh draws confirm it."""
        change = changed(line, edit)
        if change is not None:
            changes = {**active, line.key: change}
            if self.bench.repairs(changes, wanted) and self.fresh.repairs(changes, wanted):
                yield edit, line, change

    def _proved(
        self,
        wrong: frozenset[str],
        faults: Mapping[int, list[Mend]],
        active: Mapping[int, Change],
    ) -> Findings:
        """Keep what fresh draws confirm, and what is needed."""
        right = self.fresh.right(active)
        kept = []
        for key, mends in faults.items():
            without = {k: c for k, c in active.items() if k != key}
            if right - self.fresh.right(without):
                texts = tuple(statement(self.lines[key], edit) for edit, _, _ in mends)
                kept.append(Fault(self.lines[key], texts, self._error(key), active[key]))
        kept += self._unreturned({fault.line.key for fault in kept})
        mended = {fault.line.key: fault.change for fault in kept}
        return Findings(
            wrong,
            tuple(sorted(kept, key=lambda fault: (fault.line.number, fault.line.key))),
            wrong - self.fresh.right(mended),
            self.missing,
            self.claims.verdicts,
            tuple(self.fresh.draws),
            self.bench,
        )

    def _unreturned(self, known: set[int]) -> Iterator[Fault]:
        """In an unfinished derivation: lines that reach no gradient yet, judged by their names."""
        if not self.missing:
            return
        for key, change in self.claims.suspects.items():
            line = self.lines[key]
            if key in known or line.absent or influence(self.bench, line, {}) - self.missing:
                continue
            found: list[Mend] = []
            for edit, _ in self.candidates.of([line]):
                if found and edit.cost > found[0][0].cost + _DEAREST:
                    break
                if self.claims.keeps(edit, line):
                    found.append((edit, line, change))
            texts = tuple(statement(line, edit) for edit, _, _ in different(found))
            yield Fault(line, texts, self._error(key), change)

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

    def _mends(
        self, lines: Sequence[Line], others: Mapping[int, Change], wanted: frozenset[str]
    ) -> list[Mend]:
        """Edits of one of the lines that make all wanted gradients right, the shortest first."""
        found: list[Mend] = []
        trials = 0
        for edit, line in self.candidates.of(lines):
            if trials > _MOST_TRIALS or (found and edit.cost > found[0][0].cost + _DEAREST):
                break
            if self.claims.judged(line) and not self.claims.keeps(edit, line):
                continue
            trials += 1
            change = changed(line, edit)
            if change is None:
                continue
            changes = {**others, line.key: change}
            if self.bench.repairs(changes, wanted) and self.fresh.repairs(changes, wanted):
                found.append((edit, line, change))
        return different(found)

    def _loose(
        self, red: frozenset[str], active: Mapping[int, Change], least: int
    ) -> list[list[Mend]]:
        """Mends of a line whose value alone says nothing, or of where it goes: a run judges them.

        They repair all that is red, or the most of it, but no fewer than ``least`` gradients.
        """
        right = self.bench.right(active)
        lines = [line for line in self.script.lines if line.key not in active]
        candidates = (
            (edit, line)
            for edit, line in self.candidates.of(lines)
            if edit.instead is not None
            or isinstance(line.statement, ast.For | ast.Expr)
            or self._returns(line)
        )
        best: list[Mend] = []
        gained: frozenset[str] = frozenset()
        for edit, line in itertools.islice(candidates, _MOST_TRIALS):
            done = gained == red
            if done and (edit.cost > best[0][0].cost + _DEAREST or len(best) == MOST_MENDS):
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
            elif repaired == gained and edit.cost <= best[0][0].cost + _DEAREST:
                best.append((edit, line, change))
        if not best:
            return []
        first = min(best, key=lambda mend: (mend[0].cost, mend[1].number))[1]
        return [different([mend for mend in best if mend[1] is first])]

    def _error(self, key: int) -> float | None:
        """The error of a line's own value, where its true value is known."""
        line = self.lines[key]
        return self.claims.error(line) if self.claims.judged(line) else self.errors.get(key)
