"""The minimal gated unit: a GRU whose one gate both resets the state and updates it.

Zhou, Wu, Zhang and Zhou (2016), "Minimal gated unit for recurrent neural networks", International
Journal of Automation and Computing 13(3):226-234, arXiv:1603.09420.
B sequences, D inputs, H units; the rows of each W and U are units: x W' + h_prev U' + b (the paper
writes one matrix on [h_prev, x]). f is the gate, n the candidate (h with a tilde in the paper).
The reset acts before the product. Polarity: f = 1 takes the new value, h = (1 - f) h_prev + f n.
Classic slip: f reaches the state on two paths, and only that of the update is followed.
"""

import numpy as np


def mgu(
    x: "B D",
    h_prev: "B H",
    Wf: "H D",
    Uf: "H H",
    bf: "H",
    Wh: "H D",
    Uh: "H H",
    bh: "H",
):
    f = sigmoid(x @ Wf.T + h_prev @ Uf.T + bf)
    s = f * h_prev
    n = np.tanh(x @ Wh.T + s @ Uh.T + bh)
    h = (1 - f) * h_prev + f * n

    def backward(dh):
        dn = dh * f
        dan = dn * (1 - n**2)
        ds = dan @ Uh
        df = dh * (n - h_prev) + ds * h_prev  # as update, and as reset
        daf = df * f * (1 - f)

        dx = daf @ Wf + dan @ Wh
        dh_prev = dh * (1 - f) + ds * f + daf @ Uf
        dWf, dUf, dbf = daf.T @ x, daf.T @ h_prev, daf.sum(axis=0)
        dWh, dUh, dbh = dan.T @ x, dan.T @ s, dan.sum(axis=0)
        return dx, dh_prev, dWf, dUf, dbf, dWh, dUh, dbh

    return h, backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
