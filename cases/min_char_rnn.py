"""min-char-rnn: a tanh RNN over a chunk of text with softmax and the SUM of its losses, no mean.

Karpathy (2015), "Minimal character-level language model with a vanilla recurrent neural network",
the gist min-char-rnn.py of "The unreasonable effectiveness of recurrent neural networks".
V characters, H units, T steps of one text: no batch. Everything is a column, h = tanh(Wxh x + Whh
h + bh) with x the one-hot inputs[t], y = Why h + by; the loss is the SUM over t of the
cross-entropies -log softmax(y)[targets[t]], in nats. hprev starts the chunk; the second output is
the state after its last step.

The gist stops at the chunk: it takes no gradient on the last state and returns none for hprev.
Here both are there; zero for dh gives the gist's gradients. It clips them to +-5 within the same
function; clipping is left to the optimizer here, since clipped gradients are not gradients. And it
exponentiates y as it is, which overflows above 709: here the largest is subtracted first.
Classic slip: by gets the gradient of h instead of that of y.
"""

import numpy as np


def min_char_rnn(
    hprev: "H 1",
    Wxh: "H V",
    Whh: "H H",
    Why: "V H",
    bh: "H 1",
    by: "V 1",
    *,
    inputs: "T < V",
    targets: "T < V",
):
    T, V = len(inputs), len(by)
    one_hot = np.eye(V)[:, :, None]  # one_hot[k] is the column of character k
    hs = {-1: hprev}  # a dict, for in a list hs[-1] would be the last state
    ps = {}
    loss = 0.0
    for t in range(T):
        hs[t] = np.tanh(Wxh @ one_hot[inputs[t]] + Whh @ hs[t - 1] + bh)
        y = Why @ hs[t] + by
        y = y - np.max(y)  # softmax does not see it, exp no longer overflows
        ps[t] = np.exp(y) / np.sum(np.exp(y))
        loss = loss + np.log(np.sum(np.exp(y))) - y[targets[t], 0]
    h = hs[T - 1]

    def backward(dloss, dh):
        dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
        dbh, dby = np.zeros_like(bh), np.zeros_like(by)
        dhnext = dh
        for t in reversed(range(T)):
            dy = dloss * (ps[t] - one_hot[targets[t]])
            dWhy += dy @ hs[t].T
            dby += dy
            dh = Why.T @ dy + dhnext  # h is read twice: by y and by the next step
            da = dh * (1 - hs[t] ** 2)
            dWxh += da @ one_hot[inputs[t]].T
            dWhh += da @ hs[t - 1].T
            dbh += da
            dhnext = Whh.T @ da
        return dhnext, dWxh, dWhh, dWhy, dbh, dby

    return (loss, h), backward
