"""LSTM with a recurrent projection: the state h that is handed on is narrower than the memory c.

Sak, Senior and Beaufays (2014), "Long short-term memory based recurrent neural network
architectures for large vocabulary speech recognition", arXiv:1402.1128, without peepholes, in the
layout of torch.nn.LSTM(proj_size=P).
B sequences, D inputs, H units, P projected units; rows of W, U and b are stacked i, f, g, o (input,
forget, candidate, output), W acts on x and U on h_prev. One bias, no forget bias.
m = o * tanh(c) is what an LSTM usually calls h; here h = m @ W_hr.T, without a bias. The states
carried are h (P wide) and c (H wide).
Classic slip: h for m in dW_hr, which goes unnoticed while P = H.
"""

import numpy as np


def lstmp(x: "B D", h_prev: "B P", c_prev: "B H", W: "4*H D", U: "4*H P", W_hr: "P H", b: "4*H"):
    ai, af, ag, ao = np.split(x @ W.T + h_prev @ U.T + b, 4, axis=1)
    i = sigmoid(ai)
    f = sigmoid(af)
    g = np.tanh(ag)
    o = sigmoid(ao)
    c = f * c_prev + i * g
    m = o * np.tanh(c)
    h = m @ W_hr.T

    def backward(dh, dc):
        dm = dh @ W_hr
        dW_hr = dh.T @ m
        do = dm * np.tanh(c)
        dc = dc + dm * o * (1 - np.tanh(c) ** 2)
        di = dc * g
        df = dc * c_prev
        dg = dc * i
        dc_prev = dc * f

        dai = di * i * (1 - i)
        daf = df * f * (1 - f)
        dag = dg * (1 - g**2)
        dao = do * o * (1 - o)

        da = np.concatenate([dai, daf, dag, dao], axis=1)
        dx = da @ W
        dh_prev = da @ U
        dW = da.T @ x
        dU = da.T @ h_prev
        db = da.sum(axis=0)
        return dx, dh_prev, dc_prev, dW, dU, dW_hr, db

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
