"""The GRU of hipsternet step by step, and PyTorch's own cross-entropy."""

import torch
from torch.nn.functional import cross_entropy, one_hot


def char_gru(h0, Wz, Wr, Wn, bz, br, bn, Wy, by, *, inputs, targets):
    H = h0.shape[1]
    h, states = h0, []
    for x in one_hot(inputs, len(by)).to(h0.dtype):
        z = torch.sigmoid(h @ Wz[:H] + x @ Wz[H:] + bz)
        r = torch.sigmoid(h @ Wr[:H] + x @ Wr[H:] + br)
        n = torch.tanh((r * h) @ Wn[:H] + x @ Wn[H:] + bn)
        h = torch.lerp(h, n, z)
        states.append(h)
    logits = torch.stack(states) @ Wy + by
    return cross_entropy(logits.flatten(0, 1), targets.flatten()), h
