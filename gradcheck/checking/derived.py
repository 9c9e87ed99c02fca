"""How far a cell is derived: not at all, in part, or as a whole."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from gradcheck.cells.cell import Cell
from gradcheck.checking.check import Check
from gradcheck.checking.result import Result
from gradcheck.drawing import draw, sizes
from gradcheck.drawing.draw import Example
from gradcheck.errors import CaseError
from gradcheck.finding import Reason, Wrong
from gradcheck.source.listing import Listing
from gradcheck.source.pruned import pruned
from gradcheck.source.unfinished import Unfinished, unfinished

SUBJECT = "backward"  # the node of a cell that is not derived as a whole
NOT_YET = "not derived yet"


@dataclass(frozen=True)
class Derived:
    """What of a cell can be checked; ``half`` is what its backward lacks, if that is begun, and
    ``runs`` whether it returns an entry for each argument meanwhile.
    """

    cell: Cell
    half: Unfinished | None = None
    runs: bool = True

    @property
    def whole(self) -> bool:
        return self.cell.derived and self.half is None

    @property
    def wrong(self) -> Wrong | None:
        """What is missing, in one message; None where nothing is begun, or nothing missing."""
        if self.half is None:
            return None
        facts = {
            "missing": self.half.missing,
            "stages": tuple((one.line, one.source, one.missing) for one in self.half.stages),
            "gradients": self.cell.gradients,
            "runs": self.runs,
        }
        return Wrong("unfinished", SUBJECT, facts=facts)

    @property
    def missing(self) -> tuple[str, ...]:
        """The gradients that are not derived yet."""
        return self.cell.gradients if self.half is None else self.half.missing

    def result(self, file: str) -> Result:
        """What the closing table says of a cell that is not derived as a whole."""
        unjudged = {Reason.NOT_DERIVED.value: len(self.missing)}
        said = tuple(map(str, self.cell.contracts))
        return Result(file, self.cell.name, SUBJECT, "", False, 0, unjudged, 0.0, 0.0, 0.0, said)

    def judged(self, every: Iterable[Check]) -> Iterator[Check]:
        """The checks of what is there: the forward, and the gradients that are returned."""
        yield from (check for check in every if self.whole or self._there(check))

    def _there(self, check: Check) -> bool:
        if check.subject == "forward":
            return True
        if self.half is None or not self.runs or check.oracle == "unrolled":
            return False  # a step that hands nothing on cannot be unrolled
        return check.argument is not None and check.subject not in self.half.missing


def derived(cell: Cell, read: Callable[[], Listing]) -> Derived:
    """How far a cell is derived; ``read`` lists its lines, where what it returns asks for that."""
    if not cell.derived:
        return Derived(cell)
    returned = _returned(cell)
    runs = returned is not None and len(returned) == len(cell.arguments)
    if runs and returned is not None and not any(one is None or one is ... for one in returned):
        return Derived(cell)
    try:
        return Derived(cell, unfinished(cell, read()), runs)
    except CaseError:  # its lines cannot be followed: each gradient tells for itself
        return Derived(cell)


def as_far_as_it_goes(cell: Cell, read: Callable[[], Listing]) -> tuple[Listing, Derived]:
    """The lines of a cell that can be judged, and how far it is derived.

    Raises CaseError if its lines cannot be followed.
    """
    far, listing = derived(cell, read), read()
    return (listing if far.half is None else pruned(listing, far.half)), far


def _returned(cell: Cell) -> Sequence[object] | None:
    """What its backward returns on small numbers, in parts; None if that is nothing, or fails."""
    example = Example(tuple(sizes.rising(cell.size_names).items()), 0)
    try:
        outputs, backward = cell.run(draw.writable(draw.inputs(cell, example)))
        returned = backward([d.copy() for d in draw.cotangents(outputs, example)])
    except Exception:  # its checks tell, unless it is half-written
        return None
    return returned if isinstance(returned, tuple | list) or returned is None else (returned,)
