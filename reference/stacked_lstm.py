"""Two layers of PyTorch's own LSTM kernel, with the mask of Zaremba et al. (2014) between them."""

import torch


def stacked_lstm(x, h1_0, c1_0, h2_0, c2_0, W1, b1, W2, b2, *, mask, keep):
    lower, h1, c1 = _layer(x, h1_0, c1_0, W1, b1)
    upper, h2, c2 = _layer(mask * lower / keep, h2_0, c2_0, W2, b2)
    return upper, h1, c1, h2, c2


def _layer(x, h0, c0, W, b):
    i, f, o, g = torch.cat([W, b[None]]).chunk(4, dim=1)
    stacked = torch.cat([i, f, g, o], dim=1)
    W_x, W_h, bias = stacked.split([x.shape[-1], h0.shape[-1], 1])
    parameters = [W_x.T, W_h.T, bias[0], torch.zeros_like(b)]
    start = (h0[None], c0[None])
    h, h_last, c_last = torch.lstm(x, start, parameters, True, 1, 0.0, False, False, False)
    return h, h_last[0], c_last[0]
