"""Find the wrong lines of a backward, prove each, and say what it should have been.

A line is accused only if changing it, and nothing else that is not needed, makes wrong
gradients right: by a small edit of its text, or by giving its name the true value. Both are
verified on draws that the search has not seen. What cannot be proved so is not accused.
"""

import ast
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.drawing.draw import Example
from gradcheck.lines.claims import Claims
from gradcheck.lines.draws import examples, probes
from gradcheck.lines.edits.edit import Edit, Material
from gradcheck.lines.edits.every import edits
from gradcheck.lines.influence import influence
from gradcheck.lines.instrument import Change, Line, Script
from gradcheck.lines.material import gathered
from gradcheck.lines.needed import Targets, Values
from gradcheck.lines.statements import canonical, statement
from gradcheck.lines.trial import Bench, Drawn, change_of, instead_of

_MOST_MENDS = 3
_MOST_LINES = 6  # wrong at once
_MOST_TRIALS = 2_000  # of one search: a budget in runs, not in seconds, the same on every machine
_SMALL, _LARGE = 1.3, 2.6  # costs: of two lines mended at once, one must be a small edit
_DEAREST = 0.25  # how much more than the best mend another may cost


@dataclass(frozen=True)
class Fault:
    """A line that is proved wrong; ``mends`` are whole statements, the likeliest first."""

    line: Line
    mends: tuple[str, ...]
    error: float | None  # of its value, relative to the true one's largest entry, if known
    change: Change  # one that mends it


@dataclass(frozen=True)
class Findings:
    """All that is proved: the faults, and the gradients that are wrong without one."""

    wrong: frozenset[str]  # arguments
    faults: tuple[Fault, ...] = ()
    unexplained: frozenset[str] = frozenset()  # wrong, and no proved change makes them right
    missing: frozenset[str] = frozenset()  # not derived yet
    claimed: Mapping[int, bool] = field(default_factory=dict)  # lines judged by their names
    draws: tuple[Drawn, ...] = ()
    bench: Bench | None = None

    @property
    def clear(self) -> bool:
        """Whether one line with a mend explains everything: then nothing else need be said."""
        return _doubts(self) <= (0, 0, 1)

    @property
    def settled(self) -> bool:
        """Whether every wrong gradient is explained, by lines that each have a mend."""
        return _doubts(self)[:2] == (0, 0)

    @property
    def changes(self) -> dict[int, Change]:
        """What mends every fault."""
        return {fault.line.key: fault.change for fault in self.faults}


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


_Mend = tuple[Edit, Line, Change]
_Faults = dict[int, list[_Mend]]


def _doubts(findings: Findings) -> tuple[int, int, int]:
    """How much an explanation leaves open: the fewer lines explain everything, the better."""
    vague = [fault for fault in findings.faults if fault.line.absent or not fault.mends]
    return len(findings.unexplained), len(vague), len(findings.faults)


class _Search:
    """One search for the faults of a script."""

    def __init__(self, script: Script, bench: Bench, fresh: Bench, missing: frozenset[str]) -> None:
        self.script, self.bench, self.fresh, self.missing = script, bench, fresh, missing
        self.errors: dict[int, float | None] = {}
        self.edits: dict[int, list[Edit]] = {}
        self.lines = {line.key: line for line in script.lines}
        _, self.seen, self.spaces = bench.watched(bench.draws[0], {})
        self.claims = Claims(script, bench, fresh)

    def findings(self, wrong: frozenset[str]) -> Findings:
        """The faults that leave the fewest doubts: one line, those that names tell, or several."""
        if self.missing or not wrong:
            return self._proved(wrong, *(self._by_names() if wrong else ({}, {})))
        values = self._values({})
        by_name: tuple[_Faults, dict[int, Change]] = {}, {}
        best = self._proved(wrong, *self._one(values, wrong))
        if not best.settled:
            by_name = self._by_names()
            best = min(best, self._proved(wrong, *by_name), key=_doubts)
        for start in ({}, {}), by_name:
            if not best.settled:
                found = self._proved(wrong, *self._several(*start))
                # A part that can be explained by itself may be fed by what is not explained yet.
                best = best if found.unexplained else min(best, found, key=_doubts)
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
            near = self._near(key)
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
    ) -> list[list[_Mend]]:
        """Mends of one line that repairs all that is red, or else of one that repairs the most.

        Lines that are not what their name claims come before those that are.
        """
        right = self.bench.right(active)
        for names in [red] if whole else values.repairable(right, red):
            lines = [line for line in values.lines if values.alone(line.key, right | names)]
            lines = [line for line in lines if not self._returns(line)]
            doubted = [line for line in lines if not self.claims.kept(line)]
            for chosen in (doubted, [line for line in lines if line not in doubted]):
                found: list[_Mend] = []
                seen: set[tuple[int, str | None, str]] = set()
                for edit, line in self._candidates(chosen):
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
                    return [_different([mend for mend in mends if mend[1] is mends[0][1]])]
        return []

    def _pair(
        self, values: Values, red: frozenset[str], active: Mapping[int, Change]
    ) -> list[list[_Mend]]:
        """Mends of two lines that together repair all that is red, one of them a small one."""
        wanted = self.bench.right(active) | red
        best: tuple[float, list[list[_Mend]]] = (float("inf"), [])
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

    def _fitting(self, line: Line, targets: Targets, most: float) -> list[_Mend]:
        """The first few edits that give a line what it should."""
        close = (edit for edit, _ in self._candidates([line], most) if targets.fit(line, edit))
        mends = ((edit, line, _change(line, edit)) for edit in itertools.islice(close, 3))
        return [(edit, line, change) for edit, line, change in mends if change is not None]

    def _returns(self, line: Line) -> bool:
        """Whether it is the return of the backward itself, whose value could repair anything."""
        return isinstance(line.statement, ast.Return) and not line.loop

    def _verified(
        self, edit: Edit, line: Line, active: Mapping[int, Change], wanted: frozenset[str]
    ) -> Iterator[_Mend]:
        """The mend, if fresh draws confirm it."""
        change = _change(line, edit)
        if change is not None:
            changes = {**active, line.key: change}
            if self.bench.repairs(changes, wanted) and self.fresh.repairs(changes, wanted):
                yield edit, line, change

    def _proved(
        self,
        wrong: frozenset[str],
        faults: Mapping[int, list[_Mend]],
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
            found: list[_Mend] = []
            for edit, _ in self._candidates([line]):
                if found and edit.cost > found[0][0].cost + _DEAREST:
                    break
                if self.claims.keeps(edit, line):
                    found.append((edit, line, change))
            texts = tuple(statement(line, edit) for edit, _, _ in _different(found))
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

    def _near(self, key: int) -> list[Line]:
        """The line, those that build its name, and temporaries without a claim that feed it."""
        near, waiting = {key: self.lines[key]}, [self.lines[key]]
        while waiting:
            line = waiting.pop()
            read = {n.id for n in ast.walk(line.expression) if isinstance(n, ast.Name)}
            for other in self.script.lines:
                if other.absent or other.site != line.site:
                    continue
                feeds = bool(read & set(other.targets)) and other.key not in self.claims
                builds = bool(set(line.targets) & set(other.targets)) and line.key == key
                before = other.number < self.lines[key].number and not _is_size(self.seen, other)
                if other.key not in near and before and (feeds or builds):
                    near[other.key] = other
                    waiting.append(other)
        return list(near.values())

    # Searching for edits.

    def _mends(
        self, lines: Sequence[Line], others: Mapping[int, Change], wanted: frozenset[str]
    ) -> list[_Mend]:
        """Edits of one of the lines that make all wanted gradients right, the shortest first."""
        found: list[_Mend] = []
        trials = 0
        for edit, line in self._candidates(lines):
            if trials > _MOST_TRIALS or (found and edit.cost > found[0][0].cost + _DEAREST):
                break
            if self.claims.judged(line) and not self.claims.keeps(edit, line):
                continue
            trials += 1
            change = _change(line, edit)
            if change is None:
                continue
            changes = {**others, line.key: change}
            if self.bench.repairs(changes, wanted) and self.fresh.repairs(changes, wanted):
                found.append((edit, line, change))
        return _different(found)

    def _loose(
        self, red: frozenset[str], active: Mapping[int, Change], least: int
    ) -> list[list[_Mend]]:
        """Mends of a line whose value alone says nothing, or of where it goes: a run judges them.

        They repair all that is red, or the most of it, but no fewer than ``least`` gradients.
        """
        right = self.bench.right(active)
        lines = [line for line in self.script.lines if line.key not in active]
        candidates = (
            (edit, line)
            for edit, line in self._candidates(lines)
            if edit.instead is not None
            or isinstance(line.statement, ast.For | ast.Expr)
            or self._returns(line)
        )
        best: list[_Mend] = []
        gained: frozenset[str] = frozenset()
        for edit, line in itertools.islice(candidates, _MOST_TRIALS):
            done = gained == red
            if done and (edit.cost > best[0][0].cost + _DEAREST or len(best) == _MOST_MENDS):
                break
            change = _change(line, edit)
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
        return [_different([mend for mend in best if mend[1] is first])]

    def _candidates(
        self, lines: Sequence[Line], most: float = float("inf")
    ) -> Iterator[tuple[Edit, Line]]:
        """The edits of some lines that cost no more than ``most``, the smallest first."""
        pairs = [(e, line) for line in lines for e in self._edits(line) if e.cost <= most]
        pairs.sort(key=lambda pair: pair[0].cost)
        yield from pairs

    def _edits(self, line: Line) -> list[Edit]:
        if line.key not in self.edits:
            self.edits[line.key] = list(edits(line.statement, self._material(line)))
        return self.edits[line.key]

    def _material(self, line: Line) -> Material:
        """What edits of the line may draw on, with true values where they are known."""
        drawn = self.bench.draws[0]
        space = self.spaces.get(line.key, drawn.scope)
        if self.claims.judged(line):
            space = self.claims.space(line)
        return gathered(self.script, drawn, line, space)

    def _error(self, key: int) -> float | None:
        """The error of a line's own value, where its true value is known."""
        line = self.lines[key]
        return self.claims.error(line) if self.claims.judged(line) else self.errors.get(key)


def _different(found: list[_Mend]) -> list[_Mend]:
    """The first few, without those that only order terms or factors otherwise."""
    forms: dict[tuple[int, str], tuple[Edit, Line, Change]] = {}
    for edit, line, change in found:
        form = edit.text if edit.instead else f"{edit.sign} {canonical(edit.expression)}"
        forms.setdefault((line.key, form), (edit, line, change))
    return list(forms.values())[:_MOST_MENDS]


def _change(line: Line, edit: Edit) -> Change | None:
    try:
        if edit.instead is not None:
            return instead_of(line, edit.instead())
        return change_of(line, edit.expression, edit.sign)
    except Exception:  # a tree that does not compile is no mend
        return None


def _is_size(seen: Mapping[int, list[Any]], line: Line) -> bool:
    values = seen.get(line.key, [])
    return bool(values) and isinstance(values[0], int)
