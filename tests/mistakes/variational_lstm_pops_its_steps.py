# red: law[purity] law[again] -- the steps are taken out of their list: a second backward finds none

import numpy as np


def variational_lstm(
    x: "T B D",
    h0: "B H",
    c0: "B H",
    W: "4 D H",
    U: "4 H H",
    b: "4 H",
    *,
    mask_x: "4 B D in {0, 1}",
    mask_h: "4 B H in {0, 1}",
    keep_x=0.8,
    keep_h=0.6,
):
    T = x.shape[0]
    scale_x = mask_x / keep_x
    scale_h = mask_h / keep_h

    h_t, c = h0, c0
    hs, steps = [], []
    for t in range(T):
        x_seen = x[t] * scale_x  # four copies of x[t], one for each gate
        h_seen = h_t * scale_h
        c_prev = c
        ai, af, ag, ao = x_seen @ W + h_seen @ U + b[:, None]
        i = sigmoid(ai)
        f = sigmoid(af)
        g = np.tanh(ag)
        o = sigmoid(ao)
        c = f * c_prev + i * g
        h_t = o * np.tanh(c)
        hs.append(h_t)
        steps.append((x_seen, h_seen, c_prev, i, f, g, o, c))
    h = np.stack(hs)

    def backward(dh, dc):
        dx = np.zeros_like(x)
        dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
        dh_next = np.zeros_like(h0)
        for t in reversed(range(T)):
            x_seen, h_seen, c_prev, i, f, g, o, c = steps.pop()
            dh_t = dh[t] + dh_next
            do = dh_t * np.tanh(c)
            dc = dc + dh_t * o * (1 - np.tanh(c) ** 2)
            di = dc * g
            df = dc * c_prev
            dg = dc * i

            dai = di * i * (1 - i)
            daf = df * f * (1 - f)
            dag = dg * (1 - g**2)
            dao = do * o * (1 - o)

            da = np.stack([dai, daf, dag, dao])
            dW = dW + x_seen.transpose(0, 2, 1) @ da  # the weights met the masked input
            dU = dU + h_seen.transpose(0, 2, 1) @ da
            db = db + da.sum(axis=1)
            dx[t] = (da @ W.transpose(0, 2, 1) * scale_x).sum(axis=0)  # over the four gates
            dh_next = (da @ U.transpose(0, 2, 1) * scale_h).sum(axis=0)
            dc = dc * f
        dh0, dc0 = dh_next, dc
        return dx, dh0, dc0, dW, dU, db

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
