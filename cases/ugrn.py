"""The update gate RNN: a tanh layer, and one gate that says how much of the old state stays.

Collins, Sohl-Dickstein and Sussillo (2017), "Capacity and trainability in recurrent neural
networks", ICLR, arXiv:1611.09913; stacked as in TensorFlow's UGRNNCell.
B sequences, D inputs, H units; [x, h_prev] W + b, columns stacked g, c (gate, candidate).
A forget bias of 1 is added to the gate at run time. Polarity: h = g h_prev + (1 - g) c.
Classic slip: the sign of h_prev - c in the gate's gradient.
"""

import numpy as np


def ugrn(x: "B D", h_prev: "B H", W: "D+H 2*H", b: "2*H", *, forget_bias=1.0):
    xh = np.concatenate([x, h_prev], axis=1)
    ag, ac = np.split(xh @ W + b, 2, axis=1)
    g = sigmoid(ag + forget_bias)
    c = np.tanh(ac)
    h = g * h_prev + (1 - g) * c

    def backward(dh):
        dg = dh * (h_prev - c)
        dc = dh * (1 - g)
        dag = dg * g * (1 - g)
        dac = dc * (1 - c**2)
        da = np.concatenate([dag, dac], axis=1)

        dW = xh.T @ da
        db = da.sum(axis=0)
        dxh = da @ W.T
        D = x.shape[1]
        dx = dxh[:, :D]
        dh_prev = dh * g + dxh[:, D:]
        return dx, dh_prev, dW, db

    return h, backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
