"""Walk a cell through its steps, forwards and back.

The gradients by hand are those of the author's own steps, each fed what the step behind it
handed on, mistakes included. The true ones are of the same steps, each fed the true gradients.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradcheck.cells.cell import Array, Cell
from gradcheck.cells.unrolled import CLOCK, LAST, per_step
from gradcheck.lines.instrument import Change
from gradcheck.oracles.reference import Reference
from gradcheck.steps.calls import Ahead, Assigned, Back, Calls
from gradcheck.steps.rows import Row, Step, Walked
from gradcheck.steps.truth import Truth

# What a step hands on, by output; None for what is not derived, or not known.
Carried = Mapping[str, Array | None]

_CLOSE = 1e-7  # of the largest entry: far above rounding, and above what differences lose


@dataclass(frozen=True)
class Walk:
    """A cell on its inputs and cotangents, called once or, with ``steps``, so many times.

    ``changes`` mend its wrong lines, if they are known. ``right`` is whether all its gradients
    are: then a name such as dc that is not dL/dc only means something else.
    """

    calls: Calls
    inputs: Mapping[str, Any]
    cotangents: Mapping[str, Array]
    steps: int | None = None
    changes: Mapping[int, Change] = field(default_factory=dict)
    right: bool = False
    twin: Mapping[str, Array] = field(default_factory=dict)  # its outputs

    @property
    def cell(self) -> Cell:
        return self.calls.cell

    def walked(self) -> Walked:
        """Every step. Raises CaseError with what the forward raises."""
        ahead = self._ahead()
        return Walked(
            tuple(Row(n, v) for n, v in self.inputs.items() if self._shared(n)),
            tuple(self._forwards(t, one) for t, one in enumerate(ahead)),
            *self._backwards(ahead),
        )

    # -- forwards ----------------------------------------------------------------------------------

    def _stepped(self) -> frozenset[str]:
        return frozenset() if self.steps is None else per_step(self.cell)

    def _shared(self, name: str) -> bool:
        states = {state for state, _ in self.cell.states} if self.steps is not None else set()
        return name != CLOCK and name not in states and name not in self._stepped()

    def _ahead(self) -> tuple[Ahead, ...]:
        state: dict[str, Any] = {}
        found = []
        for t in range(1 if self.steps is None else self.steps):
            values = {
                name: value[t] if name in self._stepped() else value
                for name, value in self.inputs.items()
                if name != CLOCK
            }
            one = self.calls.ahead({**values, **state})
            state = {name: one.outputs[output] for name, output in self.cell.states}
            found.append(one)
        return tuple(found)

    def _number(self, t: int) -> int | None:
        return None if self.steps is None else t + 1

    def _forwards(self, t: int, one: Ahead) -> Step:
        states = dict(self.cell.states)
        rows = []
        if self.steps is not None:
            for name in one.inputs:
                if name in states and t > 0:
                    rows.append(Row(name, one.inputs[name], note=f"from step {t}", carried=True))
                elif not self._shared(name):
                    rows.append(Row(name, one.inputs[name], note="given"))
        last = {noted.name: k for k, noted in enumerate(one.noted)}
        for k, noted in enumerate(one.noted):
            row = self._looping(Row(noted.name, noted.value, line=noted.line))
            own = last[noted.name] == k and _same(noted.value, one.outputs.get(noted.name))
            rows.append(self._output(row, t) if own else row)
        told = {n for n, k in last.items() if _same(one.noted[k].value, one.outputs.get(n))}
        rows += [self._output(Row(n, v), t) for n, v in one.outputs.items() if n not in told]
        return Step(self._number(t), tuple(rows))

    def _looping(self, row: Row) -> Row:
        """A value that a loop of the cell's own hands from turn to turn is marked."""
        if row.name.partition("[")[0] in self.calls.handed_on:
            return replace(row, note="to next turn", carried=True)
        return row

    def _output(self, row: Row, t: int) -> Row:
        """An output: what the twin says of it, and where it goes."""
        if self.steps is not None and row.name in {output for _, output in self.cell.states}:
            note = f"to step {t + 2}" if t + 1 < self.steps else "last"
            row = replace(row, note=note, carried=t + 1 < self.steps)
        if row.name in self.twin:
            want = self.twin[row.name] if self.steps is None else self.twin[row.name][t]
            row = replace(row, true=want, wrong=not _close(row.value, want))
        return row

    # -- backwards ---------------------------------------------------------------------------------

    def _backwards(self, ahead: Sequence[Ahead]) -> tuple[tuple[Step, ...], str]:
        hand: Carried = dict(self._last())
        true: Carried = hand
        steps = []
        for t in reversed(range(len(ahead))):
            given = self._given(t)
            total, known = _total(given, hand), _total(given, true)
            # What is not derived in one step leaves nothing to derive the steps before it from.
            back = Back((), {}) if total is None else self.calls.back(ahead[t], [*total.values()])
            truth = None if known is None else Truth(self.calls, ahead[t], known)
            rows = [*self._arriving(t, given, hand, true), *self._left(t, ahead[t], back, truth)]
            steps.append(Step(self._number(t), tuple(rows)))
            if back.failed:
                return tuple(steps), back.failed
            hand = {output: back.returned.get(name) for name, output in self.cell.states}
            true = self._handed(truth)
        return tuple(steps), ""

    def _last(self) -> dict[str, Array]:
        """What the end hands on: the cotangents of the last states."""
        if self.steps is None:
            return {}
        return {output: self.cotangents[f"d{output}{LAST}"] for _, output in self.cell.states}

    def _given(self, t: int) -> dict[str, Array]:
        given = {name: self.cotangents[f"d{name}"] for name in self.cell.outputs}
        return given if self.steps is None else {name: d[t] for name, d in given.items()}

    def _handed(self, truth: Truth | None) -> Carried:
        """The true gradients that a step hands on; None for what is not known."""
        found = {o: truth.argument(name) if truth else None for name, o in self.cell.states}
        return {output: None if one is None else one.value for output, one in found.items()}

    def _arriving(
        self, t: int, given: Mapping[str, Array], hand: Carried, true: Carried
    ) -> Iterator[Row]:
        """The cotangent of each output: what is given, what is carried, and both."""
        states = {output: name for name, output in self.cell.states}
        for name, cotangent in given.items():
            yield Row(f"d{name}", cotangent, note="given")
            if name not in hand:
                continue
            if t + 1 == self.steps:
                yield Row(f"d{name}{LAST}", hand[name], note="given")
            else:
                came = Row(f"d{states[name]}", hand[name], note=f"from step {t + 2}", carried=True)
                yield _beside(came, true[name])
            total = Row(f"d{name}", _sum(cotangent, hand[name]), note="sum")
            yield _beside(total, _sum(cotangent, true[name]))

    def _left(self, t: int, ahead: Ahead, back: Back, truth: Truth | None) -> Iterator[Row]:
        """What each line assigned, and the gradients that no line has by their names."""
        states = dict(self.cell.states)
        final = {one.name: k for k, one in enumerate(back.assigned)}
        mended = self._mended(ahead, back, truth)
        told = set()
        for k, one in enumerate(back.assigned):
            row = self._looping(Row(one.name, one.value, line=one.line))
            name = one.name.removeprefix("d")
            own = one.name == f"d{name}" and final[one.name] == k
            if own and _same(one.value, back.returned.get(name)):
                told.add(name)
                row = self._leaving(row, t, name in states)
            claimed = _claimed(ahead, back.assigned, k, truth)
            yield self._judged(row, claimed, None if mended is None else mended[k].value)
        if not back.failed and any(back.returned.get(a.name) is None for a in self.cell.arguments):
            yield from _to_be_derived(ahead, final, truth)
        for argument in self.cell.arguments:
            value = back.returned.get(argument.name)
            if argument.name in told or back.failed:
                continue
            row = self._leaving(Row(f"d{argument.name}", value), t, argument.name in states)
            known = truth.argument(argument.name) if truth else None
            yield self._judged(row, known, None)

    def _leaving(self, row: Row, t: int, state: bool) -> Row:
        if state and self.steps is not None and t > 0:
            return replace(row, note=f"to step {t}", carried=True)
        return row

    def _mended(self, ahead: Ahead, back: Back, truth: Truth | None) -> tuple[Assigned, ...] | None:
        """What the same lines assign when they are mended and fed the true gradients."""
        if not self.changes or truth is None:
            return None
        cotangents = tuple(truth.cotangents.values())
        mended = self.calls.back(ahead, cotangents, self.changes).assigned
        alike = [one.name for one in mended] == [one.name for one in back.assigned]
        return mended if alike else None

    def _judged(self, row: Row, claimed: Reference | None, mended: Array | None) -> Row:
        known = None if claimed is None else claimed.value
        if mended is not None and not (known is not None and _close(mended, known)):
            known = mended  # the name means something else, or nobody else knows it
        meant = row.value is None or not self.right or known is None or _close(row.value, known)
        return _beside(row, known) if meant else row


def _claimed(
    ahead: Ahead, assigned: Sequence[Assigned], k: int, truth: Truth | None
) -> Reference | None:
    """The true gradient that a line's name claims to be: dc is dL/dc, the last of them.

    Of what the forward assigns as often as the backward does, the first is the last of the other.
    """
    one = assigned[k]
    name = one.name[1:]
    if truth is None or one.name[:1] != "d":
        return None
    times = sum(other.name == one.name for other in assigned)
    before = sum(other.name == one.name for other in assigned[:k])
    final = before + 1 == times
    if name in {argument.name for argument in truth.calls.cell.arguments}:
        return truth.argument(name) if final else None
    places = [noted for noted in ahead.noted if noted.name == name]
    if len(places) == times:
        return truth.assigned(places[times - 1 - before])
    return truth.assigned(places[0]) if len(places) == 1 and final else None


def _to_be_derived(ahead: Ahead, assigned: Collection[str], truth: Truth | None) -> Iterator[Row]:
    """The true gradients of what a forward assigns on its way, from its end, as none is by hand."""
    names = [noted.name for noted in ahead.noted]
    for noted in reversed(ahead.noted):
        name = f"d{noted.name}"
        if name in assigned or noted.name in ahead.outputs or names.count(noted.name) > 1:
            continue
        known = truth.assigned(noted) if truth else None
        if known is not None:
            yield Row(name, None, known.value)


def _total(given: Mapping[str, Array], carried: Carried) -> dict[str, Array] | None:
    """The cotangent of each output; None if a part of one is not known."""
    sums = {n: _sum(d, carried[n]) if n in carried else d for n, d in given.items()}
    known = {name: one for name, one in sums.items() if one is not None}
    return known if len(known) == len(sums) else None


def _sum(given: Array, carried: Array | None) -> Array | None:
    return None if carried is None else np.asarray(given + carried)


def _beside(row: Row, true: Array | None) -> Row:
    """The row with the true value beside it, if there is one."""
    if true is None:
        return row
    return replace(row, true=true, wrong=row.value is not None and not _close(row.value, true))


def _close(got: Any, want: Any) -> bool:
    if np.shape(got) != np.shape(want):
        return False
    scale = float(np.max(np.abs(want), initial=0.0))
    # A true zero is one to rounding only, of what it is the sum of.
    return bool(np.all(np.abs(np.subtract(got, want)) <= _CLOSE * scale + 1e-12))


def _same(value: Any, other: Any) -> bool:
    return other is not None and np.array_equal(value, other, equal_nan=True)
