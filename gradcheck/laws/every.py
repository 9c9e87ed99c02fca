"""Laws: what must hold of every backward, whatever its numbers; no oracle is asked.

Each law is one function of what is known on an example, and gives a finding: that it holds, what
breaks it, or why nothing can be said. docs/laws.md has the table for users.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gradcheck.evidence import Evidence, Examiner
from gradcheck.finding import Finding
from gradcheck.laws.again import again, repeatable
from gradcheck.laws.batch import apart, batch
from gradcheck.laws.chunks import chunks
from gradcheck.laws.cotangents import linear, zero
from gradcheck.laws.dtype import precision
from gradcheck.laws.fresh import fresh, of_a_file
from gradcheck.laws.layout import layout
from gradcheck.laws.padding import padded, padding
from gradcheck.laws.permutation import indifferent, permutation
from gradcheck.laws.states import composed
from gradcheck.laws.untouched import aliasing, purity


def _always(_: Examiner) -> bool:
    return True


@dataclass(frozen=True)
class Law:
    """What is found on an example; and to which cells the law applies at all."""

    judge: Callable[[Evidence], Finding]
    applies: Callable[[Examiner], bool] = _always


LAWS: dict[str, Law] = {
    "purity": Law(purity),
    "aliasing": Law(aliasing),
    "repeatable": Law(repeatable),
    "again": Law(again),
    "fresh": Law(fresh, of_a_file),
    "zero": Law(zero),
    "linear": Law(linear),
    "batch": Law(batch, lambda one: bool(one.fact(apart))),
    "permutation": Law(permutation, lambda one: bool(one.fact(indifferent))),
    "chunks": Law(chunks, lambda one: one.fact(composed) is not None),
    "padding": Law(padding, lambda one: bool(one.fact(padded))),
    "layout": Law(layout),
    "precision": Law(precision),
}


def of(examiner: Examiner) -> dict[str, Law]:
    """The laws that apply to a cell, by name."""
    return {name: law for name, law in LAWS.items() if law.applies(examiner)}
