"""The update gate RNN from the equations of Collins et al. (2017), stacked g, c."""

import torch


def ugrn(x, h_prev, W, b, *, forget_bias=1.0):
    g, c = (torch.cat([x, h_prev], dim=1) @ W + b).chunk(2, dim=1)
    g = torch.sigmoid(g + forget_bias)
    return g * h_prev + (1 - g) * torch.tanh(c)
