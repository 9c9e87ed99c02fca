"""The three LSTMs with PyTorch's own layer norm, from the equations of Ba et al. (2016)."""

import torch
from torch.nn.functional import layer_norm


def layer_norm_lstm(
    x, h_prev, c_prev, W, gamma, beta, gamma_c, beta_c, *, forget_bias=1.0, eps=1e-12
):
    blocks = (torch.cat([x, h_prev], dim=1) @ W).chunk(4, dim=1)
    i, j, f, o = (_norm(*block, eps) for block in zip(blocks, gamma, beta, strict=True))
    kept = c_prev * torch.sigmoid(f + forget_bias)
    c = _norm(kept + torch.sigmoid(i) * torch.tanh(j), gamma_c, beta_c, eps)
    return torch.sigmoid(o) * torch.tanh(c), c


def layer_norm_lstm_column(
    x, h_prev, c_prev, W, gamma, beta, gamma_c, beta_c, *, forget_bias=1.0, eps=1e-12
):
    f, i, g, o = W.chunk(4)
    W = torch.cat([i, g, f, o]).T
    gamma, beta = gamma[[1, 2, 0, 3], :, 0], beta[[1, 2, 0, 3], :, 0]
    rows = (x.T, h_prev.T, c_prev.T, W, gamma, beta, gamma_c[:, 0], beta_c[:, 0])
    h, c = layer_norm_lstm(*rows, forget_bias=forget_bias, eps=eps)
    return h.T, c.T


def layer_norm_lstm_haste(x, h_prev, c_prev, W, U, b, gamma, gamma_h, beta_h, *, eps=1e-5):
    a = _norm(x @ W, gamma[0], b, eps) + _norm(h_prev @ U, gamma[1], None, eps)
    i, g, f, o = a.chunk(4, dim=1)
    c = torch.sigmoid(f) * c_prev + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(_norm(c, gamma_h, beta_h, eps)), c


def _norm(a, gain, shift, eps):
    return layer_norm(a, a.shape[1:], gain, shift, eps)
