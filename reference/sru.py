"""The simple recurrent unit from the equations of Lei et al. (2018), v1 and as published."""

import torch
from torch.nn.functional import linear


def sru_v1(x, c_prev, W, Wf, Wr, bf, br):
    f = torch.sigmoid(linear(x, Wf, bf))
    r = torch.sigmoid(linear(x, Wr, br))
    c = f * c_prev + (1 - f) * linear(x, W)
    return r * torch.tanh(c) + (1 - r) * x, c


def sru(x, c_prev, W, Wf, Wr, vf, vr, bf, br, *, alpha=3**0.5):
    f = torch.sigmoid(linear(x, Wf, bf) + vf * c_prev)
    r = torch.sigmoid(linear(x, Wr, br) + vr * c_prev)
    c = f * c_prev + (1 - f) * linear(x, W)
    return r * c + (1 - r) * alpha * x, c
