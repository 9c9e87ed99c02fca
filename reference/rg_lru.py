"""RG-LRU from the equations of De et al. (2024), with the capped root of recurrentgemma."""

import torch


class CappedRoot(torch.autograd.Function):
    """The square root, and 1000 for its slope where that is steeper."""

    @staticmethod
    def forward(ctx, gap):
        ctx.save_for_backward(gap)
        return gap.sqrt()

    @staticmethod
    def backward(ctx, cotangent):
        (gap,) = ctx.saved_tensors
        return cotangent * (0.5 * gap.rsqrt()).clamp(max=1000)


def rg_lru(x, h_prev, Wr, br, Wi, bi, a_param):
    r = torch.sigmoid(torch.einsum("bkm,kmn->bkn", x, Wr) + br)
    i = torch.sigmoid(torch.einsum("bkm,kmn->bkn", x, Wi) + bi)
    softplus = torch.logaddexp(a_param, torch.zeros_like(a_param))
    log_a = -8 * r * softplus
    gap = -torch.expm1(2 * log_a)
    return torch.exp(log_a) * h_prev + CappedRoot.apply(gap) * i * x
