"""Encoder-decoder LSTM with Luong attention, whose decoder is fed its last attention vector.

Luong, Pham and Manning (2015), "Effective approaches to attention-based neural machine
translation", arXiv:1508.04025, in the form of TensorFlow 1: BasicLSTMCell, LuongAttention and
AttentionWrapper, one layer. B sequences, T source and S target steps, D features of the inputs x
and y (embeddings, not learned here), H units, A features of the attention vector.

Either LSTM: [1; input; h_prev] W, the bias in row 0 of W, gates stacked f, i, c, o along the
columns (the third is the candidate, a tanh); forget_bias is added to f before its sigmoid at run
time; c = f c_prev + i g, h = o tanh(c). The encoder starts from h0, c0 (TensorFlow: zeros), and its
h of all steps are the memory. The decoder starts from the encoder's last h and c, and its input
is [y[s]; attention[s-1]], attention[-1] being zeros. At each step keys = memory W_mem,
a = softmax over T of keys . h without a scale, context = sum over T of a times the memory,
attention[s] = [h; context] W_att, with no tanh and no biases. The output is the attention vectors.
Classic slip: the gradient that attention[s] gets back from the decoder's next input is lost.
"""

import numpy as np


def encoder_decoder(
    x: "T B D",
    y: "S B D",
    h0: "B H",
    c0: "B H",
    W_enc: "1+D+H 4*H",
    W_dec: "1+D+A+H 4*H",
    W_mem: "H H",
    W_att: "2*H A",
    *,
    forget_bias=1.0,
):
    T, S, D = len(x), len(y), x.shape[2]
    h, c = h0, c0
    memory, encoder = [], []
    for t in range(T):
        (h, c), backward_t = _lstm(x[t], h, c, W_enc, forget_bias)
        memory.append(h)
        encoder.append(backward_t)
    memory = np.stack(memory)  # T B H
    keys = memory @ W_mem

    fed = np.zeros((x.shape[1], W_att.shape[1]))
    attentions, decoder, attend = [], [], []
    for s in range(S):
        (h, c), backward_s = _lstm(np.concatenate([y[s], fed], axis=1), h, c, W_dec, forget_bias)
        fed, backward_a = _attend(h, memory, keys, W_att)
        attentions.append(fed)
        decoder.append(backward_s)
        attend.append(backward_a)
    attention = np.stack(attentions)

    def backward(dattention):
        dx, dy = np.zeros_like(x), np.zeros_like(y)
        dW_enc, dW_dec, dW_att = np.zeros_like(W_enc), np.zeros_like(W_dec), np.zeros_like(W_att)
        dmemory, dkeys = np.zeros_like(memory), np.zeros_like(keys)

        dfed = np.zeros_like(attention[0])  # the last attention vector is fed to nothing
        dh, dc = np.zeros_like(h0), np.zeros_like(c0)
        for s in reversed(range(S)):
            dh_s, dmemory_s, dkeys_s, dW_att_s = attend[s](dattention[s] + dfed)
            dinput, dh, dc, dW_dec_s = decoder[s](dh_s + dh, dc)
            dy[s], dfed = dinput[:, :D], dinput[:, D:]
            dmemory += dmemory_s  # every step of the decoder reads all of the memory
            dkeys += dkeys_s
            dW_att += dW_att_s
            dW_dec += dW_dec_s

        dmemory += dkeys @ W_mem.T
        dW_mem = np.einsum("tbh,tbk->hk", memory, dkeys)

        for t in reversed(range(T)):  # dh and dc: from the decoder's start into the encoder's end
            dx[t], dh, dc, dW_enc_t = encoder[t](dmemory[t] + dh, dc)
            dW_enc += dW_enc_t
        return dx, dy, dh, dc, dW_enc, dW_dec, dW_mem, dW_att

    return attention, backward


def _attend(h, memory, keys, W_att):
    a = softmax(np.einsum("tbh,bh->tb", keys, h))
    context = np.einsum("tb,tbh->bh", a, memory)
    hc = np.concatenate([h, context], axis=1)

    def backward(dattention):
        dhc = dattention @ W_att.T
        dh, dcontext = np.split(dhc, 2, axis=1)
        da = np.einsum("bh,tbh->tb", dcontext, memory)
        dscore = a * (da - (a * da).sum(axis=0))
        dh = dh + np.einsum("tb,tbh->bh", dscore, keys)
        dmemory = np.einsum("tb,bh->tbh", a, dcontext)
        dkeys = np.einsum("tb,bh->tbh", dscore, h)
        return dh, dmemory, dkeys, hc.T @ dattention

    return hc @ W_att, backward


def _lstm(x, h_prev, c_prev, W, forget_bias):
    z = np.concatenate([np.ones((len(x), 1)), x, h_prev], axis=1)
    af, ai, ag, ao = np.split(z @ W, 4, axis=1)
    f, i, g, o = sigmoid(af + forget_bias), sigmoid(ai), np.tanh(ag), sigmoid(ao)
    c = f * c_prev + i * g
    h = o * np.tanh(c)

    def backward(dh, dc):
        dao = dh * np.tanh(c) * o * (1 - o)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        daf = dc * c_prev * f * (1 - f)
        dai = dc * g * i * (1 - i)
        dag = dc * i * (1 - g**2)
        da = np.concatenate([daf, dai, dag, dao], axis=1)
        dz = da @ W.T
        D = x.shape[1]
        return dz[:, 1 : 1 + D], dz[:, 1 + D :], dc * f, z.T @ da

    return (h, c), backward


def softmax(score):
    e = np.exp(score - score.max(axis=0))
    return e / e.sum(axis=0)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
