"""The LSTM of a lecture slide with all its parameters in one matrix, as the slide ends.

Arun Mallya (2016), "LSTM forward and backward pass", lecture slides. The cell is that of
lstm_slide.py: xh = [x, h_prev] stacked (the slide's I), hat = Theta xh, whose rows are stacked
a, i, f, o (candidate, input, forget, output); D inputs, H units, B sequences as columns. No biases.
The slide's last line but one is the gradient of all the parameters at once, the product of the
four gradients stacked and the transpose of xh; over time it is added up.
Classic slip: xh for its transpose, and the four side by side in place of above each other, so that
nothing fits but by chance; so printed in a copy of this slide (docs/sources.md).
"""

import numpy as np


def lstm_slide_stacked(x: "D B", h_prev: "H B", c_prev: "H B", Theta: "4*H D+H"):
    xh = np.concatenate([x, h_prev], axis=0)
    hat = Theta @ xh
    a_hat, i_hat, f_hat, o_hat = np.split(hat, 4, axis=0)
    a = np.tanh(a_hat)
    i = sigmoid(i_hat)
    f = sigmoid(f_hat)
    o = sigmoid(o_hat)
    c = a * i + c_prev * f
    h = np.tanh(c) * o

    def backward(dh, dc):
        do = dh * np.tanh(c)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        da_hat = dc * i * (1 - a**2)
        di_hat = dc * a * i * (1 - i)
        df_hat = dc * c_prev * f * (1 - f)
        do_hat = do * o * (1 - o)
        dhat = np.concatenate([da_hat, di_hat, df_hat, do_hat], axis=0)
        dTheta = dhat @ xh.T
        dxh = Theta.T @ dhat
        D = len(x)
        return dxh[:D], dxh[D:], dc * f, dTheta

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
