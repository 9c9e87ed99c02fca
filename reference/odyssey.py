"""The LSTM and its eight variants from the equations of Greff et al. (2015)."""

import torch
from torch import sigmoid, tanh
from torch.nn.functional import linear


def vanilla(x, y_prev, c_prev, W, R, p, b):
    z, i, f, o = _inputs(x, y_prev, W, R, b).chunk(4, dim=1)
    p_i, p_f, p_o = p.chunk(3)
    c = tanh(z) * sigmoid(i + p_i * c_prev) + c_prev * sigmoid(f + p_f * c_prev)
    return tanh(c) * sigmoid(o + p_o * c), c


def no_input_gate(x, y_prev, c_prev, W, R, p, b):
    z, f, o = _inputs(x, y_prev, W, R, b).chunk(3, dim=1)
    p_f, p_o = p.chunk(2)
    c = tanh(z) + c_prev * sigmoid(f + p_f * c_prev)
    return tanh(c) * sigmoid(o + p_o * c), c


def no_forget_gate(x, y_prev, c_prev, W, R, p, b):
    z, i, o = _inputs(x, y_prev, W, R, b).chunk(3, dim=1)
    p_i, p_o = p.chunk(2)
    c = tanh(z) * sigmoid(i + p_i * c_prev) + c_prev
    return tanh(c) * sigmoid(o + p_o * c), c


def no_output_gate(x, y_prev, c_prev, W, R, p, b):
    z, i, f = _inputs(x, y_prev, W, R, b).chunk(3, dim=1)
    p_i, p_f = p.chunk(2)
    c = tanh(z) * sigmoid(i + p_i * c_prev) + c_prev * sigmoid(f + p_f * c_prev)
    return tanh(c), c


def no_input_activation(x, y_prev, c_prev, W, R, p, b):
    z, i, f, o = _inputs(x, y_prev, W, R, b).chunk(4, dim=1)
    p_i, p_f, p_o = p.chunk(3)
    c = z * sigmoid(i + p_i * c_prev) + c_prev * sigmoid(f + p_f * c_prev)
    return tanh(c) * sigmoid(o + p_o * c), c


def no_output_activation(x, y_prev, c_prev, W, R, p, b):
    z, i, f, o = _inputs(x, y_prev, W, R, b).chunk(4, dim=1)
    p_i, p_f, p_o = p.chunk(3)
    c = tanh(z) * sigmoid(i + p_i * c_prev) + c_prev * sigmoid(f + p_f * c_prev)
    return c * sigmoid(o + p_o * c), c


def no_peepholes(x, y_prev, c_prev, W, R, b):
    """PyTorch's own kernel, which stacks i, f, z, o."""
    W, R, b = (torch.cat([i, f, z, o]) for z, i, f, o in (a.chunk(4) for a in (W, R, b)))
    return torch.lstm_cell(x, (y_prev, c_prev), W, R, b)


def coupled_gates(x, y_prev, c_prev, W, R, p, b):
    z, i, o = _inputs(x, y_prev, W, R, b).chunk(3, dim=1)
    p_i, p_o = p.chunk(2)
    i = sigmoid(i + p_i * c_prev)
    c = tanh(z) * i + c_prev * (1 - i)
    return tanh(c) * sigmoid(o + p_o * c), c


def full_gate_recurrence(x, y_prev, c_prev, i_prev, f_prev, o_prev, W, R, G, p, b):
    H = y_prev.shape[1]
    z, gates = _inputs(x, y_prev, W, R, b).split([H, 3 * H], dim=1)
    i, f, o = (gates + linear(torch.cat([i_prev, f_prev, o_prev], dim=1), G)).chunk(3, dim=1)
    p_i, p_f, p_o = p.chunk(3)
    i, f = sigmoid(i + p_i * c_prev), sigmoid(f + p_f * c_prev)
    c = tanh(z) * i + c_prev * f
    o = sigmoid(o + p_o * c)
    return tanh(c) * o, c, i, f, o


def _inputs(x, y_prev, W, R, b):
    return linear(x, W, b) + linear(y_prev, R)
