"""The minimal gated unit from the equations of Zhou et al. (2016)."""

import torch


def mgu(x, h_prev, Wf, Uf, bf, Wh, Uh, bh):
    both = torch.cat([h_prev, x], dim=1)
    f = torch.sigmoid(both @ torch.cat([Uf, Wf], dim=1).T + bf)
    reset = torch.cat([f * h_prev, x], dim=1)
    n = torch.tanh(reset @ torch.cat([Uh, Wh], dim=1).T + bh)
    return (1 - f) * h_prev + f * n
