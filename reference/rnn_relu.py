"""The relu recurrent cell by PyTorch's own kernel."""

import torch


def rnn_relu(x, h_prev, W, U, b):
    return torch.rnn_relu_cell(x, h_prev, W.T, U.T, b)
