"""A character model to train: an LSTM over one-hot characters, a softmax head, the mean loss.

The LSTM of Hochreiter and Schmidhuber (1997), "Long short-term memory", Neural Computation
9(8):1735-1780, with the forget gate of Gers, Schmidhuber and Cummins (2000), on the concatenated
[h_prev, x]; the task of Karpathy (2015), "The unreasonable effectiveness of recurrent neural
networks". T steps, B sequences, V characters, H units. x[t] is the one-hot inputs[t]: row H + k of
a weight matrix belongs to character k. f, i, o = sigmoid, g = tanh; c = f c_prev + i g, h = o
tanh(c), no forget bias but the one in bf. logits = h Wy + by; the loss is the mean over all T*B
positions of -log softmax(logits)[target], in nats. The other outputs are the last h and c, from
which the next chunk of the texts goes on.
Classic slip: the mean over T*B in the loss, but over B, or not at all, in the gradient.
"""

import numpy as np


def char_lstm(
    h0: "B H",
    c0: "B H",
    Wf: "H+V H",
    Wi: "H+V H",
    Wc: "H+V H",
    Wo: "H+V H",
    bf: "H",
    bi: "H",
    bc: "H",
    bo: "H",
    Wy: "H V",
    by: "V",
    *,
    inputs: "T B < V",
    targets: "T B < V",
):
    T, B = inputs.shape
    one_hot = np.eye(len(by))
    hs, cs, steps = [h0], [c0], []
    for t in range(T):
        z = np.concatenate([hs[-1], one_hot[inputs[t]]], axis=1)
        f = sigmoid(z @ Wf + bf)
        i = sigmoid(z @ Wi + bi)
        g = np.tanh(z @ Wc + bc)
        o = sigmoid(z @ Wo + bo)
        cs.append(f * cs[-1] + i * g)
        hs.append(o * np.tanh(cs[-1]))
        steps.append((z, f, i, g, o))

    h_all = np.stack(hs[1:])
    logits = h_all @ Wy + by
    logits = logits - logits.max(axis=2, keepdims=True)  # softmax does not see it
    log_p = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    y = one_hot[targets]
    loss = -(y * log_p).sum() / (T * B)

    def backward(dloss, dh, dc):
        dlogits = dloss * (np.exp(log_p) - y) / (T * B)
        dWy = np.einsum("tbh,tbv->hv", h_all, dlogits)
        dby = dlogits.sum(axis=(0, 1))
        dh_all = dlogits @ Wy.T

        dWf, dWi, dWc, dWo = (np.zeros_like(W) for W in (Wf, Wi, Wc, Wo))
        dbf, dbi, dbc, dbo = (np.zeros_like(b) for b in (bf, bi, bc, bo))
        for t in reversed(range(T)):
            z, f, i, g, o = steps[t]
            tanh_c = np.tanh(cs[t + 1])  # cs[t + 1] is c after step t, cs[t] before it
            dh = dh + dh_all[t]
            dc = dc + dh * o * (1 - tanh_c**2)

            daf = dc * cs[t] * f * (1 - f)
            dai = dc * g * i * (1 - i)
            dag = dc * i * (1 - g**2)
            dao = dh * tanh_c * o * (1 - o)

            dWf += z.T @ daf
            dWi += z.T @ dai
            dWc += z.T @ dag
            dWo += z.T @ dao
            dbf += daf.sum(axis=0)
            dbi += dai.sum(axis=0)
            dbc += dag.sum(axis=0)
            dbo += dao.sum(axis=0)

            dz = daf @ Wf.T + dai @ Wi.T + dag @ Wc.T + dao @ Wo.T
            dh = dz[:, : h0.shape[1]]  # the rest of dz belongs to the one-hot characters
            dc = dc * f
        return dh, dc, dWf, dWi, dWc, dWo, dbf, dbi, dbc, dbo, dWy, dby

    return (loss, hs[-1], cs[-1]), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
