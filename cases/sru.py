"""The simple recurrent unit: all products are with x, so that time is left with elementwise work.

Lei, Zhang, Wang, Dai and Artzi (2018), "Simple recurrent units for highly parallelizable
recurrence", EMNLP, arXiv:1709.02755. B sequences, H inputs and as many units, because the highway
adds x to the output; the rows of each W are units. f forgets, r is the reset (highway) gate, u is
the candidate W x (x with a tilde in the paper). The state is c; h is an output and not fed back.
`sru_v1` is arXiv:1709.02755v1 with g = tanh: h = r tanh(c) + (1 - r) x, gates that see x only.
`sru` is the published one, as the library has it by default: gates that see the old c through
vectors v, no activation, and a highway scaled by alpha, h = r c + (1 - r) alpha x.
Classic slip: the new c where r's gate reads the old one, in dvr.
"""

import numpy as np


def sru_v1(x: "B H", c_prev: "B H", W: "H H", Wf: "H H", Wr: "H H", bf: "H", br: "H"):
    u = x @ W.T
    f = sigmoid(x @ Wf.T + bf)
    r = sigmoid(x @ Wr.T + br)
    c = f * c_prev + (1 - f) * u
    g = np.tanh(c)
    h = r * g + (1 - r) * x

    def backward(dh, dc):
        dr = dh * (g - x)
        dg = dh * r
        dc = dc + dg * (1 - g**2)  # c reaches the loss through h, and by itself
        df = dc * (c_prev - u)
        du = dc * (1 - f)
        dc_prev = dc * f
        daf = df * f * (1 - f)
        dar = dr * r * (1 - r)

        dx = dh * (1 - r) + du @ W + daf @ Wf + dar @ Wr
        dW = du.T @ x
        dWf, dbf = daf.T @ x, daf.sum(axis=0)
        dWr, dbr = dar.T @ x, dar.sum(axis=0)
        return dx, dc_prev, dW, dWf, dWr, dbf, dbr

    return (h, c), backward


def sru(
    x: "B H",
    c_prev: "B H",
    W: "H H",
    Wf: "H H",
    Wr: "H H",
    vf: "H",
    vr: "H",
    bf: "H",
    br: "H",
    *,
    alpha=3**0.5,  # sqrt(1 + 2 exp(br)) at the start, where br = 0: keeps the variance of x
):
    u = x @ W.T
    f = sigmoid(x @ Wf.T + vf * c_prev + bf)
    r = sigmoid(x @ Wr.T + vr * c_prev + br)
    c = f * c_prev + (1 - f) * u
    h = r * c + (1 - r) * alpha * x

    def backward(dh, dc):
        dr = dh * (c - alpha * x)
        dc = dc + dh * r
        df = dc * (c_prev - u)
        du = dc * (1 - f)
        daf = df * f * (1 - f)
        dar = dr * r * (1 - r)

        dc_prev = dc * f + daf * vf + dar * vr
        dx = dh * (1 - r) * alpha + du @ W + daf @ Wf + dar @ Wr
        dW = du.T @ x
        dWf, dvf, dbf = daf.T @ x, (daf * c_prev).sum(axis=0), daf.sum(axis=0)
        dWr, dvr, dbr = dar.T @ x, (dar * c_prev).sum(axis=0), dar.sum(axis=0)
        return dx, dc_prev, dW, dWf, dWr, dvf, dvr, dbf, dbr

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
