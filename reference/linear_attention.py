"""GLA, DeltaNet and gated DeltaNet from the equations of Yang et al. (2024, 2024, 2025)."""

import torch


def gla(q, k, v, g, S_prev):
    S = g.exp()[:, :, None] * S_prev + outer(k, v)
    return read(S, scaled(q)), S


def delta_net(q, k, v, beta, S_prev):
    S = S_prev + outer(k, beta[:, None] * (v - read(S_prev, k)))
    return read(S, scaled(q)), S


def gated_delta_net(q, k, v, beta, g, S_prev):
    return delta_net(q, k, v, beta, g.exp()[:, None, None] * S_prev)


def outer(k, v):
    return torch.einsum("bk,bv->bkv", k, v)


def read(S, q):
    return torch.einsum("bkv,bk->bv", S, q)


def scaled(q):
    return q / q.shape[1] ** 0.5
