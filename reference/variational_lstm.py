"""The LSTM with a mask for each gate from the equations of Gal and Ghahramani (2016)."""

import torch


def variational_lstm(x, h0, c0, W, U, b, *, mask_x, mask_h, keep_x=0.8, keep_h=0.6):
    fed = torch.einsum("tbd,kbd,kdh->tkbh", x, mask_x / keep_x, W) + b[:, None]
    h, c = [h0], c0
    for step in fed:
        i, f, g, o = step + torch.einsum("bj,kbj,kjh->kbh", h[-1], mask_h / keep_h, U)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h.append(torch.sigmoid(o) * torch.tanh(c))
    return torch.stack(h[1:]), c
