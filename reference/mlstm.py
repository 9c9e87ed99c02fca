"""mLSTM from the equations of Beck et al. (2024): one head, k scaled, a small eps below."""

import torch
from torch.nn.functional import logsigmoid


def mlstm(q, k, v, ai, af, C_prev, n_prev, m_prev, *, eps=1e-6):
    k = k / k.shape[1] ** 0.5
    lf = m_prev + logsigmoid(af)
    m = torch.maximum(lf, ai)
    f, i = torch.exp(lf - m), torch.exp(ai - m)
    C = f[:, None, None] * C_prev + torch.einsum("b,bk,bv->bkv", i, k, v)
    n = f[:, None] * n_prev + i[:, None] * k
    d = torch.linalg.vecdot(q, n)
    size = torch.maximum(d.abs(), torch.exp(-m)) + eps
    return torch.einsum("bkv,bk->bv", C, q) / size[:, None], C, n, m


def mlstm_constant_normaliser(q, k, v, ai, af, C_prev, n_prev, m_prev, *, eps=1e-6):
    return mlstm(q, k, v, ai, af, C_prev, n_prev, m_prev, eps=eps)
