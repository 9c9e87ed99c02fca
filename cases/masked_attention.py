"""Luong attention over a padded memory: what lies behind the end of a source gets no weight.

Luong, Pham and Manning (2015), "Effective approaches to attention-based neural machine
translation", arXiv:1508.04025, the "general" score; in the form of TensorFlow 1's LuongAttention
with a memory_sequence_length, which has no tanh at the end and no biases.
S source positions, B sequences, M features of the memory (the encoder's outputs), H units of the
decoder, A features of the attention vector; memory[s, b] is an encoder's output where
s < lengths[b] and padding, which may hold anything, where not. keys = memory W_mem,
score = keys . h with no scale, a = softmax of it over the positions that are there and 0 elsewhere,
context = the sum over S of a times the memory itself, attention = [h; context] W_att.
Classic slip: scores of padding set to 0, which is a weight like any other, in place of -inf.
"""

import numpy as np


def masked_attention(h: "B H", memory: "S B M", W_mem: "M H", W_att: "H+M A", *, lengths: "B <= S"):
    live = np.arange(len(memory))[:, None] < lengths  # S B
    read = np.where(live[:, :, None], memory, 0)  # 0 times a padding of inf or NaN would not be 0
    keys = read @ W_mem
    score = np.where(live, np.einsum("sbh,bh->sb", keys, h), -np.inf)
    a = softmax(score)
    context = np.einsum("sb,sbm->bm", a, read)
    hc = np.concatenate([h, context], axis=1)
    attention = hc @ W_att

    def backward(dattention, da):
        dW_att = hc.T @ dattention
        dhc = dattention @ W_att.T
        H = h.shape[1]
        dh, dcontext = dhc[:, :H], dhc[:, H:]

        da = da + np.einsum("bm,sbm->sb", dcontext, read)
        dscore = a * (da - (a * da).sum(axis=0))  # softmax; 0 where a is
        dkeys = np.einsum("sb,bh->sbh", dscore, h)

        dh = dh + np.einsum("sb,sbh->bh", dscore, keys)  # h is read twice, and so is the memory
        dmemory = np.einsum("sb,bm->sbm", a, dcontext) + dkeys @ W_mem.T
        dW_mem = np.einsum("sbm,sbh->mh", read, dkeys)
        return dh, dmemory, dW_mem, dW_att

    return (attention, a), backward


def softmax(score):
    e = np.exp(score - score.max(axis=0))
    return e / e.sum(axis=0)
