"""The tanh recurrent cell by PyTorch's own kernel."""

import torch


def rnn(x, h_prev, W, U, b):
    return torch.rnn_tanh_cell(x, h_prev, W.T, U.T, b)
