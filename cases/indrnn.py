"""IndRNN: each unit sees its own last state only, through a vector u in place of a matrix.

Li, Li, Cook, Zhu and Gao (2018), "Independently recurrent neural network (IndRNN): building a
longer and deeper RNN", CVPR, arXiv:1803.04831: h = relu(x W' + u h_prev + b). The paper bounds |u|,
which is the optimiser's affair and not in the forward. `indrnn_tanh` is the form of haste.
B sequences, D inputs, H units; the rows of W are units.
Classic slip: an outer product for du, which is a sum over the batch, entry by entry.
"""

import numpy as np


def indrnn(x: "B D", h_prev: "B H", W: "H D", u: "H", b: "H"):
    a = x @ W.T + u * h_prev + b
    h: "kink where a = 0" = np.maximum(a, 0)

    def backward(dh):
        da = dh * (a > 0)
        dx = da @ W
        dh_prev = da * u
        dW = da.T @ x
        du = (da * h_prev).sum(axis=0)
        db = da.sum(axis=0)
        return dx, dh_prev, dW, du, db

    return h, backward


def indrnn_tanh(x: "B D", h_prev: "B H", W: "H D", u: "H", b: "H"):
    h = np.tanh(x @ W.T + u * h_prev + b)

    def backward(dh):
        da = dh * (1 - h**2)
        dx = da @ W
        dh_prev = da * u
        dW = da.T @ x
        du = (da * h_prev).sum(axis=0)
        db = da.sum(axis=0)
        return dx, dh_prev, dW, du, db

    return h, backward
