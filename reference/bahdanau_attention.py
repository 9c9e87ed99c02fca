"""The additive attention from the equations of Bahdanau et al. (2015)."""

import torch


def bahdanau_attention(query, memory, W_q, W_m, bias, v):
    hidden = torch.tanh((query @ W_q)[:, None] + memory @ W_m + bias)
    a = (hidden @ v).softmax(dim=1)
    return torch.einsum("bs,bsm->bm", a, memory), a
