# red: law[precision] -- the slope loses half of its digits, although all that comes out is float64

import numpy as np


def rnn(x: "B D", h_prev: "B H", W: "D H", U: "H H", b: "H"):
    h = np.tanh(x @ W + h_prev @ U + b)

    def backward(dh):
        da = dh * (1 - h**2).astype(np.float32)
        dx = da @ W.T
        dh_prev = da @ U.T
        dW = x.T @ da
        dU = h_prev.T @ da
        db = da.sum(axis=0)
        return dx, dh_prev, dW, dU, db

    return h, backward
