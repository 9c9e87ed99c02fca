"""The squared loss of a linear output: the signal is the output less the target.

Rumelhart, Hinton and Williams (1986), "Learning representations by back-propagating errors",
Nature 323:533-536: E = 1/2 sum (y - target)^2, with y = h Wy + by here. T steps, B sequences,
H units, K outputs; the loss is a sum over all of them, not a mean.
Classic slip: the target less the output, which is the way that a step of descent goes and not the
gradient; a much-read answer on the backpropagation of LSTMs has it.
"""

import numpy as np


def squared_loss(h: "T B H", Wy: "H K", by: "K", *, target: "T B K"):
    y = h @ Wy + by
    loss = ((y - target) ** 2).sum() / 2

    def backward(dloss):
        dy = dloss * (y - target)
        dh = dy @ Wy.T
        dWy = np.einsum("tbh,tbk->hk", h, dy)
        dby = dy.sum(axis=(0, 1))
        return dh, dWy, dby

    return loss, backward
