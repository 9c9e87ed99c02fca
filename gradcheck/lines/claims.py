"""What the names of a backward claim, and which lines do not keep it.

``da = ...`` claims that da is dL/da. Where the forward has a quantity ``a``, its true gradient can
be measured (trial.py), so that the line can be judged by itself: run with true values in place of
everything that was computed before it, it gives the true dL/da or it is wrong. So a wrong line is
told apart from the lines that it feeds, however many of them are wrong at once.

A claim is only held against a line that

* gives the name its last value: of ``da = ...`` and ``da = da + ...`` the second;
* gives it a value as a whole, or fills a part of it (``da[:, :H] = ...``), and not in a loop;
* means what its name says: whoever keeps minus the gradient in ``da``, and is right in what is
  returned, is not taken at the word.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.arrays import close, is_number
from gradcheck.lines.drawn import Drawn
from gradcheck.lines.edits.edit import Edit
from gradcheck.lines.instrument import Change, Line, Script
from gradcheck.lines.slopes import CLOSE
from gradcheck.lines.statements import target_parts
from gradcheck.lines.trial import Bench, whole_value
from gradcheck.source.evaluate import compiled


@dataclass(frozen=True)
class _Claim:
    """What a line's targets claim to be gradients of; an index where it fills a part."""

    names: tuple[str | None, ...]
    indices: tuple[ast.expr | None, ...]


class Claims:
    """The lines of a script that make a claim, each judged on the draws of a bench.

    ``suspects`` are those that do not keep it, with the change that gives each its true value, on
    ``fresh`` draws too.
    """

    def __init__(self, script: Script, bench: Bench, fresh: Bench) -> None:
        self._script, self._bench, self._fresh = script, bench, fresh
        self._lines = {line.key: line for line in script.lines}
        self._made = dict(self._read())
        right = bench.right({})
        for key in list(self._made):
            if not bench.repairs({key: self._truth(key)}, right):
                del self._made[key]
        # For each line that ran: what it could read, all of it true, and its true value.
        self._spaces: dict[int, list[tuple[dict[str, Any], Any]]] = {}
        self.suspects = self._wrong()

    def __contains__(self, key: int) -> bool:
        return key in self._made

    @property
    def verdicts(self) -> Mapping[int, bool]:
        """For each line that was judged, whether it is right."""
        return {key: key not in self.suspects for key in self._spaces}

    def judged(self, line: Line) -> bool:
        return line.key in self._spaces

    def kept(self, line: Line) -> bool:
        """Whether a line makes good what its name claims, given true values before it."""
        return self.judged(line) and line.key not in self.suspects

    def keeps(self, edit: Edit, line: Line) -> bool:
        """Whether the edited line has its true value where those before it have theirs."""
        self._bench.budget.spend(len(self._spaces[line.key]))
        try:
            code = compiled(whole_value(line, edit.expression, edit.sign))
            with np.errstate(all="ignore"):
                return all(
                    _alike(eval(code, dict(space)), true) for space, true in self._spaces[line.key]
                )
        except Exception:  # most edits are nonsense
            return False

    def space(self, line: Line) -> dict[str, Any]:
        """What a judged line can read, with true values."""
        return self._spaces[line.key][0][0]

    def error(self, line: Line) -> float | None:
        """The error of a judged line's own value, relative to the largest true entry."""
        space, true = self._spaces[line.key][0]
        return _error(eval(compiled(whole_value(line, line.expression)), dict(space)), true)

    def _read(self) -> Iterator[tuple[int, _Claim]]:
        # The backward of a step runs many times: a name there is no one quantity of the forward.
        own = [line for line in self._script.lines if line.site == 0]
        last: dict[str, int] = {}
        whole: dict[str, bool] = {}
        for line in sorted(own, key=lambda line: (line.number, not line.absent)):
            for target in line.targets:
                last[target] = line.key
                whole[target] = whole.get(target, True) and not line.loop
        for line in own:
            parts = target_parts(line)
            names = [
                self._script.quantity(name)
                if name and whole[name] and (index is not None or last[name] == line.key)
                else None
                for name, index in parts
            ]
            if any(names):
                yield line.key, _Claim(tuple(names), tuple(index for _, index in parts))

    def _wrong(self) -> dict[int, Change]:
        """Lines whose value, with true values before them, is not what their name claims."""
        wrong: dict[int, Change] = {}
        for drawn in self._bench.draws:

            def overriding(key: int, drawn: Drawn = drawn) -> Change:
                line = self._lines[key]
                code = compiled(whole_value(line, line.expression))

                def change(space: dict[str, Any]) -> Any:
                    value = eval(code, space)
                    true = self._true_value(key, value, drawn, space)
                    self._spaces.setdefault(key, []).append((dict(space), true))
                    if not _alike(value, true):
                        wrong[key] = self._truth(key)
                    return true

                return change

            self._bench.run(drawn, {key: overriding(key) for key in self._made})
        return wrong

    def _truth(self, key: int) -> Change:
        """Give the line its true value, whichever draw is running."""
        code = compiled(whole_value(self._lines[key], self._lines[key].expression))
        benches = (self._bench, self._fresh)

        def change(space: dict[str, Any]) -> Any:
            hooks = self._script.hooks
            drawn = next(d for b in benches for d in b.draws if d.scope is hooks.scope)
            return self._true_value(key, eval(code, space), drawn, space)

        return change

    def _true_value(self, key: int, value: Any, drawn: Drawn, space: dict[str, Any]) -> Any:
        """The value with what is claimed of it replaced by the truth."""
        claim = self._made[key]
        parts = list(value) if isinstance(value, tuple | list) and len(claim.names) > 1 else [value]
        for k, (name, index) in enumerate(zip(claim.names, claim.indices, strict=True)):
            if name is None:
                continue
            truth = self._bench.truth(drawn, name)
            if truth is None:
                continue
            if index is not None:
                truth = truth[eval(compiled(index), space)]
            parts[k] = np.array(truth)
        return tuple(parts) if len(claim.names) > 1 else parts[0]


def _error(value: Any, true: Any) -> float | None:
    """The largest error relative to the largest true entry."""
    if not all(is_number(part) for part in (value if isinstance(value, tuple) else (value,))):
        return None
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


def _alike(value: Any, true: Any) -> bool:
    if isinstance(true, tuple):
        pairs = zip(value, true, strict=False)
        return isinstance(value, tuple | list) and all(_alike(v, t) for v, t in pairs)
    if not is_number(true):
        return True
    return is_number(value) and np.asarray(value).dtype == np.float64 and close(value, true, CLOSE)
