"""A text cut into chunks of characters, to be read one after the other."""

from dataclasses import dataclass

import numpy as np

from gradcheck.cells.cell import Array


@dataclass(frozen=True)
class Corpus:
    """A text cut into chunks; ``inputs`` and ``targets`` are (N, T, B), integers below V.

    Column b of one chunk goes on where column b of the chunk before it ends, so that the state
    can be carried. Character k is ``alphabet[k]``, and each target is the input that follows.
    """

    alphabet: str
    inputs: Array
    targets: Array


def cut(text: str, length: int, batch: int) -> Corpus:
    """Cut a text into chunks of ``length`` characters from ``batch`` sequences; a rest is left.

    Raises ValueError if the text is too short for one chunk.
    """
    chunks = (len(text) - 1) // (length * batch)
    if chunks < 1:
        raise ValueError(
            f"The text has {len(text)} characters, but {batch} sequences of {length} and the "
            f"character after the last need {length * batch + 1}."
        )
    alphabet = "".join(sorted(set(text)))
    codes = np.array([alphabet.index(character) for character in text])

    def chunked(characters: Array) -> Array:
        return characters.reshape(batch, chunks, length).transpose(1, 2, 0)

    used = batch * chunks * length
    return Corpus(alphabet, chunked(codes[:used]), chunked(codes[1 : used + 1]))
