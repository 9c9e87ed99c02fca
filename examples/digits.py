"""Strings of digits and their reversals, in padded batches: a language that a program can make.

Letters: S source and T target positions of B strings. A token is a digit, or one of two that only
a target has: ``END`` behind the last digit, and ``START``, which the decoder is told first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gradcheck.cells.cell import Array

END, START = 10, 11
SOURCE_TOKENS, TARGET_TOKENS = 10, 12


@dataclass(frozen=True)
class Batch:
    """Strings to be reversed, as the translator takes them, under its names.

    ``source`` is (S, B) and ``lengths`` (B,); ``given``, ``targets`` and ``mask`` are (T, B).
    Behind the ends stand zeros, which is also the token of the digit 0: nothing may read them.
    """

    source: Array
    lengths: Array
    given: Array
    targets: Array
    mask: Array


def batch(strings: Sequence[str]) -> Batch:
    """The strings with their reversals."""
    targets = [[*_tokens(string[::-1]), END] for string in strings]
    return Batch(
        _padded([_tokens(string) for string in strings]),
        np.array([len(string) for string in strings]),
        _padded([[START, *target[:-1]] for target in targets]),
        _padded(targets),
        _padded([[1] * len(target) for target in targets]),
    )


def drawn(
    generator: np.random.Generator,
    shortest: int,
    longest: int,
    without: frozenset[str] = frozenset(),
) -> Iterator[str]:
    """Without end: random strings, every length as often as another, none of those ``without``."""
    while True:
        length = generator.integers(shortest, longest + 1)
        string = "".join(str(digit) for digit in generator.integers(0, 10, length))
        if string not in without:
            yield string


def text(tokens: Sequence[int]) -> str:
    """What was written before the first token that is no digit."""
    digits: list[str] = []
    for token in tokens:
        if token >= END:
            break
        digits.append(str(token))
    return "".join(digits)


def _tokens(string: str) -> list[int]:
    return [int(digit) for digit in string]


def _padded(rows: Sequence[Sequence[int]]) -> Array:
    """The rows as columns, zeros below."""
    table = np.zeros((max(map(len, rows)), len(rows)), dtype=int)
    for column, row in enumerate(rows):
        table[: len(row), column] = row
    return table
