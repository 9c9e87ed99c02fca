"""How the gradients answer to the values of lines: the matrix A of a linear system A x = b.

With the forward done, a backward is linear in what any of its lines computes. Each entry of a
line's value is moved once, and the change of every gradient and of every other line is seen: these
are the columns of A. b is what the gradients are off by, and x how a line, or two together, would
have to change.
"""

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck.arrays import is_number, leaves
from gradcheck.cells.cell import Array
from gradcheck.lines.drawn import Drawn
from gradcheck.lines.instrument import Change, Line
from gradcheck.lines.trial import Bench, whole_value
from gradcheck.source.evaluate import Evaluator

_LARGEST = 160  # entries of a line, over all the times it runs on a draw
SOLVED = 1e-8  # of each gradient's size: what may remain of its error


@dataclass(frozen=True)
class Needed:
    """Changes of lines that repair gradients, and what these see of each line.

    ``idle`` if any gradients at all could be reached so: then that there are some says nothing.
    """

    changes: dict[int, Array]
    shows: dict[int, Array]
    idle: bool


@dataclass(frozen=True)
class Response:
    """How one draw answers to the values of lines."""

    drawn: Drawn
    names: tuple[str, ...]  # of the arguments, in the order of the rows
    rows: Mapping[str, slice]
    error: Array  # truth less gradient as written, in units of each gradient's size
    values: Mapping[int, Array]  # of each line as written, over all the times that it runs
    gradients: Mapping[int, Array]  # change of the gradients with each entry of a line
    lines: Mapping[tuple[int, int], Array]  # change of the first line with the second

    def needed(self, keys: Sequence[int], names: Iterable[str]) -> "Needed | None":
        """Changes of the lines that repair the named gradients, if there are any."""
        rows = np.concatenate([np.arange(len(self.error))[self.rows[name]] for name in names])
        if len(keys) == 1:
            matrix = self.gradients[keys[0]]
        else:
            one, other = self._together(*keys)
            matrix = np.concatenate([one, other], axis=1)
        matrix, error = matrix[rows], self.error[rows]
        if not (np.isfinite(matrix).all() and np.isfinite(error).all()):
            return None
        change, _, rank, _ = np.linalg.lstsq(matrix, error, rcond=1e-11)
        if not np.max(np.abs(matrix @ change - error), initial=0.0) <= SOLVED:
            return None
        parts = np.cumsum([self.values[key].size for key in keys])[:-1]
        return Needed(
            dict(zip(keys, np.split(change, parts), strict=True)),
            dict(zip(keys, np.split(matrix, parts, axis=1), strict=True)),
            bool(rank >= len(rows)),
        )

    def _together(self, one: int, other: int) -> tuple[Array, Array]:
        """What the gradients see of two lines when the values of both are set."""
        forth, back = self.lines[other, one], self.lines[one, other]
        own = np.eye(forth.shape[1]) - back @ forth
        first = np.linalg.lstsq(
            own.T, (self.gradients[one] - self.gradients[other] @ forth).T, rcond=None
        )[0].T
        return first, self.gradients[other] - first @ back


def response(
    bench: Bench, drawn: Drawn, lines: Sequence[Line], active: Mapping[int, Change]
) -> Response:
    """Move every entry of every line once."""
    names = tuple(sorted(name for name in bench.names if name in drawn.truth))
    rows, start = {}, 0
    for name in names:
        rows[name] = slice(start, start + drawn.truth[name].size)
        start += drawn.truth[name].size
    scales = {n: float(np.max(np.abs(drawn.truth[n]), initial=0.0)) or 1.0 for n in names}

    def run(changes: Mapping[int, Change]) -> tuple[Array, dict[int, Array]]:
        recorders = {line.key: Recorder(line) for line in followed if line.key not in changes}
        returned = bench.run(drawn, {**recorders, **active, **changes})
        parts = [_part(returned[n], drawn.truth[n], scales[n]) for n in names]
        return np.concatenate(parts), {key: r.values() for key, r in recorders.items()}

    followed = [line for line in lines if line.key not in active and _simple(line)]
    plain, values = run({})
    written = bench.run(drawn, active)
    same = [_part(written[n], drawn.truth[n], scales[n]) for n in names]
    if not np.allclose(np.concatenate(same), plain, rtol=0, atol=1e-9, equal_nan=True):
        followed, values = [], {}  # a name shares memory with another: setting it is not enough
    followed = [line for line in followed if 0 < values[line.key].size <= _LARGEST]
    values = {line.key: values[line.key] for line in followed}
    truth = np.concatenate([drawn.truth[n].ravel() / scales[n] for n in names])
    gradients: dict[int, Array] = {}
    others: dict[tuple[int, int], Array] = {}
    for line in followed:
        columns, moves = [], []
        for k in range(values[line.key].size):
            moved = values[line.key].copy()
            step = max(1.0, float(np.max(np.abs(moved))))
            moved[k] += step
            found, seen = run({line.key: setting(line, moved)})
            columns.append((found - plain) / step)
            moves.append({key: (seen[key] - values[key]) / step for key in values if key in seen})
        gradients[line.key] = np.stack(columns, axis=1)
        for key in values:
            if key != line.key:
                others[key, line.key] = np.stack([move[key] for move in moves], axis=1)
    usable = {key for key, matrix in gradients.items() if np.isfinite(matrix).all()}
    return Response(
        drawn,
        names,
        rows,
        truth - plain,
        {key: values[key] for key in usable},
        {key: gradients[key] for key in usable},
        {(a, b): m for (a, b), m in others.items() if a in usable and b in usable},
    )


class Recorder:
    """Lets a line do what it did, and keeps what it gave each time."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.found: list[Array] = []

    def __call__(self, space: dict[str, Any]) -> Any:
        evaluator = Evaluator(space)
        value = increment(self.line, self.line.expression, evaluator)
        self.found.append(flat(value))
        return _whole(self.line, value, evaluator)

    def values(self) -> Array:
        return np.concatenate(self.found) if self.found else np.zeros(0)


def setting(line: Line, values: Array, spaces: list[dict[str, Any]] | None = None) -> Change:
    """Give the line these values, one time after the other; ``spaces`` collects where it ran."""
    place = 0

    def change(space: dict[str, Any]) -> Any:
        nonlocal place
        if spaces is not None:
            spaces.append({name: _kept(value) for name, value in space.items()})
        evaluator = Evaluator(space)
        like = increment(line, line.expression, evaluator)
        size = flat(like).size
        place = 0 if place + size > values.size else place  # the next run of the backward
        value = _shaped(like, values[place : place + size])
        place += size
        return _whole(line, value, evaluator)

    return change


def _simple(line: Line) -> bool:
    """Whether the line assigns a value that can be set."""
    statement = line.statement
    if isinstance(statement, ast.AugAssign):
        return isinstance(statement.op, ast.Add | ast.Sub | ast.Mult | ast.Div)
    return isinstance(statement, ast.Return) or (
        isinstance(statement, ast.Assign) and len(statement.targets) == 1
    )


def increment(line: Line, expression: ast.expr, evaluator: Evaluator) -> Any:
    """What the line gives with this right-hand side: by how much it changes what it reads itself.

    The terms of a sum over time are told apart by this; of their total only the last would count.
    """
    statement, value = line.statement, evaluator.value(expression)
    if isinstance(statement, ast.AugAssign):
        value = float(value) if type(value) is int else value  # d[n, y] -= 1
        if isinstance(statement.op, ast.Add | ast.Sub):
            return value if isinstance(statement.op, ast.Add) else -value
        value = evaluator.value(whole_value(line, expression))
    own = _before(line, value, evaluator)
    return value if own is None else value - own


def _whole(line: Line, value: Any, evaluator: Evaluator) -> Any:
    own = _before(line, value, evaluator)
    return value if own is None else own + value


def _before(line: Line, value: Any, evaluator: Evaluator) -> Any:
    """What the line's target was, if it reads it and keeps its shape."""
    own: Any = None if line.own is None else evaluator.value(line.own)
    alike = is_number(own) and is_number(value) and np.shape(own) == np.shape(value)
    return own if alike or isinstance(line.statement, ast.AugAssign) else None


def flat(value: Any) -> Array:
    parts = [np.asarray(part, float).ravel() for part in leaves(value) if is_number(part)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _shaped(like: Any, values: Array) -> Any:
    """The values in the form of another value."""
    if is_number(like):
        return values.reshape(np.shape(like)).copy() if np.ndim(like) else float(values[0])
    if isinstance(like, tuple | list):
        parts, place = [], 0
        for part in like:
            size = flat(part).size
            parts.append(_shaped(part, values[place : place + size]))
            place += size
        return type(like)(parts)
    if isinstance(like, dict):
        return dict(zip(like, _shaped(list(like.values()), values), strict=True))
    return like


def _kept(value: Any) -> Any:
    """A copy of what a later line may write into."""
    return value.copy() if isinstance(value, np.ndarray | list | dict) else value


def _part(gradient: Array | None, truth: Array, scale: float) -> Array:
    if gradient is None:
        return np.full(truth.size, np.nan)
    return gradient.ravel() / scale
