"""LSTM on column vectors, with the bias in the first column of its only matrix.

Hochreiter and Schmidhuber (1997), "Long short-term memory", Neural Computation 9(8):1735-1780,
with a forget gate, in the layout of the Deep-Breathe articles (2019), which reproduce
TensorFlow's BasicLSTMCell on columns.
Every column is a sequence: D inputs, H units, B sequences. z = [1, x, h_prev] stacks a row of
ones, x and h_prev, and a = W @ z; the rows of W are stacked f, i, g, o (forget, input, candidate,
output), and its column 0 is the bias. forget_bias is added to the forget gate's pre-activation at
run time, on top of the bias in W. The states carried are h and c.
Classic slip: x cut out of dz at row 0, where the ones are, or with H where D is meant.
"""

import numpy as np


def lstm_column(x: "D B", h_prev: "H B", c_prev: "H B", W: "4*H 1+D+H", *, forget_bias=1.0):
    D, B = x.shape
    z = np.concatenate([np.ones((1, B)), x, h_prev], axis=0)
    af, ai, ag, ao = np.split(W @ z, 4, axis=0)
    f = sigmoid(af + forget_bias)
    i = sigmoid(ai)
    g = np.tanh(ag)
    o = sigmoid(ao)
    c = f * c_prev + i * g
    h = o * np.tanh(c)

    def backward(dh, dc):
        do = dh * np.tanh(c)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        df = dc * c_prev
        di = dc * g
        dg = dc * i
        dc_prev = dc * f

        daf = df * f * (1 - f)
        dai = di * i * (1 - i)
        dag = dg * (1 - g**2)
        dao = do * o * (1 - o)

        da = np.concatenate([daf, dai, dag, dao], axis=0)
        dW = da @ z.T  # sums over the batch; column 0 meets the ones, and is the bias gradient
        dz = W.T @ da
        dx, dh_prev = dz[1 : 1 + D], dz[1 + D :]  # dz[0] would be the gradient of the ones
        return dx, dh_prev, dc_prev, dW

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
