# red: dh dWy dby -- the signal is the target less the output: an ascent
# wrong: dy = dloss * (target - y)
# right: dy = dloss * (y - target)

import numpy as np


def squared_loss(h: "T B H", Wy: "H K", by: "K", *, target: "T B K"):
    y = h @ Wy + by
    loss = ((y - target) ** 2).sum() / 2

    def backward(dloss):
        dy = dloss * (target - y)
        dh = dy @ Wy.T
        dWy = np.einsum("tbh,tbk->hk", h, dy)
        dby = dy.sum(axis=(0, 1))
        return dh, dWy, dby

    return loss, backward
