"""minGRU and minLSTM from the equations of Feng et al. (2024), with the g of the log space."""

import torch


def mingru(x, h_prev, Wz, Wh):
    z = torch.sigmoid(x @ Wz)
    return (1 - z) * h_prev + z * g(x @ Wh)


def minlstm(x, h_prev, Wf, Wi, Wh):
    f, i = torch.sigmoid(x @ Wf), torch.sigmoid(x @ Wi)
    return f / (f + i) * h_prev + i / (f + i) * g(x @ Wh)


def g(p):
    return torch.where(p >= 0, p + 0.5, torch.sigmoid(p))
