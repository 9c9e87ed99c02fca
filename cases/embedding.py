"""Embedding lookup: rows of a table by token id; its gradient is a sum, for ids repeat.

Bengio et al. (2003), "A neural probabilistic language model", Journal of Machine Learning Research
3:1137-1155. V tokens, D features, B sequences of T token ids; x[b, t] is row ids[b, t] of E.
Classic slip: dE[ids] += dx, which in NumPy keeps only one of the terms of an id that repeats.
"""

import numpy as np


def embedding(E: "V D", *, ids: "B T < V"):
    x = E[ids]

    def backward(dx):
        dE = np.zeros_like(E)
        np.add.at(dE, ids, dx)
        return dE

    return x, backward


def embedding_padded(E: "V D", *, ids: "B T < V", padding=0):
    """The id ``padding`` stands for no token: its vector is zero, whatever its row of E holds.

    So the row's gradient is zero because nothing reads it. PyTorch's padding_idx does read the row
    and leaves its gradient out: the same as long as the row is zero, as PyTorch initialises it, and
    no gradient of the forward otherwise.
    """
    token = (ids != padding)[:, :, None]
    x = np.where(token, E[ids], 0)

    def backward(dx):
        dE = np.zeros_like(E)
        np.add.at(dE, ids, np.where(token, dx, 0))
        return dE

    return x, backward
