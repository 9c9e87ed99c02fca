"""LSTM with zoneout: some units keep the value of the step before, by a mask that is given.

Krueger et al. (2016), "Zoneout: regularizing RNNs by randomly preserving hidden activations",
arXiv:1606.01305, in training.
B sequences, D inputs, H units; rows of W, U and b are stacked i, f, o, g (input, forget, output,
candidate), W acts on x and U on h_prev; one bias, no forget bias.
An LSTM step makes c_new = f * c_prev + i * g and h_new = o * tanh(c_new), from c_new and not from
the zoned c. Where mask_c is 1 the unit keeps c_prev, where it is 0 it takes c_new; mask_h does the
same for h. Nothing is rescaled. The states carried, and the outputs, are the zoned h and c.
Classic slip: the path around the cell, dc * mask_c, left out of dc_prev, or the mask's polarity.
"""

import numpy as np


def zoneout_lstm(
    x: "B D",
    h_prev: "B H",
    c_prev: "B H",
    W: "4*H D",
    U: "4*H H",
    b: "4*H",
    *,
    mask_h: "B H in {0, 1}",
    mask_c: "B H in {0, 1}",
):
    ai, af, ao, ag = np.split(x @ W.T + h_prev @ U.T + b, 4, axis=1)
    i = sigmoid(ai)
    f = sigmoid(af)
    o = sigmoid(ao)
    g = np.tanh(ag)
    c_new = f * c_prev + i * g
    h_new = o * np.tanh(c_new)
    c = mask_c * c_prev + (1 - mask_c) * c_new
    h = mask_h * h_prev + (1 - mask_h) * h_new

    def backward(dh, dc):
        dh_new = dh * (1 - mask_h)
        do = dh_new * np.tanh(c_new)
        # h_new sees c_new even where the unit keeps its old c.
        dc_new = dc * (1 - mask_c) + dh_new * o * (1 - np.tanh(c_new) ** 2)
        di = dc_new * g
        df = dc_new * c_prev
        dg = dc_new * i

        dai = di * i * (1 - i)
        daf = df * f * (1 - f)
        dao = do * o * (1 - o)
        dag = dg * (1 - g**2)

        da = np.concatenate([dai, daf, dao, dag], axis=1)
        dx = da @ W
        dh_prev = dh * mask_h + da @ U
        dc_prev = dc * mask_c + dc_new * f
        dW = da.T @ x
        dU = da.T @ h_prev
        db = da.sum(axis=0)
        return dx, dh_prev, dc_prev, dW, dU, db

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
