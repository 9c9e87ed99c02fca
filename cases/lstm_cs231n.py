"""LSTM step and sequence of Stanford's CS231n, with the gates stacked in columns i, f, o, g.

CS231n (2016), assignment 3, "Image captioning with RNNs and LSTMs", rnn_layers.py, in the form
that was published as an answer to "Backpropagation for LSTM RNNs" on Stack Overflow.
N sequences, T steps, D inputs, H units, all row by row: a = x @ Wx + h_prev @ Wh + b, whose
4H columns are i, f, o, g (input, forget, output, candidate: the candidate is the LAST block, not
the third as in PyTorch). One bias, no forget bias.
lstm_cs231n is one step. lstm_cs231n_sequence is all T of them, from a given h0 and a cell state
of zeros; its one output is h at every step.
Classic slip: `d_next_c += ...` in the published step, which writes into the caller's array.
"""

import numpy as np


def lstm_cs231n(x: "N D", h_prev: "N H", c_prev: "N H", Wx: "D 4*H", Wh: "H 4*H", b: "4*H"):
    ai, af, ao, ag = np.split(x @ Wx + h_prev @ Wh + b, 4, axis=1)
    i = sigmoid(ai)
    f = sigmoid(af)
    o = sigmoid(ao)
    g = np.tanh(ag)
    c = f * c_prev + i * g
    z = np.tanh(c)
    h = o * z

    def backward(dh, dc):
        dz = o * dh
        do = z * dh
        dc = dc + (1 - z * z) * dz  # published as dc += ..., which overwrites the caller's array
        df = dc * c_prev
        dc_prev = dc * f
        di = dc * g
        dg = dc * i

        dag = (1 - g * g) * dg
        dao = o * (1 - o) * do
        daf = f * (1 - f) * df
        dai = i * (1 - i) * di

        da = np.concatenate([dai, daf, dao, dag], axis=1)
        dh_prev = da @ Wh.T
        dWh = h_prev.T @ da
        dx = da @ Wx.T
        dWx = x.T @ da
        db = np.sum(da, axis=0)
        return dx, dh_prev, dc_prev, dWx, dWh, db

    return (h, c), backward


def lstm_cs231n_sequence(x: "N T D", h0: "N H", Wx: "D 4*H", Wh: "H 4*H", b: "4*H"):
    T = x.shape[1]
    h_t, c_t = h0, np.zeros(h0.shape)
    hs, steps = [], []
    for t in range(T):
        (h_t, c_t), step_backward = lstm_cs231n(x[:, t], h_t, c_t, Wx, Wh, b)
        hs.append(h_t)
        steps.append(step_backward)
    h = np.stack(hs, axis=1)

    def backward(dh):
        dx = np.zeros_like(x)
        dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
        dh_next, dc_next = np.zeros_like(h0), np.zeros_like(h0)
        for t in reversed(range(T)):
            # h at step t is an output, and it is the state of step t + 1.
            dx_t, dh_prev, dc_prev, dWx_t, dWh_t, db_t = steps[t](dh[:, t] + dh_next, dc_next)
            dx[:, t] = dx_t
            dWx = dWx + dWx_t
            dWh = dWh + dWh_t
            db = db + db_t
            dh_next, dc_next = dh_prev, dc_prev
        dh0 = dh_next  # dc_next is dropped: the first cell state is a constant, zero
        return dx, dh0, dWx, dWh, db

    return h, backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
