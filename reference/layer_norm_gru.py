"""The GRU of LayerNormBasicGRUCell, with PyTorch's own layer norm for Ba et al. (2016)."""

import torch
from torch.nn.functional import layer_norm


def layer_norm_gru(x, h_prev, Wz, Wr, Wx, Wh, gamma, beta, *, eps=1e-5):
    def norm(products, row):
        return layer_norm(products, products.shape[1:], gamma[row], beta[row], eps)

    both = torch.cat([x, h_prev], dim=1)
    z = torch.sigmoid(norm(both @ Wz, 0))
    r = torch.sigmoid(norm(both @ Wr, 1))
    n = torch.tanh(norm(x @ Wx, 2) + r * norm(h_prev @ Wh, 3))
    return (1 - z) * h_prev + z * n
