"""The GRU by PyTorch's own kernel, which stacks r, z, n and has both biases."""

import torch


def gru(x, h_prev, W, U, b, bU):
    return torch.gru_cell(x, h_prev, W, U, b, bU)
