"""LSTM with dropout on the candidate alone, so that the memory itself is never erased.

Semeniuta, Severyn and Barth (2016), "Recurrent dropout without memory loss", arXiv:1603.05118, as
in TensorFlow's LayerNormBasicLSTMCell(layer_norm=False, dropout_keep_prob=keep).
B sequences, D inputs, H units; z = [x, h_prev] (x first) meets one matrix W of D + H rows and one
bias; the 4H columns are i, j, f, o (input, candidate, forget, output), and forget_bias is added to
the forget gate's pre-activation at run time.
g = tanh(j) * mask / keep, with a mask of 0 and 1 that is given and is another at every step;
c = f * c_prev + i * g and h = o * tanh(c) are carried.
Classic slip: the mask or 1 / keep missing in backward, or 1 - g**2 taken of the masked g.
"""

import numpy as np


def recurrent_dropout_lstm(
    x: "B D",
    h_prev: "B H",
    c_prev: "B H",
    W: "D+H 4*H",
    b: "4*H",
    *,
    mask: "B H in {0, 1}",
    keep=0.8,
    forget_bias=1.0,
):
    z = np.concatenate([x, h_prev], axis=1)
    ai, aj, af, ao = np.split(z @ W + b, 4, axis=1)
    i = sigmoid(ai)
    j = np.tanh(aj)
    f = sigmoid(af + forget_bias)
    o = sigmoid(ao)
    g = j * mask / keep
    c = f * c_prev + i * g
    h = o * np.tanh(c)

    def backward(dh, dc):
        do = dh * np.tanh(c)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        di = dc * g  # the input gate met the masked candidate
        dg = dc * i
        df = dc * c_prev
        dc_prev = dc * f
        dj = dg * mask / keep

        dai = di * i * (1 - i)
        daj = dj * (1 - j**2)
        daf = df * f * (1 - f)
        dao = do * o * (1 - o)

        da = np.concatenate([dai, daj, daf, dao], axis=1)
        dW = z.T @ da
        db = da.sum(axis=0)
        dz = da @ W.T
        D = x.shape[1]
        dx, dh_prev = dz[:, :D], dz[:, D:]
        return dx, dh_prev, dc_prev, dW, db

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
