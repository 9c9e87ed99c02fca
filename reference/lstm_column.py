"""The LSTM by PyTorch's own kernel, on rows, with the forget bias as its second bias."""

import torch


def lstm_column(x, h_prev, c_prev, W, *, forget_bias=1.0):
    D, H = len(x), len(h_prev)
    f, i, g, o = W.chunk(4)
    b, W_x, W_h = torch.cat([i, f, g, o]).split([1, D, H], dim=1)
    nothing = W.new_zeros(H)
    b_run = torch.cat([nothing, nothing + forget_bias, nothing, nothing])
    h, c = torch.lstm_cell(x.T, (h_prev.T, c_prev.T), W_x, W_h, b[:, 0], b_run)
    return h.T, c.T
