"""LSTM without the tanh behind its state, h = s * o, as in a much-read tutorial.

Nicolas D. Jimenez (2014), "Simple LSTM", blog post and code (nicodjimenez/lstm), after Lipton,
Berkowitz and Elkan (2015), "A critical review of recurrent neural networks for sequence
learning", arXiv:1506.00019.
B sequences, D inputs, H units; each gate sees xc = [x, h_prev] (x first) through a matrix of its
own, H rows by D + H columns: a = xc @ W.T + b. g is the candidate (tanh), i, f, o the input,
forget and output gates (sigmoid); no forget bias. s = g * i + s_prev * f and h are carried.
The tutorial calls dh and ds top_diff_h and top_diff_s, and dh_prev and ds_prev bottom_diff.
Classic slip: the slope 1 - tanh(s)**2 that every other LSTM has here; s reaches h as it is.
"""

import numpy as np


def simple_lstm(
    x: "B D",
    h_prev: "B H",
    s_prev: "B H",
    Wg: "H D+H",
    Wi: "H D+H",
    Wf: "H D+H",
    Wo: "H D+H",
    bg: "H",
    bi: "H",
    bf: "H",
    bo: "H",
):
    xc = np.concatenate([x, h_prev], axis=1)
    g = np.tanh(xc @ Wg.T + bg)
    i = sigmoid(xc @ Wi.T + bi)
    f = sigmoid(xc @ Wf.T + bf)
    o = sigmoid(xc @ Wo.T + bo)
    s = g * i + s_prev * f
    h = s * o

    def backward(dh, ds):
        ds = o * dh + ds  # the tutorial's top_diff_s: s reaches the loss through h, and by itself
        do = s * dh
        di = g * ds
        dg = i * ds
        df = s_prev * ds
        ds_prev = ds * f

        dag = (1 - g**2) * dg
        dai = i * (1 - i) * di
        daf = f * (1 - f) * df
        dao = o * (1 - o) * do

        dWg, dbg = dag.T @ xc, dag.sum(axis=0)
        dWi, dbi = dai.T @ xc, dai.sum(axis=0)
        dWf, dbf = daf.T @ xc, daf.sum(axis=0)
        dWo, dbo = dao.T @ xc, dao.sum(axis=0)

        dxc = dag @ Wg + dai @ Wi + daf @ Wf + dao @ Wo
        D = x.shape[1]
        dx, dh_prev = dxc[:, :D], dxc[:, D:]
        return dx, dh_prev, ds_prev, dWg, dWi, dWf, dWo, dbg, dbi, dbf, dbo

    return (h, s), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
