"""One step of the selective scan from the equations of Gu and Dao (2023)."""

import torch
from torch.nn.functional import silu


def selective_scan(x, delta, B, C, z, h_prev, A_log, D, delta_bias):
    raw = delta + delta_bias
    t = torch.logaddexp(raw, torch.zeros_like(raw))  # softplus
    decay = torch.exp(-torch.einsum("be,en->ben", t, A_log.exp()))
    h = decay * h_prev + torch.einsum("be,bn,be->ben", t, B, x)
    y = torch.einsum("bn,ben->be", C, h) + D * x
    return y * silu(z), h
