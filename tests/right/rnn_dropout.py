"""The plain recurrent cell with a dropout mask that is given, and so a constant."""

import numpy as np


def rnn_dropout(
    x: "B D",
    h_prev: "B H",
    W: "D H",
    U: "H H",
    b: "H",
    *,
    mask: "B H in {0, 1}",
    keep=0.8,
):
    h = np.tanh(x @ W + h_prev @ U + b)
    y = h * mask / keep

    def backward(dh, dy):
        dh = dh + dy * mask / keep
        da = dh * (1 - h**2)
        dx = da @ W.T
        dh_prev = da @ U.T
        dW = x.T @ da
        dU = h_prev.T @ da
        db = da.sum(axis=0)
        return dx, dh_prev, dW, dU, db

    return (h, y), backward
