"""RNN and LSTM over a sequence by PyTorch's own kernels; the cut is a detached state."""

import torch


def rnn_bptt(x, h0, W, U, b):
    parameters = [W.T, U.T, b, torch.zeros_like(b)]
    return torch.rnn_tanh(x, h0[None], parameters, True, 1, 0.0, False, False, False)[0]


def lstm_bptt(x, h0, c0, Wx, Wh, b):
    b = _ifgo(b)
    parameters = [_ifgo(Wx).T, _ifgo(Wh).T, b, torch.zeros_like(b)]
    start = (h0[None], c0[None])
    h, _, c_last = torch.lstm(x, start, parameters, True, 1, 0.0, False, False, False)
    return h, c_last[0]


def truncated_bptt(x1, x2, h0, W, U, b):
    h1 = rnn_bptt(x1, h0, W, U, b)
    return h1, rnn_bptt(x2, h1[-1].detach(), W, U, b)


def _ifgo(stacked):
    i, f, o, g = stacked.chunk(4, dim=-1)
    return torch.cat([i, f, g, o], dim=-1)
