"""RG-LRU, Griffin's recurrence: a gated decay a, and an input scaled so that the variance stays.

De et al. (2024), "Griffin: mixing gated linear recurrences with local attention for efficient
language models", arXiv:2402.19427, in the form of recurrentgemma. B sequences, K blocks of M
channels; each gate's matrix has one square block for each K, x W per block: row in, column out.
r = sigmoid(x Wr + br), i = sigmoid(x Wi + bi), log a = -8 r softplus(a_param), and
h = a h_prev + sqrt(1 - a**2) i x. a_param is the paper's Lambda with the other sign. The resets at
the starts of documents are left out.
The slope of the square root is capped at 1000 on purpose, as in recurrentgemma: it is
1 / sqrt(max(4 gap, 1e-6)) for sqrt(gap), so the cap acts where gap < 2.5e-7.
Classic slip: one of a's two paths, that of the decay or that of the square root.
"""

import numpy as np


def rg_lru(
    x: "B K M",
    h_prev: "B K M",
    Wr: "K M M",
    br: "K M",
    Wi: "K M M",
    bi: "K M",
    a_param: "K M",
):
    r = sigmoid(np.einsum("bki,kij->bkj", x, Wr) + br)
    i = sigmoid(np.einsum("bki,kij->bkj", x, Wi) + bi)
    log_a = -8 * r * softplus(a_param)
    a = np.exp(log_a)
    gap = 1 - a**2
    s: "slope clipped where gap < 2.5e-7" = np.sqrt(gap)
    h = a * h_prev + s * i * x

    def backward(dh):
        dh_prev = dh * a
        ds = dh * i * x
        di = dh * s * x
        dgap = ds / np.sqrt(np.maximum(4 * gap, 1e-6))
        da = dh * h_prev - dgap * 2 * a
        dlog_a = da * a
        dr = dlog_a * -8 * softplus(a_param)
        da_param = (dlog_a * -8 * r).sum(axis=0) * sigmoid(a_param)
        dar = dr * r * (1 - r)
        dai = di * i * (1 - i)

        dx = dh * s * i
        dx = dx + np.einsum("bkj,kij->bki", dar, Wr) + np.einsum("bkj,kij->bki", dai, Wi)
        dWr, dbr = np.einsum("bki,bkj->kij", x, dar), dar.sum(axis=0)
        dWi, dbi = np.einsum("bki,bkj->kij", x, dai), dai.sum(axis=0)
        return dx, dh_prev, dWr, dbr, dWi, dbi, da_param

    return h, backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def softplus(a):
    return np.maximum(a, 0) + np.log1p(np.exp(np.minimum(a, -a)))
