"""The time mixings of RWKV-4 and RWKV-6 from the equations of Peng et al. (2023, 2024)."""

import torch


def rwkv4(k, v, p_prev, q_prev, o_prev, w_raw, u):
    bonus = u + k
    s = torch.maximum(o_prev, bonus)
    old, new = torch.exp(o_prev - s), torch.exp(bonus - s)
    y = (old * p_prev + new * v) / (old * q_prev + new)
    kept = o_prev - w_raw.exp()
    o = torch.maximum(kept, k)
    old, new = torch.exp(kept - o), torch.exp(k - o)
    return y, old * p_prev + new * v, old * q_prev + new, o


def rwkv6(r, k, v, w_raw, S_prev, u):
    written = torch.einsum("bk,bv->bkv", k, v)
    y = torch.einsum("bk,bkv->bv", r, S_prev + u[:, None] * written)
    decay = torch.exp(-w_raw.exp())
    return y, decay[:, :, None] * S_prev + written
