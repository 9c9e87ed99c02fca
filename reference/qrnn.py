"""QRNN from the equations of Bradbury et al. (2017), with PyTorch's own convolution."""

import torch
from torch.nn.functional import conv1d


def qrnn(x, x_before, c0, Wz, Wf, Wo):
    sequence = torch.cat([x_before[None], x]).permute(1, 2, 0)  # B D T+1

    def convolution(W):
        kernel = torch.stack(W.chunk(2), dim=2).transpose(0, 1)  # H D 2
        return conv1d(sequence, kernel).permute(2, 0, 1)

    z, f, o = torch.tanh(convolution(Wz)), convolution(Wf).sigmoid(), convolution(Wo).sigmoid()
    cells = [c0]
    for t in range(len(x)):
        cells.append(f[t] * cells[-1] + (1 - f[t]) * z[t])
    return o * torch.stack(cells[1:]), cells[-1]
