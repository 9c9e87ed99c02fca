"""Luong attention for one decoder step: unscaled scores against projected keys, raw values.

Luong, Pham and Manning (2015), "Effective approaches to attention-based neural machine
translation", arXiv:1508.04025, the "general" score; in the form of TensorFlow 1's LuongAttention
with an AttentionWrapper, which has no tanh at the end and no biases. B sequences, S source
positions, M features of the memory (the encoder's outputs), H units of the decoder, A features of
the attention vector. keys = memory W_mem, score = keys . h with no scale, a = softmax of it over S,
context = the sum over S of a times the memory itself, attention = [h; context] W_att.
Classic slip: the memory gets the gradient of the context only, not the one through the keys.
"""

import numpy as np


def luong_attention(h: "B H", memory: "B S M", W_mem: "M H", W_att: "H+M A"):
    keys = memory @ W_mem
    score = np.einsum("bsh,bh->bs", keys, h)
    a = softmax(score)
    context = np.einsum("bs,bsm->bm", a, memory)
    hc = np.concatenate([h, context], axis=1)
    attention = hc @ W_att

    def backward(dattention, da):
        dW_att = hc.T @ dattention
        dhc = dattention @ W_att.T
        H = h.shape[1]
        dh, dcontext = dhc[:, :H], dhc[:, H:]

        da = da + np.einsum("bm,bsm->bs", dcontext, memory)
        dscore = a * (da - (a * da).sum(axis=1, keepdims=True))  # softmax
        dkeys = np.einsum("bs,bh->bsh", dscore, h)

        dh = dh + np.einsum("bs,bsh->bh", dscore, keys)  # h is read twice, and so is the memory
        dmemory = np.einsum("bs,bm->bsm", a, dcontext) + dkeys @ W_mem.T
        dW_mem = np.einsum("bsm,bsh->mh", memory, dkeys)
        return dh, dmemory, dW_mem, dW_att

    return (attention, a), backward


def softmax(score):
    e = np.exp(score - score.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
