"""A contract under which a derivation would be right, for its author to consider."""

from dataclasses import dataclass

from gradcheck.cells.cell import Contract


@dataclass(frozen=True)
class Hint:
    """What may be declared, and the ``outputs`` of the cell. A kink says in which line."""

    contract: Contract
    outputs: tuple[str, ...]
