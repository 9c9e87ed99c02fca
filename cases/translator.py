"""A neural machine translator, whole: embeddings, encoder both ways, attention, decoder, loss.

Luong, Pham and Manning (2015), "Effective approaches to attention-based neural machine
translation", arXiv:1508.04025, with input feeding; the encoder that reads both ways is that of
Bahdanau, Cho and Bengio (2015), arXiv:1409.0473, here in two layers. It is a system of cells that
are cases of their own, where their lines are judged: embedding.py, ragged_lstm.py, lstm_cs231n.py,
masked_attention.py, cross_entropy.py. What is derived here is how they hang together.

S source and T target positions of B pairs of sentences; source[s, b] is a token below V, read up
to lengths[b]; targets[t, b] is one below Y, counted where mask is 1; given[t, b] is what the
decoder is told before it, usually the target at t-1. D features of an embedding, H units of the
encoder in each direction, A features of the attention vector.
The leading axis of W1, b1, W2, b2 is (forward, backward), and the backward direction begins at each
source's own last token. The second layer reads [forward; backward] of the first. The decoder has
2H units and starts from the second layer's last [forward; backward] states. Its input is
[E_tgt[given[t]]; attention[t-1]], attention[-1] being zeros, and its memory the second layer's
outputs. a[t, s, b] is the weight that target position t gives to source position s; loss is the
mean cross-entropy, in nats.
Classic slip: the memory gets the attention's gradient of one decoder step, not the sum of all.
"""

import numpy as np
from cross_entropy import cross_entropy_masked_mean
from embedding import embedding
from lstm_cs231n import lstm_cs231n
from masked_attention import masked_attention
from ragged_lstm import ragged_lstm


def translator(
    E_src: "V D",
    E_tgt: "Y D",
    W1: "2 D+H 4*H",
    b1: "2 4*H",
    W2: "2 3*H 4*H",
    b2: "2 4*H",
    W_dec: "D+A 8*H",
    U_dec: "2*H 8*H",
    b_dec: "8*H",
    W_mem: "2*H 2*H",
    W_att: "4*H A",
    Wy: "A Y",
    by: "Y",
    *,
    source: "S B < V",
    lengths: "B <= S",
    given: "T B < Y",
    targets: "T B < Y",
    mask: "T B in {0, 1}",
):
    x, source_backward = embedding(E_src, ids=source)
    lower, lower_backward = _both_ways(x, W1, b1, lengths)
    upper, upper_backward = _both_ways(lower[0], W2, b2, lengths)
    memory, h, c = upper

    y, given_backward = embedding(E_tgt, ids=given)
    fed = np.zeros((source.shape[1], W_att.shape[1]))
    attentions, weights, decoder, attend = [], [], [], []
    for y_t in y:
        told = np.concatenate([y_t, fed], axis=1)
        (h, c), decoder_backward = lstm_cs231n(told, h, c, W_dec, U_dec, b_dec)
        (fed, a_t), attend_backward = masked_attention(h, memory, W_mem, W_att, lengths=lengths)
        attentions.append(fed)
        weights.append(a_t)
        decoder.append(decoder_backward)
        attend.append(attend_backward)
    attention, a = np.stack(attentions), np.stack(weights)  # T B A, T S B
    loss, head_backward = cross_entropy_masked_mean(attention, Wy, by, targets=targets, mask=mask)

    def backward(dloss, dattention, da):
        dhead, dWy, dby = head_backward(dloss)
        dattention = dattention + dhead
        dy, dmemory = np.zeros_like(y), np.zeros_like(memory)
        dW_dec, dU_dec, db_dec = np.zeros_like(W_dec), np.zeros_like(U_dec), np.zeros_like(b_dec)
        dW_mem, dW_att = np.zeros_like(W_mem), np.zeros_like(W_att)

        dfed = np.zeros_like(attention[0])  # the last attention vector is fed to nothing
        dh, dc = np.zeros_like(h), np.zeros_like(c)
        for t in reversed(range(len(y))):
            dh_t, dmemory_t, dW_mem_t, dW_att_t = attend[t](dattention[t] + dfed, da[t])
            dtold, dh, dc, dW_dec_t, dU_dec_t, db_dec_t = decoder[t](dh + dh_t, dc)
            dy[t], dfed = np.split(dtold, [y.shape[2]], axis=1)
            dmemory += dmemory_t  # every step of the decoder reads all of the memory
            dW_mem += dW_mem_t
            dW_att += dW_att_t
            dW_dec += dW_dec_t
            dU_dec += dU_dec_t
            db_dec += db_dec_t
        dE_tgt = given_backward(dy)

        # dh and dc: from the decoder's start into the encoder's end. The lower layer's last
        # states are read by nothing.
        dlower, dW2, db2 = upper_backward(dmemory, dh, dc)
        dx, dW1, db1 = lower_backward(dlower, np.zeros_like(dh), np.zeros_like(dc))
        dE_src = source_backward(dx)
        return dE_src, dE_tgt, dW1, db1, dW2, db2, dW_dec, dU_dec, db_dec, dW_mem, dW_att, dWy, dby

    return (loss, attention, a), backward


def _both_ways(x, W, b, lengths):
    """The LSTM both ways from zeros: all h, the last h and the last c, each [forward; backward]."""
    start = np.zeros((x.shape[1], W.shape[2] // 4))
    (h_fwd, *last_fwd), backward_fwd = ragged_lstm(x, start, start, W[0], b[0], lengths=lengths)
    turned = _turned(x, lengths)
    (h_bwd, *last_bwd), backward_bwd = ragged_lstm(
        turned, start, start, W[1], b[1], lengths=lengths
    )
    h = np.concatenate([h_fwd, _turned(h_bwd, lengths)], axis=2)
    h_last, c_last = np.concatenate([last_fwd, last_bwd], axis=2)

    def backward(dh, dh_last, dc_last):
        dh_fwd, dh_bwd = np.split(dh, 2, axis=2)
        dlast_fwd, dlast_bwd = np.split(np.stack([dh_last, dc_last]), 2, axis=2)
        dx_fwd, _, _, dW_fwd, db_fwd = backward_fwd(dh_fwd, *dlast_fwd)
        dx_bwd, _, _, dW_bwd, db_bwd = backward_bwd(_turned(dh_bwd, lengths), *dlast_bwd)
        dx = dx_fwd + _turned(dx_bwd, lengths)  # both directions have read x
        return dx, np.stack([dW_fwd, dW_bwd]), np.stack([db_fwd, db_bwd])

    return (h, h_last, c_last), backward


def _turned(x, lengths):
    """Each sequence from its own last step to its first, what lies behind left where it is.

    Turned twice is as before, so gradients are turned back in the same way.
    """
    t = np.arange(len(x))[:, None]
    at = np.where(t < lengths, lengths - 1 - t, t)
    return x[at, np.arange(x.shape[1])]
