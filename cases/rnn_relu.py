"""The recurrent cell with a relu, whose gradient neither fades nor saturates where a unit is on.

Le, Jaitly and Hinton (2015), "A simple way to initialize recurrent networks of rectified linear
units", arXiv:1504.00941 (their IRNN starts from U = I, which changes no equation).
B sequences, D inputs, H units. At a = 0 the slope jumps from 0 to 1; here it is 0, as in PyTorch.
Classic slip: `h >= 0` for the slope, which is true of every unit, those that are off included.
"""

import numpy as np


def rnn_relu(x: "B D", h_prev: "B H", W: "D H", U: "H H", b: "H"):
    a = x @ W + h_prev @ U + b
    h: "kink where a = 0" = np.maximum(a, 0)

    def backward(dh):
        da = dh * (a > 0)
        dx = da @ W.T
        dh_prev = da @ U.T
        dW = x.T @ da
        dU = h_prev.T @ da
        db = da.sum(axis=0)
        return dx, dh_prev, dW, dU, db

    return h, backward
