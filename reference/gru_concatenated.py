"""The GRU from the equations of Cho et al. (2014), on [h_prev, x] and with z's polarity swapped."""

import torch


def gru_hipsternet(x, h_prev, Wz, Wr, Wn, bz, br, bn):
    gates = torch.cat([h_prev, x], dim=1) @ torch.cat([Wz, Wr], dim=1) + torch.cat([bz, br])
    z, r = torch.sigmoid(gates).chunk(2, dim=1)
    n = torch.tanh(torch.cat([r * h_prev, x], dim=1) @ Wn + bn)
    return (1 - z) * h_prev + z * n
