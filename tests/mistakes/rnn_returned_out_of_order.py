# red: dW dU law[permutation] -- the gradients come in the order of the arguments
# wrong: return dx, dh_prev, dU, dW, db
# right: return dx, dh_prev, dW, dU, db

import numpy as np


def rnn(x: "B D", h_prev: "B H", W: "D H", U: "H H", b: "H"):
    h = np.tanh(x @ W + h_prev @ U + b)

    def backward(dh):
        da = dh * (1 - h**2)
        dx = da @ W.T
        dh_prev = da @ U.T
        dW = x.T @ da
        dU = h_prev.T @ da
        db = da.sum(axis=0)
        return dx, dh_prev, dU, dW, db

    return h, backward
