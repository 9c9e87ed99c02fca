# red: db law[batch] law[permutation] -- M7, the other samples are left out
# wrong: db = da[0].copy()
# right: db = da.sum(axis=0).copy()

import numpy as np


def rnn(x: "B D", h_prev: "B H", W: "D H", U: "H H", b: "H"):
    h = np.tanh(x @ W + h_prev @ U + b)

    def backward(dh):
        da = dh * (1 - h**2)
        dx = da @ W.T
        dh_prev = da @ U.T
        dW = x.T @ da
        dU = h_prev.T @ da
        db = da[0].copy()
        return dx, dh_prev, dW, dU, db

    return h, backward
