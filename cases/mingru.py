"""minGRU and minLSTM: gates that see x alone, so that a parallel scan can replace the recurrence.

Feng et al. (2024), "Were RNNs all we needed?", arXiv:2410.01201, step by step rather than as a
scan, without biases. B sequences, D inputs, H units; products are x W.
The candidate is made positive by the g of the paper's log-space version: g(p) = p + 0.5 where
p >= 0, else sigmoid(p); at p = 0 the value is continuous and the slope jumps from 1/4 to 1.
minGRU: z = sigmoid(x Wz), h = (1 - z) h_prev + z g(x Wh), so z = 1 takes the new value.
minLSTM: f = sigmoid(x Wf), i = sigmoid(x Wi), and both are divided by f + i; the state is h.
Classic slip in minLSTM: f + i taken for a constant, so that the gates do not compete.
"""

import numpy as np


def mingru(x: "B D", h_prev: "B H", Wz: "D H", Wh: "D H"):
    z = sigmoid(x @ Wz)
    p = x @ Wh
    g: "kink where p = 0" = np.where(p >= 0, p + 0.5, sigmoid(p))
    h = (1 - z) * h_prev + z * g

    def backward(dh):
        dz = dh * (g - h_prev)
        dg = dh * z
        dh_prev = dh * (1 - z)
        daz = dz * z * (1 - z)
        dp = dg * np.where(p >= 0, 1, g * (1 - g))

        dx = daz @ Wz.T + dp @ Wh.T
        dWz = x.T @ daz
        dWh = x.T @ dp
        return dx, dh_prev, dWz, dWh

    return h, backward


def minlstm(x: "B D", h_prev: "B H", Wf: "D H", Wi: "D H", Wh: "D H"):
    f = sigmoid(x @ Wf)
    i = sigmoid(x @ Wi)
    p = x @ Wh
    g: "kink where p = 0" = np.where(p >= 0, p + 0.5, sigmoid(p))
    keep = f / (f + i)
    take = i / (f + i)
    h = keep * h_prev + take * g

    def backward(dh):
        dh_prev = dh * keep
        dg = dh * take
        dkeep = dh * h_prev
        dtake = dh * g
        # keep + take = 1, so that what one gains the other loses. Dividing by (f + i)**2 instead
        # would underflow where both gates are closed.
        df = (dkeep - dtake) * take / (f + i)
        di = (dtake - dkeep) * keep / (f + i)
        daf = df * f * (1 - f)
        dai = di * i * (1 - i)
        dp = dg * np.where(p >= 0, 1, g * (1 - g))

        dx = daf @ Wf.T + dai @ Wi.T + dp @ Wh.T
        dWf = x.T @ daf
        dWi = x.T @ dai
        dWh = x.T @ dp
        return dx, dh_prev, dWf, dWi, dWh

    return h, backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
