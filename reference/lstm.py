"""The LSTM by PyTorch's own kernel, which stacks its gates i, f, g, o and keeps x and h apart."""

import torch


def lstm(x, h_prev, c_prev, Wf, Wi, Wc, Wo, bf, bi, bc, bo):
    H = h_prev.shape[1]
    weights = torch.cat([Wi, Wf, Wc, Wo], dim=1).T
    bias = torch.cat([bi, bf, bc, bo])
    return torch.lstm_cell(x, (h_prev, c_prev), weights[:, H:], weights[:, :H], bias)
