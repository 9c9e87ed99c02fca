"""The four normalisers over PyTorch's own cross-entropy."""

from torch.nn import functional


def cross_entropy_sum(h, Wy, by, *, targets):
    return _losses(h @ Wy + by, targets, "sum")


def cross_entropy_mean(h, Wy, by, *, targets):
    return _losses(h @ Wy + by, targets, "mean")


def cross_entropy_masked_mean(h, Wy, by, *, targets, mask):
    losses = _losses(h @ Wy + by, targets, "none")
    return (mask.flatten() * losses).sum() / mask.sum().clamp(min=1)


def cross_entropy_tensorflow(logits, *, targets, weights):
    losses = _losses(logits, targets, "none")
    return (weights.flatten() * losses).sum() / (weights.sum() + 1e-12)


def _losses(logits, targets, reduction):
    return functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction=reduction)
