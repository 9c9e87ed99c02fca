"""GRU on concatenated inputs, [h_prev, x] and [r h_prev, x], whose z = 1 takes the new value.

Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical
machine translation", EMNLP, arXiv:1406.1078v3, as written by Kristiadi in hipsternet: one matrix
and one bias for each gate, and the reset before the product.
B sequences, D inputs, H units; the rows of each W are first the state's, then the input's.
Polarity: h = (1 - z) h_prev + z n, the other way round than in the paper and in gru_cho.py.
Classic slip: the polarity of one source with the gradient of the other, a sign in dWz.
"""

import numpy as np


def gru_hipsternet(
    x: "B D",
    h_prev: "B H",
    Wz: "H+D H",
    Wr: "H+D H",
    Wn: "H+D H",
    bz: "H",
    br: "H",
    bn: "H",
):
    hx = np.concatenate([h_prev, x], axis=1)
    z = sigmoid(hx @ Wz + bz)
    r = sigmoid(hx @ Wr + br)
    sx = np.concatenate([r * h_prev, x], axis=1)
    n = np.tanh(sx @ Wn + bn)
    h = (1 - z) * h_prev + z * n

    def backward(dh):
        dz = dh * (n - h_prev)
        dn = dh * z
        dan = dn * (1 - n**2)
        dsx = dan @ Wn.T
        H = h_prev.shape[1]
        ds, dx_n = dsx[:, :H], dsx[:, H:]
        dr = ds * h_prev
        daz = dz * z * (1 - z)
        dar = dr * r * (1 - r)

        dWz, dbz = hx.T @ daz, daz.sum(axis=0)
        dWr, dbr = hx.T @ dar, dar.sum(axis=0)
        dWn, dbn = sx.T @ dan, dan.sum(axis=0)

        dhx = daz @ Wz.T + dar @ Wr.T
        dh_prev = dh * (1 - z) + ds * r + dhx[:, :H]
        dx = dx_n + dhx[:, H:]
        return dx, dh_prev, dWz, dWr, dWn, dbz, dbr, dbn

    return h, backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
