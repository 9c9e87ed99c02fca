"""Two LSTM layers over a whole sequence, with a given dropout mask between them.

Zaremba, Sutskever and Vinyals (2014), "Recurrent neural network regularization",
arXiv:1409.2329: dropout acts on what goes up, never on what goes on in time. T steps, B sequences,
D inputs, H units in either layer. Each layer: [x_t, h_prev] W + b, stacked i, f, o, g along the
columns (g the candidate); c = f c_prev + i g, h = o tanh(c), no forget bias. The second layer reads
mask[t] * h1[t] / keep: inverted dropout, with a mask of its own at every step; the inputs and the
outputs of the stack, which the paper drops too, are left alone here.
The outputs are h of the upper layer at all steps, then the last h and c of the lower layer and
the last h and c of the upper one.
Classic slip: cutting the upper layer's input out of its gradient at D, where it has H columns.
"""

import numpy as np


def stacked_lstm(
    x: "T B D",
    h1_0: "B H",
    c1_0: "B H",
    h2_0: "B H",
    c2_0: "B H",
    W1: "D+H 4*H",
    b1: "4*H",
    W2: "H+H 4*H",
    b2: "4*H",
    *,
    mask: "T B H in {0, 1}",
    keep=0.8,
):
    h1, c1, h2, c2 = h1_0, c1_0, h2_0, c2_0
    h, lower, upper = [], [], []
    for t in range(len(x)):
        (h1, c1), backward1 = _step(x[t], h1, c1, W1, b1)
        (h2, c2), backward2 = _step(h1 * mask[t] / keep, h2, c2, W2, b2)
        h.append(h2)
        lower.append(backward1)
        upper.append(backward2)

    def backward(dh, dh1, dc1, dh2, dc2):
        dx = np.zeros_like(x)
        dW1, db1, dW2, db2 = (np.zeros_like(p) for p in (W1, b1, W2, b2))
        for t in reversed(range(len(x))):
            # dh1, dc1, dh2 and dc2 come from step t + 1, and at the end from outside.
            dup, dh2, dc2, dW2_t, db2_t = upper[t](dh[t] + dh2, dc2)
            dx[t], dh1, dc1, dW1_t, db1_t = lower[t](dup * mask[t] / keep + dh1, dc1)
            dW1 += dW1_t
            db1 += db1_t
            dW2 += dW2_t
            db2 += db2_t
        return dx, dh1, dc1, dh2, dc2, dW1, db1, dW2, db2

    return (np.stack(h), h1, c1, h2, c2), backward


def _step(x, h_prev, c_prev, W, b):
    z = np.concatenate([x, h_prev], axis=1)
    ai, af, ao, ag = np.split(z @ W + b, 4, axis=1)
    i, f, o, g = sigmoid(ai), sigmoid(af), sigmoid(ao), np.tanh(ag)
    c = f * c_prev + i * g
    h = o * np.tanh(c)

    def backward(dh, dc):
        dao = dh * np.tanh(c) * o * (1 - o)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        dai = dc * g * i * (1 - i)
        daf = dc * c_prev * f * (1 - f)
        dag = dc * i * (1 - g**2)
        da = np.concatenate([dai, daf, dao, dag], axis=1)
        dz = da @ W.T
        D = x.shape[1]  # H in the upper layer
        return dz[:, :D], dz[:, D:], dc * f, z.T @ da, da.sum(axis=0)

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
