"""The example on PyTorch's own LSTM, a batch of one, and its cross-entropy."""

import torch
from torch.nn.functional import cross_entropy, one_hot


def next_word(h0, c0, W, Wy, by, *, words, target, forget_bias=1.0):
    H, V = h0.shape[0], len(by)
    f, i, g, o = W.chunk(4)
    b, W_x, W_h = torch.cat([i, f, g, o]).split([1, V, H], dim=1)
    nothing = W.new_zeros(H)
    b_run = torch.cat([nothing, nothing + forget_bias, nothing, nothing])
    x = one_hot(words, V).to(W.dtype)[:, None]
    parameters = [W_x, W_h, b[:, 0], b_run]
    start = (h0.T[None], c0.T[None])
    _, h, _ = torch.lstm(x, start, parameters, True, 1, 0.0, False, False, False)
    return cross_entropy(h[0] @ Wy.T + by.T, target)
