"""The LSTM with peepholes from the equations of Gers and Schmidhuber (2000)."""

import torch


def peephole_lstm(x, h_prev, c_prev, Wf, Wi, Wc, Wo, p_f, p_i, p_o, bf, bi, bc, bo):
    z = torch.cat([h_prev, x], dim=1)
    f = torch.sigmoid(z @ Wf + p_f * c_prev + bf)
    i = torch.sigmoid(z @ Wi + p_i * c_prev + bi)
    c = f * c_prev + i * torch.tanh(z @ Wc + bc)
    o = torch.sigmoid(z @ Wo + p_o * c + bo)
    return o * torch.tanh(c), c
