"""Find the wrong lines of a backward, prove each, and say what it should have been.

A line is accused only if changing it, and nothing else that is not needed, makes wrong
gradients right: by a small edit of its text, or by giving its name the true value. Both are
verified on draws that the search has not seen. What cannot be proved so is not accused.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from gradcheck.drawing.draw import Example
from gradcheck.lines.candidates import Mend, different
from gradcheck.lines.draws import examples
from gradcheck.lines.findings import Fault, Findings, doubts
from gradcheck.lines.influence import influence
from gradcheck.lines.instrument import Change, Script
from gradcheck.lines.statements import statement
from gradcheck.lines.strategies import DEAREST, Explained, Strategies
from gradcheck.lines.trial import Bench


@np.errstate(all="ignore")
def find(script: Script, telling: Sequence[Example] = ()) -> Findings:
    """The faults of a script; ``telling`` are examples that are known to show one."""
    fresh = Bench(script, examples(script), telling)
    if not fresh.draws or not (telling or any(drawn.ordinary for drawn in fresh.draws)):
        return Findings(frozenset())
    missing = frozenset.union(*(drawn.missing for drawn in fresh.draws))
    ordinary = fresh.part(fresh.draws[:2])
    wrong = fresh.names - fresh.right({}) - missing
    hidden = wrong - (ordinary.names - ordinary.right({}))
    special = [d for d in fresh.draws[2:] if hidden - fresh.part([d]).right({})][:3]
    bench = fresh.part([*special, *ordinary.draws] if hidden else ordinary.draws)
    if not wrong and not missing:
        return Findings(wrong, bench=bench, draws=tuple(fresh.draws))
    found = _Proving(script, bench, fresh, missing).findings(wrong)
    return found if found.settled else replace(found, cut=fresh.budget.cut)


class _Proving:
    """What the strategies explain, held against fresh draws."""

    def __init__(self, script: Script, bench: Bench, fresh: Bench, missing: frozenset[str]) -> None:
        self.bench, self.fresh, self.missing = bench, fresh, missing
        self.ways = Strategies(script, bench, fresh, missing)
        self.lines, self.claims = self.ways.lines, self.ways.claims

    def findings(self, wrong: frozenset[str]) -> Findings:
        """The faults that leave the fewest doubts: one line, those that names tell, or several."""
        if self.missing or not wrong:
            return self._proved(wrong, *(self.ways.by_names() if wrong else ({}, {})))
        values = self.ways.values({})
        by_name: Explained = {}, {}
        best = self._proved(wrong, *self.ways.one(values, wrong))
        if not best.settled:
            by_name = self.ways.by_names()
            best = min(best, self._proved(wrong, *by_name), key=doubts)
        for start in ({}, {}), by_name:
            if not best.settled:
                found = self._proved(wrong, *self.ways.several(*start))
                # A part that can be explained by itself may be fed by what is not explained yet.
                best = best if found.unexplained else min(best, found, key=doubts)
        return best

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
            for edit, _ in self.ways.candidates.of([line]):
                if found and edit.cost > found[0][0].cost + DEAREST:
                    break
                if self.claims.keeps(edit, line):
                    found.append((edit, line, change))
            texts = tuple(statement(line, edit) for edit, _, _ in different(found))
            yield Fault(line, texts, self._error(key), change)

    def _error(self, key: int) -> float | None:
        """The error of a line's own value, where its true value is known."""
        line = self.lines[key]
        return self.claims.error(line) if self.claims.judged(line) else self.ways.errors.get(key)
