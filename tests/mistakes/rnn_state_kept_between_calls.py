# red: law[purity] law[again] -- the second backward of one forward finds da already changed

import numpy as np


def rnn(x: "B D", h_prev: "B H", W: "D H", U: "H H", b: "H"):
    h = np.tanh(x @ W + h_prev @ U + b)

    slope = 1 - h**2

    def backward(dh):
        da = np.multiply(dh, slope)
        slope[:] = 0
        dx = da @ W.T
        dh_prev = da @ U.T
        dW = x.T @ da
        dU = h_prev.T @ da
        db = da.sum(axis=0)
        return dx, dh_prev, dW, dU, db

    return h, backward
