# red: dx dh_prev dW dU db dbU -- z is the share of the old state
# wrong: dz = dh * (n - h_prev)
# right: dz = dh * (h_prev - n)

import numpy as np


def gru(x: "B D", h_prev: "B H", W: "3*H D", U: "3*H H", b: "3*H", bU: "3*H"):
    xr, xz, xn = np.split(x @ W.T + b, 3, axis=1)
    hr, hz, hn = np.split(h_prev @ U.T + bU, 3, axis=1)
    r = sigmoid(xr + hr)
    z = sigmoid(xz + hz)
    n = np.tanh(xn + r * hn)
    h = (1 - z) * n + z * h_prev

    def backward(dh):
        dn = dh * (1 - z)
        dz = dh * (n - h_prev)
        dan = dn * (1 - n**2)
        daz = dz * z * (1 - z)
        dr = dan * hn
        dar = dr * r * (1 - r)

        da = np.concatenate([dar, daz, dan], axis=1)  # towards x
        da_h = np.concatenate([dar, daz, dan * r], axis=1)  # towards h_prev, behind the reset gate
        dx = da @ W
        dh_prev = dh * z + da_h @ U
        dW = da.T @ x
        dU = da_h.T @ h_prev
        db = da.sum(axis=0)
        dbU = da_h.sum(axis=0)
        return dx, dh_prev, dW, dU, db, dbU

    return h, backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
