"""ConvLSTM from the equations of Shi et al. (2015), with PyTorch's own convolution."""

import torch
from torch.nn.functional import conv2d


def conv_lstm(x, h_prev, c_prev, W_x, W_h, W_ci, W_cf, W_co, b):
    a = conv2d(x, W_x, b, padding="same") + conv2d(h_prev, W_h, padding="same")
    i, f, g, o = a.chunk(4, dim=1)
    i, f = torch.sigmoid(i + W_ci * c_prev), torch.sigmoid(f + W_cf * c_prev)
    c = f * c_prev + i * torch.tanh(g)
    return torch.sigmoid(o + W_co * c) * torch.tanh(c), c
