# red: dWf law[linear] -- M15, clipping belongs to the optimiser: seen only where the gradient is large
# wrong: dWf = np.clip(dWf, -5, 5)
# right: dWf = dWf

import numpy as np


def lstm(
    x: "B D",
    h_prev: "B H",
    c_prev: "B H",
    Wf: "H+D H",
    Wi: "H+D H",
    Wc: "H+D H",
    Wo: "H+D H",
    bf: "H",
    bi: "H",
    bc: "H",
    bo: "H",
):
    z = np.concatenate([h_prev, x], axis=1)
    f = sigmoid(z @ Wf + bf)
    i = sigmoid(z @ Wi + bi)
    g = np.tanh(z @ Wc + bc)
    o = sigmoid(z @ Wo + bo)
    c = f * c_prev + i * g
    h = o * np.tanh(c)

    def backward(dh, dc):
        do = dh * np.tanh(c)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)  # c reaches the loss through h, and by itself
        df = dc * c_prev
        di = dc * g
        dg = dc * i
        dc_prev = dc * f

        daf = df * f * (1 - f)  # da is the gradient of a gate's pre-activation
        dai = di * i * (1 - i)
        dag = dg * (1 - g**2)
        dao = do * o * (1 - o)

        dWf, dbf = z.T @ daf, daf.sum(axis=0)
        dWi, dbi = z.T @ dai, dai.sum(axis=0)
        dWc, dbc = z.T @ dag, dag.sum(axis=0)
        dWo, dbo = z.T @ dao, dao.sum(axis=0)

        dz = daf @ Wf.T + dai @ Wi.T + dag @ Wc.T + dao @ Wo.T
        H = h_prev.shape[1]
        dh_prev, dx = dz[:, :H], dz[:, H:]
        dWf = np.clip(dWf, -5, 5)
        return dx, dh_prev, dc_prev, dWf, dWi, dWc, dWo, dbf, dbi, dbc, dbo

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
