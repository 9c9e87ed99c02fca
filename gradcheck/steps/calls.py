"""One call of a cell, forwards and back, with all that its lines assign."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradcheck.arrays import is_number
from gradcheck.cells.cell import Array, Backward, Cell
from gradcheck.cells.returned import Unusable, gradients
from gradcheck.drawing import draw
from gradcheck.errors import CaseError, what_raised
from gradcheck.lines import instrument
from gradcheck.lines.instrument import Change, Line, Script
from gradcheck.source.listing import Listing
from gradcheck.steps.loops import handed_on
from gradcheck.steps.watch import Noted, Watch, watched


@dataclass(frozen=True)
class Ahead:
    """A call of the forward: what went in, what its lines assigned, what came out."""

    inputs: Mapping[str, Any]
    noted: tuple[Noted, ...]
    outputs: Mapping[str, Array]
    backward: Backward
    scope: Mapping[str, Any]


@dataclass(frozen=True)
class Assigned:
    """What a line of the backward assigned, under the name that it has there."""

    name: str
    line: int
    value: Array


@dataclass(frozen=True)
class Back:
    """A call of the backward: what its lines assigned, and the gradient of each argument.

    One that it does not return in a usable form is None; ``failed`` says what it raised.
    """

    assigned: tuple[Assigned, ...]
    returned: Mapping[str, Array | None]
    failed: str = ""


@dataclass(frozen=True)
class Calls:
    """A cell as it is called; ``script`` and ``watch`` follow its lines, where that can be."""

    cell: Cell
    script: Script | None = None
    watch: Watch = field(default_factory=Watch)
    handed_on: frozenset[str] = frozenset()  # from turn to turn of a loop

    @classmethod
    def of(cls, listing: Listing) -> "Calls":
        """Of a cell as it is written. Raises CaseError if its lines cannot be followed."""
        watch = Watch()
        script = instrument.script(watched(listing, watch))
        return cls(script.cell, script, watch, handed_on(listing.function))

    def ahead(self, inputs: Mapping[str, Any]) -> Ahead:
        """Call the forward. Raises CaseError with what the author's code raises."""
        inputs = draw.writable(inputs)
        with np.errstate(all="ignore"):
            try:
                outputs, backward = self.cell.run(inputs)
            except CaseError:
                raise
            except Exception as error:
                raise CaseError(f"The forward fails with {self._raised(error)}") from None
        scope = dict(self.script.hooks.scope) if self.script else {}
        named = dict(zip(self.cell.outputs, (np.array(one) for one in outputs), strict=True))
        return Ahead(inputs, tuple(self.watch.noted), named, backward, scope)

    def back(
        self,
        ahead: Ahead,
        cotangents: Sequence[Array],
        changes: Mapping[int, Change] | None = None,
    ) -> Back:
        """Call the backward, as its author wrote it or with some lines changed."""
        if self.script is not None:
            hooks = self.script.hooks
            hooks.changes, hooks.scope = dict(changes or {}), dict(ahead.scope)
            hooks.watching, hooks.seen, hooks.spaces, hooks.order = True, {}, {}, []
        returned, failed = None, ""
        try:
            returned = ahead.backward([np.array(d) for d in cotangents])
        except Exception as error:
            failed = f"The backward fails with {self._raised(error)}"
        finally:
            if self.script is not None:
                hooks.changes, hooks.watching = {}, False
        arguments = [ahead.inputs[argument.name] for argument in self.cell.arguments]
        found = gradients(self.cell, returned, arguments)
        usable = {n: None if isinstance(g, Unusable) else np.array(g) for n, g in found.items()}
        return Back(tuple(self._assigned()), usable, failed)

    def _raised(self, error: Exception) -> str:
        source = self.cell.source
        return what_raised(error, source.path if source else None)

    def _assigned(self) -> Iterator[Assigned]:
        """What the backward's own lines assigned, in the order in which they ran."""
        if self.script is None:
            return
        lines = {line.key: line for line in self.script.lines if not line.site and not line.absent}
        counts = dict.fromkeys(lines, 0)
        for key in self.script.hooks.order:
            if key in lines:
                value = self.script.hooks.seen[key][counts[key]]
                counts[key] += 1
                yield from _named(lines[key], value)


def _named(line: Line, value: Any) -> Iterator[Assigned]:
    """The values of a line by the names of its targets, those that are numbers."""
    targets = _targets(line.statement)
    values = value if len(targets) > 1 and isinstance(value, tuple) else (value,)
    if len(targets) == len(values):
        for target, one in zip(targets, values, strict=True):
            if is_number(one):
                yield Assigned(ast.unparse(target), line.number, np.asarray(one))


def _targets(statement: ast.stmt) -> list[ast.expr]:
    match statement:
        case ast.Assign(targets=[ast.Tuple(elts=elements), *_]):
            return elements
        case ast.Assign(targets=[target, *_]) | ast.AugAssign(target=target):
            return [target]
    return []
