"""The GRU from the equations of Cho et al. (2014), with biases: the reset before the product."""

import torch
from torch.nn.functional import linear


def gru_cho(x, h_prev, Wr, Wz, W, Ur, Uz, U, br, bz, b):
    r = torch.sigmoid(linear(x, Wr, br) + linear(h_prev, Ur))
    z = torch.sigmoid(linear(x, Wz, bz) + linear(h_prev, Uz))
    n = torch.tanh(linear(x, W, b) + linear(r * h_prev, U))
    return z * h_prev + (1 - z) * n
