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

from gradcheck.bench import Bench, Drawn, change_of, close, whole_value
from gradcheck.draw import Example
from gradcheck.edits import Edit, Setting, compiled, edits
from gradcheck.influence import influence
from gradcheck.script import Change, Line, Script, is_number
from gradcheck.sight import setting
from gradcheck.statements import canonical, statement, target_parts
from gradcheck.telling import examples

_MOST_MENDS = 3
_MOST_LINES = 6  # wrong at once
_MOST_TRIALS = 8_000  # a budget in trials, not in seconds: the same verdict on every machine
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


def _doubts(findings: Findings) -> tuple[int, int, int]:
    """How much an explanation leaves open: the fewer lines explain everything, the better."""
    vague = [fault for fault in findings.faults if fault.line.absent or not fault.mends]
    return len(findings.unexplained), len(vague), len(findings.faults)


class _Search:
    """One search for the faults of a script, with its budget of trials."""

    def __init__(self, script: Script, bench: Bench, fresh: Bench, missing: frozenset[str]) -> None:
        self.script, self.bench, self.fresh, self.missing = script, bench, fresh, missing
        self.trials = 0
        self.lines = {line.key: line for line in script.lines}
        _, self.seen, self.spaces = bench.watched(bench.draws[0], {})
        self._believe(dict(self._claims()))

    def _believe(self, claims: Mapping[int, "_Claim"]) -> None:
        """Take names at their word, as far as that breaks nothing that is right."""
        self.claims = dict(claims)
        self.true_spaces: dict[int, list[tuple[dict[str, Any], Any]]] = {}
        right = self.bench.right({})
        for key in list(self.claims):
            if not self.bench.repairs({key: self._truth_change(key)}, right):
                del self.claims[key]
        self.suspects = self._suspects()

    def findings(self, wrong: frozenset[str]) -> Findings:
        """The faults, by the names of the lines; where that fails, without asking the names."""
        by_name = self._attempt(wrong)
        if self.missing or not self.claims or by_name.clear:
            return by_name
        self.trials = 0
        self._believe({})
        by_search = self._attempt(wrong)
        return by_search if _doubts(by_search) < _doubts(by_name) else by_name

    def _attempt(self, wrong: frozenset[str]) -> Findings:
        chosen = self._needed(self.suspects) if wrong else {}
        base = self.bench.right(chosen)
        faults: dict[int, list[tuple[Edit, Line, Change]]] = {}
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
        expected = self.bench.names - self.missing
        while len(faults) < _MOST_LINES and (red := expected - self.bench.right(active)):
            found = self._greedy(red, active)
            if not found:
                break
            line = found[0][1]
            faults[line.key] = [mend for mend in found if mend[1].key == line.key]
            active[line.key] = found[0][2]
        return self._proved(wrong, faults, active)

    def _proved(
        self,
        wrong: frozenset[str],
        faults: Mapping[int, list[tuple[Edit, Line, Change]]],
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
            {key: key not in self.suspects for key in self.true_spaces},
            tuple(self.fresh.draws),
            self.bench,
        )

    def _unreturned(self, known: set[int]) -> Iterator[Fault]:
        """In an unfinished derivation: lines that reach no gradient yet, judged by their names."""
        if not self.missing:
            return
        for key, change in self.suspects.items():
            line = self.lines[key]
            if key in known or line.absent or self._influence(line, {}) - self.missing:
                continue
            found: list[tuple[Edit, Line, Change]] = []
            for edit, _ in self._candidates([line]):
                if found and edit.cost > found[0][0].cost + _DEAREST:
                    break
                if self._locally(edit, line):
                    found.append((edit, line, change))
            texts = tuple(statement(line, edit) for edit, _, _ in _different(found))
            yield Fault(line, texts, self._error(key), change)

    # What names claim: dX is dL/dX, once it is complete.

    def _claims(self) -> Iterator[tuple[int, "_Claim"]]:
        last: dict[str, int] = {}
        whole: dict[str, bool] = {}
        for line in sorted(self.script.lines, key=lambda line: (line.number, not line.absent)):
            for target in line.targets:
                last[target] = line.key
                whole[target] = whole.get(target, True) and not line.loop
        for line in self.script.lines:
            parts = target_parts(line)
            names = [
                self.script.quantity(name)
                if name and whole[name] and (index is not None or last[name] == line.key)
                else None
                for name, index in parts
            ]
            if any(names):
                yield line.key, _Claim(tuple(names), tuple(index for _, index in parts))

    def _suspects(self) -> dict[int, Change]:
        """Lines whose value, with true values before them, is not what their name claims."""
        wrong: dict[int, Change] = {}
        for drawn in self.bench.draws:

            def overriding(key: int, drawn: Drawn = drawn) -> Change:
                line = self.lines[key]
                code = compiled(whole_value(line, line.expression))

                def change(space: dict[str, Any]) -> Any:
                    value = eval(code, space)
                    true = self._true_value(key, value, drawn, space)
                    self.true_spaces.setdefault(key, []).append((dict(space), true))
                    if not _alike(value, true):
                        wrong[key] = self._truth_change(key)
                    return true

                return change

            self.bench.run(drawn, {key: overriding(key) for key in self.claims})
        return wrong

    def _truth_change(self, key: int) -> Change:
        """Give the line its true value, whichever draw is running."""
        code = compiled(whole_value(self.lines[key], self.lines[key].expression))
        benches = (self.bench, self.fresh)

        def change(space: dict[str, Any]) -> Any:
            hooks = self.script.hooks
            drawn = next(d for b in benches for d in b.draws if d.scope is hooks.scope)
            return self._true_value(key, eval(code, space), drawn, space)

        return change

    def _true_value(self, key: int, value: Any, drawn: Any, space: dict[str, Any]) -> Any:
        """The value with what is claimed of it replaced by the truth."""
        claim = self.claims[key]
        parts = list(value) if isinstance(value, tuple | list) and len(claim.names) > 1 else [value]
        for k, (name, index) in enumerate(zip(claim.names, claim.indices, strict=True)):
            if name is None:
                continue
            truth = self.bench.truth(drawn, name)
            if truth is None:
                continue
            if index is not None:
                truth = truth[eval(compiled(index), space)]
            parts[k] = np.array(truth)
        return tuple(parts) if len(claim.names) > 1 else parts[0]

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
                if other.absent:
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
    ) -> list[tuple[Edit, Line, Change]]:
        """Edits of one of the lines that make all wanted gradients right, the shortest first."""
        found: list[tuple[Edit, Line, Change]] = []
        for edit, line in self._candidates(lines):
            if found and edit.cost > found[0][0].cost + _DEAREST:
                break
            if self.trials > _MOST_TRIALS:
                break
            change = self._tried(edit, line)
            if change is None:
                continue
            changes = {**others, line.key: change}
            if self.bench.repairs(changes, wanted) and self.fresh.repairs(changes, wanted):
                found.append((edit, line, change))
        return _different(found)

    def _greedy(
        self, red: frozenset[str], active: Mapping[int, Change]
    ) -> list[tuple[Edit, Line, Change]]:
        """Edits of one more line that repair all red gradients, or else the most of them."""
        right = self.bench.right(active)
        lines = [
            line
            for line in self.script.lines
            if line.key not in active
            and not line.absent
            and not self._is_right(line)
            and self._influence(line, active) & red
        ]
        best: list[tuple[Edit, Line, Change]] = []
        gained: frozenset[str] = frozenset()
        for edit, line in self._candidates(lines):
            whole = gained == red
            if whole and (edit.cost > best[0][0].cost + _DEAREST or len(best) == _MOST_MENDS):
                break
            if self.trials > _MOST_TRIALS:
                break
            change = self._tried(edit, line)
            if change is None:
                continue
            repaired = self.bench.repaired({**active, line.key: change}, right, red)
            if len(repaired) < max(len(gained), 1) or (repaired != gained and whole):
                continue
            if not self.fresh.repairs({**active, line.key: change}, right | repaired):
                continue
            if len(repaired) > len(gained):
                best, gained = [(edit, line, change)], repaired
            elif repaired == gained and edit.cost <= best[0][0].cost + _DEAREST:
                best.append((edit, line, change))
        return _different(best)

    def _candidates(self, lines: Sequence[Line]) -> Iterator[tuple[Edit, Line]]:
        """The edits of some lines: the smallest first, and of those the shortest, each once.

        Texts are made only for what is reached: most searches end among the smallest edits.
        """
        pairs = [(e, line) for line in lines for e in edits(line.expression, self._sight(line))]
        pairs.sort(key=lambda pair: pair[0].cost)
        seen: set[tuple[int, str, str | None]] = set()
        seen |= {(line.key, ast.unparse(line.expression), None) for line in lines}
        for _, tier in itertools.groupby(pairs, key=lambda pair: pair[0].cost):
            ordered = sorted(
                tier, key=lambda pair: (len(pair[0].text), pair[1].number, pair[0].text)
            )
            for edit, line in ordered:
                known = (line.key, edit.text, edit.sign)
                if known not in seen:
                    seen.add(known)
                    yield edit, line

    def _tried(self, edit: Edit, line: Line) -> Change | None:
        """The change that an edit makes, counted; None if it is out of the question."""
        if line.key in self.true_spaces and not self._locally(edit, line):
            return None
        self.trials += 1
        return _change(line, edit)

    def _is_right(self, line: Line) -> bool:
        """Whether a line makes good what its name claims, given true values before it."""
        return line.key in self.true_spaces and line.key not in self.suspects

    def _influence(self, line: Line, active: Mapping[int, Change]) -> frozenset[str]:
        return influence(self.bench, line, active)

    def _locally(self, edit: Edit, line: Line) -> bool:
        """Whether the edited line has its true value where those before it have theirs."""
        try:
            code = compiled(whole_value(line, edit.expression, edit.sign))
            with np.errstate(all="ignore"):
                return all(
                    _alike(eval(code, dict(space)), true)
                    for space, true in self.true_spaces[line.key]
                )
        except Exception:  # most edits are nonsense
            return False

    def _sight(self, line: Line) -> Setting:
        """What edits of the line may draw on, with true values where they are known."""
        drawn = self.bench.draws[0]
        space = self.spaces.get(line.key, drawn.scope)
        if line.key in self.true_spaces:
            space = self.true_spaces[line.key][0][0]
        return setting(self.script, drawn, line, space)

    def _error(self, key: int) -> float | None:
        """The error of a line's own value, where its true value is known."""
        if key not in self.true_spaces:
            return None
        line = self.lines[key]
        space, true = self.true_spaces[key][0]
        return relative_error(eval(compiled(whole_value(line, line.expression)), dict(space)), true)


@dataclass(frozen=True)
class _Claim:
    """What a line's targets claim to be gradients of; an index where it fills a part."""

    names: tuple[str | None, ...]
    indices: tuple[ast.expr | None, ...]


def relative_error(value: Any, true: Any) -> float | None:
    """The largest error relative to the largest true entry."""
    values = value if isinstance(value, tuple) else (value,)
    trues = true if isinstance(true, tuple) else (true,)
    worst = 0.0
    for got, want in zip(values, trues, strict=True):
        if np.shape(got) != np.shape(want):
            return None
        scale = float(np.max(np.abs(want), initial=0.0))
        error = float(np.max(np.abs(np.subtract(got, want)), initial=0.0))
        worst = max(worst, error / scale if scale else error)
    return worst


def _different(found: list[tuple[Edit, Line, Change]]) -> list[tuple[Edit, Line, Change]]:
    """The first few, without those that only order terms or factors otherwise."""
    forms: dict[tuple[int, str], tuple[Edit, Line, Change]] = {}
    for edit, line, change in found:
        form = f"{edit.sign} {canonical(edit.expression)}"
        forms.setdefault((line.key, form), (edit, line, change))
    return list(forms.values())[:_MOST_MENDS]


def _change(line: Line, edit: Edit) -> Change | None:
    try:
        return change_of(line, edit.expression, edit.sign)
    except Exception:  # a tree that does not compile is no mend
        return None


def _alike(value: Any, true: Any) -> bool:
    if isinstance(true, tuple):
        pairs = zip(value, true, strict=False)
        return isinstance(value, tuple | list) and all(_alike(v, t) for v, t in pairs)
    if not is_number(true):
        return True
    return is_number(value) and np.asarray(value).dtype == np.float64 and close(value, true)


def _is_size(seen: Mapping[int, list[Any]], line: Line) -> bool:
    values = seen.get(line.key, [])
    return bool(values) and isinstance(values[0], int)
