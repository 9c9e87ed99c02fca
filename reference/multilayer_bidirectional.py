"""Two layers and two directions by PyTorch's own LSTM kernel, which has both built in."""

import torch


def multilayer_column_lstm(x, h0, c0, W1, W2, *, forget_bias):
    return _lstm(x, h0, c0, W1, W2, forget_bias, layers=2)


def bidirectional_column_lstm(x, h0, c0, W_fwd, W_bwd, *, forget_bias):
    return _lstm(x, h0, c0, W_fwd, W_bwd, forget_bias, layers=1)


def _lstm(x, h0, c0, W_first, W_second, forget_bias, layers):
    parameters = _parameters(W_first, forget_bias) + _parameters(W_second, forget_bias)
    start = (h0.mT.contiguous(), c0.mT.contiguous())  # columns become rows
    outputs = torch.lstm(x.mT, start, parameters, True, layers, 0.0, False, layers == 1, False)
    return tuple(output.mT for output in outputs)


def _parameters(W, forget_bias):
    """The weights as PyTorch wants them: gates stacked i, f, g, o, two biases."""
    f, i, g, o = W.chunk(4)
    H = len(f)
    bias, W_x, W_h = torch.cat([i, f, g, o]).split([1, W.shape[1] - 1 - H, H], dim=1)
    nothing = W.new_zeros(H)
    return [W_x, W_h, bias[:, 0], torch.cat([nothing, nothing + forget_bias, nothing, nothing])]
