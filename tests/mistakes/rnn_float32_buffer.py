# red: dW law[precision] -- a buffer of another type loses half of the digits
# wrong: dW = (x.T @ da).astype(np.float32)
# right: dW = x.T @ da

import numpy as np


def rnn(x: "B D", h_prev: "B H", W: "D H", U: "H H", b: "H"):
    h = np.tanh(x @ W + h_prev @ U + b)

    def backward(dh):
        da = dh * (1 - h**2)
        dx = da @ W.T
        dh_prev = da @ U.T
        dW = (x.T @ da).astype(np.float32)
        dU = h_prev.T @ da
        db = da.sum(axis=0)
        return dx, dh_prev, dW, dU, db

    return h, backward
