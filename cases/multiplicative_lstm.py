"""LSTM whose recurrent input is a product, m = (x @ Wmx) * (h_prev @ Wmh), in place of h_prev.

Krause, Lu, Murray and Renals (2016), "Multiplicative LSTM for sequence modelling",
arXiv:1609.07959, in the form of OpenAI's "Learning to generate reviews and discovering sentiment"
(2017), without its weight normalisation.
B sequences, D inputs, H units, all row by row: a = x @ Wx + m @ Wh + b, whose 4H columns are
i, f, o, u (input, forget, output, candidate). m has no bias and no activation; one bias for the
gates, no forget bias. c = f * c_prev + i * u and h = o * tanh(c) are carried.
Classic slip: x reaches the gates by two ways, and the one through m is lost; or h_prev, which
reaches them through m alone, is given a direct one.
"""

import numpy as np


def multiplicative_lstm(
    x: "B D",
    h_prev: "B H",
    c_prev: "B H",
    Wx: "D 4*H",
    Wh: "H 4*H",
    Wmx: "D H",
    Wmh: "H H",
    b: "4*H",
):
    mx = x @ Wmx
    mh = h_prev @ Wmh
    m = mx * mh
    ai, af, ao, au = np.split(x @ Wx + m @ Wh + b, 4, axis=1)
    i = sigmoid(ai)
    f = sigmoid(af)
    o = sigmoid(ao)
    u = np.tanh(au)
    c = f * c_prev + i * u
    h = o * np.tanh(c)

    def backward(dh, dc):
        do = dh * np.tanh(c)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        di = dc * u
        df = dc * c_prev
        du = dc * i
        dc_prev = dc * f

        dai = di * i * (1 - i)
        daf = df * f * (1 - f)
        dao = do * o * (1 - o)
        dau = du * (1 - u**2)

        da = np.concatenate([dai, daf, dao, dau], axis=1)
        dm = da @ Wh.T
        dmx = dm * mh
        dmh = dm * mx

        dx = da @ Wx.T + dmx @ Wmx.T  # straight to the gates, and through m
        dh_prev = dmh @ Wmh.T  # through m alone
        dWx = x.T @ da
        dWh = m.T @ da
        dWmx = x.T @ dmx
        dWmh = h_prev.T @ dmh
        db = da.sum(axis=0)
        return dx, dh_prev, dc_prev, dWx, dWh, dWmx, dWmh, db

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
