"""sLSTM from the equations of Beck et al. (2024): sigmoid forget gate, R apart for each head."""

import torch
from torch.nn.functional import logsigmoid


def slstm(x, h_prev, c_prev, n_prev, m_prev, W, R, b):
    return step(x, h_prev, c_prev, n_prev, m_prev, W, R, b, lambda m: m)


def slstm_constant_stabiliser(x, h_prev, c_prev, n_prev, m_prev, W, R, b):
    return step(x, h_prev, c_prev, n_prev, m_prev, W, R, b, torch.detach)


def step(x, h_prev, c_prev, n_prev, m_prev, W, R, b, held):
    fed = torch.einsum("gkmd,bd->gbkm", W, x) + torch.einsum("gkmj,bkj->gbkm", R, h_prev)
    ai, af, az, ao = fed + b[:, None]
    lf = m_prev + logsigmoid(af)
    m = held(torch.maximum(lf, ai))
    f, i = torch.exp(lf - m), torch.exp(ai - m)
    c = f * c_prev + i * torch.tanh(az)
    n = f * n_prev + i
    return torch.sigmoid(ao) * c / n, c, n, m
