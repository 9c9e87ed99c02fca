"""Softmax cross-entropy of a linear head: the gradient is p - y over the loss's own normaliser.

Bridle (1990), "Probabilistic interpretation of feedforward classification network outputs, with
relationships to statistical pattern recognition", Neurocomputing, Springer, 227-236.
logits = h Wy + by, p = softmax(logits) along the last axis, and the loss of one position is
-log p[target], in nats. T steps, B sequences, H units, V classes. Four cells, one for each
normaliser in use; all compute log p as logits less their log-sum-exp with the largest subtracted
first. That largest is no constant, but both halves of log p contain it, so it drops out.
Classic slip: the loss is divided by something and the gradient by something else.
"""

import numpy as np


def cross_entropy_sum(h: "T B H", Wy: "H V", by: "V", *, targets: "T B < V"):
    """The sum over all positions, as in min-char-rnn."""
    log_p = log_softmax(h @ Wy + by)
    y = np.eye(len(by))[targets]  # one-hot
    loss = -(y * log_p).sum()

    def backward(dloss):
        dlogits = dloss * (np.exp(log_p) - y)
        dh = dlogits @ Wy.T
        dWy = np.einsum("tbh,tbv->hv", h, dlogits)
        dby = dlogits.sum(axis=(0, 1))
        return dh, dWy, dby

    return loss, backward


def cross_entropy_mean(h: "T B H", Wy: "H V", by: "V", *, targets: "T B < V"):
    """The mean over all T*B positions, as PyTorch's cross_entropy takes it."""
    T, B = targets.shape
    log_p = log_softmax(h @ Wy + by)
    y = np.eye(len(by))[targets]
    loss = -(y * log_p).sum() / (T * B)

    def backward(dloss):
        dlogits = dloss * (np.exp(log_p) - y) / (T * B)
        dh = dlogits @ Wy.T
        dWy = np.einsum("tbh,tbv->hv", h, dlogits)
        dby = dlogits.sum(axis=(0, 1))
        return dh, dWy, dby

    return loss, backward


def cross_entropy_masked_mean(
    h: "T B H", Wy: "H V", by: "V", *, targets: "T B < V", mask: "T B in {0, 1}"
):
    """The mean over the positions where mask is 1; where it is 0, the targets count for nothing.

    The sum of the losses there over max(sum(mask), 1): with no position at all the loss is 0 and
    so are its gradients, not 0/0.
    """
    count = max(mask.sum(), 1)
    log_p = log_softmax(h @ Wy + by)
    y = np.eye(len(by))[targets]
    loss = -(mask[:, :, None] * y * log_p).sum() / count

    def backward(dloss):
        dlogits = dloss * mask[:, :, None] * (np.exp(log_p) - y) / count
        dh = dlogits @ Wy.T
        dWy = np.einsum("tbh,tbv->hv", h, dlogits)
        dby = dlogits.sum(axis=(0, 1))
        return dh, dWy, dby

    return loss, backward


def cross_entropy_tensorflow(logits: "B T V", *, targets: "B T < V", weights: "B T in {0, 0.5, 1}"):
    """TensorFlow 1's sequence_loss, averaged across timesteps and batch: batch first, no head.

    The sum over all positions of weight * loss, over (the sum of the weights + 1e-12). The weights
    are any numbers, not just a mask, and constants.
    """
    total = weights.sum() + 1e-12
    log_p = log_softmax(logits)
    y = np.eye(logits.shape[2])[targets]
    loss = -(weights[:, :, None] * y * log_p).sum() / total

    def backward(dloss):
        return dloss * weights[:, :, None] * (np.exp(log_p) - y) / total

    return loss, backward


def log_softmax(a):
    a = a - a.max(axis=-1, keepdims=True)
    return a - np.log(np.exp(a).sum(axis=-1, keepdims=True))
