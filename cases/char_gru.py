"""A character model on a GRU: one-hot characters in, a softmax head, the mean loss.

Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical
machine translation", EMNLP, arXiv:1406.1078v3, in the form of hipsternet: the cell is that of
gru_concatenated.py and the head that of cross_entropy.py, whose lines are judged there.
T steps, B sequences, V characters, H units; the state's rows of a weight matrix come first. The
loss is the mean over all T*B positions of -log softmax(h Wy + by)[target], in nats; the other
output is the last h, from which the next chunk of the texts goes on.
Classic slip: the head's dh at the last step only, which is right for next_word.py.
"""

import numpy as np
from cross_entropy import cross_entropy_mean
from gru_concatenated import gru_hipsternet


def char_gru(
    h0: "B H",
    Wz: "H+V H",
    Wr: "H+V H",
    Wn: "H+V H",
    bz: "H",
    br: "H",
    bn: "H",
    Wy: "H V",
    by: "V",
    *,
    inputs: "T B < V",
    targets: "T B < V",
):
    weights = Wz, Wr, Wn, bz, br, bn
    one_hot = np.eye(len(by))
    h = h0
    hs, steps = [], []
    for characters in inputs:
        h, step = gru_hipsternet(one_hot[characters], h, *weights)
        hs.append(h)
        steps.append(step)
    h_all = np.stack(hs)
    loss, head = cross_entropy_mean(h_all, Wy, by, targets=targets)

    def backward(dloss, dh):
        dh_all, dWy, dby = head(dloss)
        dweights = [np.zeros_like(weight) for weight in weights]
        for t in reversed(range(len(steps))):
            dh = dh + dh_all[t]  # h is read by the head and by the next step
            _, dh, *of_step = steps[t](dh)
            dweights = [total + one for total, one in zip(dweights, of_step, strict=True)]
        return dh, *dweights, dWy, dby

    return (loss, h), backward
