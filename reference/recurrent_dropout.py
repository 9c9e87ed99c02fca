"""The LSTM with a masked candidate from the equations of Semeniuta et al. (2016)."""

import torch


def recurrent_dropout_lstm(x, h_prev, c_prev, W, b, *, mask, keep=0.8, forget_bias=1.0):
    i, j, f, o = (torch.cat([x, h_prev], dim=1) @ W + b).chunk(4, dim=1)
    kept = c_prev * torch.sigmoid(f + forget_bias)
    c = kept + torch.sigmoid(i) * torch.tanh(j) * (mask / keep)
    return torch.sigmoid(o) * torch.tanh(c), c
