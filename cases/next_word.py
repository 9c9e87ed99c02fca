"""An LSTM that reads a few words and says the next one: the loss is on the last h alone.

The example of the Deep-Breathe articles (2019), "LSTM forward propagation" and "LSTM backward
propagation", around the cell of lstm_column.py, whose lines are judged there.
T words of one sentence are ids below V, and enter as one-hot columns; H units, W as in
lstm_column. Only the h after the last word meets the head, pred = Wy h + by, and the loss is
-log softmax(pred)[target], in nats. h0 and c0 are the states before the first word.
At the last step dc is 0, for nothing reads the last c; from there on it is what a step hands back.
Classic slip: dh of the head at every step, where the steps before the last get that of h alone.
"""

import numpy as np
from lstm_column import lstm_column


def next_word(
    h0: "H 1",
    c0: "H 1",
    W: "4*H 1+V+H",
    Wy: "V H",
    by: "V 1",
    *,
    words: "T < V",
    target: "1 < V",
    forget_bias=1.0,
):
    one_hot = np.eye(len(by))[:, :, None]  # one_hot[k] is the column of word k
    h, c = h0, c0
    steps = []
    for word in words:
        (h, c), step = lstm_column(one_hot[word], h, c, W, forget_bias=forget_bias)
        steps.append(step)
    pred = Wy @ h + by
    pred = pred - pred.max()  # softmax does not see it, exp no longer overflows
    p = np.exp(pred) / np.exp(pred).sum()
    y = one_hot[target[0]]
    loss = np.log(np.exp(pred).sum()) - (y * pred).sum()

    def backward(dloss):
        dpred = dloss * (p - y)
        dWy = dpred @ h.T
        dby = dpred
        dh = Wy.T @ dpred
        dc = np.zeros_like(c)
        dW = np.zeros_like(W)
        for step in reversed(steps):
            _, dh, dc, dW_t = step(dh, dc)  # the words are no parameters: dx is dropped
            dW = dW + dW_t
        return dh, dc, dW, dWy, dby

    return loss, backward
