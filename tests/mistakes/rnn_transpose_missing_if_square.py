# red: dx law[permutation] -- wrong only where D = H, as in a test with one size for all
# wrong: dx = da @ (W if W.shape[0] == W.shape[1] else W.T)
# right: dx = da @ W.T

import numpy as np


def rnn(x: "B D", h_prev: "B H", W: "D H", U: "H H", b: "H"):
    h = np.tanh(x @ W + h_prev @ U + b)

    def backward(dh):
        da = dh * (1 - h**2)
        dx = da @ (W if W.shape[0] == W.shape[1] else W.T)
        dh_prev = da @ U.T
        dW = x.T @ da
        dU = h_prev.T @ da
        db = da.sum(axis=0)
        return dx, dh_prev, dW, dU, db

    return h, backward
