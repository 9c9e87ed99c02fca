"""Bahdanau attention for one decoder step: the score is a small tanh network, not a product.

Bahdanau, Cho and Bengio (2015), "Neural machine translation by jointly learning to align and
translate", ICLR, arXiv:1409.0473. B sequences, S source positions, M features of the memory (the
encoder's outputs), Q features of the query, in the paper the decoder's PREVIOUS state, A units of
the score: score[b, s] = v . tanh(query W_q + memory W_m + bias) and a = softmax of it over S;
context = the sum over S of a times the memory. The outputs are the context and a.
Classic slip: the query's gradient is not summed over the source positions that all read it.
"""

import numpy as np


def bahdanau_attention(query: "B Q", memory: "B S M", W_q: "Q A", W_m: "M A", bias: "A", v: "A"):
    e = np.tanh((query @ W_q)[:, None, :] + memory @ W_m + bias)  # B S A
    score = e @ v
    a = softmax(score)
    context = np.einsum("bs,bsm->bm", a, memory)

    def backward(dcontext, da):
        da = da + np.einsum("bm,bsm->bs", dcontext, memory)
        dscore = a * (da - (a * da).sum(axis=1, keepdims=True))  # softmax
        dv = np.einsum("bs,bsa->a", dscore, e)
        de = dscore[:, :, None] * v
        dpre = de * (1 - e**2)  # before the tanh

        dsum = dpre.sum(axis=1)  # every source position reads the one query
        dquery = dsum @ W_q.T
        dW_q = query.T @ dsum
        dmemory = np.einsum("bs,bm->bsm", a, dcontext) + dpre @ W_m.T
        dW_m = np.einsum("bsm,bsa->ma", memory, dpre)
        dbias = dpre.sum(axis=(0, 1))
        return dquery, dmemory, dW_q, dW_m, dbias, dv

    return (context, a), backward


def softmax(score):
    e = np.exp(score - score.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
