# red: dW law[batch] law[permutation] -- M8, each sample overwrites what the ones before it gave
# wrong: dW = np.outer(x_n, da_n)
# right: dW = x.T @ da

import numpy as np


def rnn(x: "B D", h_prev: "B H", W: "D H", U: "H H", b: "H"):
    h = np.tanh(x @ W + h_prev @ U + b)

    def backward(dh):
        da = dh * (1 - h**2)
        dx = da @ W.T
        dh_prev = da @ U.T
        for x_n, da_n in zip(x, da, strict=True):
            dW = np.outer(x_n, da_n)
        dU = h_prev.T @ da
        db = da.sum(axis=0)
        return dx, dh_prev, dW, dU, db

    return h, backward
