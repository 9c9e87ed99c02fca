"""GRU whose reset gate acts on the state before the recurrent product, as first published.

Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical
machine translation", EMNLP, arXiv:1406.1078v3; with biases, as in Keras (reset_after=False) and
the GRUCell of TensorFlow 1 (which stacks the same numbers on [x, h_prev]).
B sequences, D inputs, H units; the rows of each W and U are units: x W' + h_prev U' + b.
r resets, z updates, n is the candidate (h with a tilde in the paper).
Polarity: z = 1 keeps the old state, h = z h_prev + (1 - z) n.
Classic slip: the state in dU where the forward has r * h_prev. gru.py has the other form.
"""

import numpy as np


def gru_cho(
    x: "B D",
    h_prev: "B H",
    Wr: "H D",
    Wz: "H D",
    W: "H D",
    Ur: "H H",
    Uz: "H H",
    U: "H H",
    br: "H",
    bz: "H",
    b: "H",
):
    r = sigmoid(x @ Wr.T + h_prev @ Ur.T + br)
    z = sigmoid(x @ Wz.T + h_prev @ Uz.T + bz)
    s = r * h_prev  # what is left of the state
    n = np.tanh(x @ W.T + s @ U.T + b)
    h = z * h_prev + (1 - z) * n

    def backward(dh):
        dz = dh * (h_prev - n)
        dn = dh * (1 - z)
        dan = dn * (1 - n**2)
        ds = dan @ U
        dr = ds * h_prev
        daz = dz * z * (1 - z)
        dar = dr * r * (1 - r)

        # The state is read four times: by z's mixture, by the reset, and by both gates.
        dh_prev = dh * z + ds * r + dar @ Ur + daz @ Uz
        dx = dar @ Wr + daz @ Wz + dan @ W
        dWr, dUr, dbr = dar.T @ x, dar.T @ h_prev, dar.sum(axis=0)
        dWz, dUz, dbz = daz.T @ x, daz.T @ h_prev, daz.sum(axis=0)
        dW, dU, db = dan.T @ x, dan.T @ s, dan.sum(axis=0)
        return dx, dh_prev, dWr, dWz, dW, dUr, dUz, dU, dbr, dbz, db

    return h, backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
