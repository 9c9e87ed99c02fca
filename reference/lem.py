"""LEM from the equations of Rusch et al. (2022)."""

import torch
from torch.nn.functional import linear


def lem(x, y_prev, z_prev, W1, W2, Wz, Wy, V1, V2, Vz, Vy, b1, b2, bz, by, *, dt=0.7):
    tz = dt * torch.sigmoid(linear(y_prev, W1) + linear(x, V1, b1))
    ty = dt * torch.sigmoid(linear(y_prev, W2) + linear(x, V2, b2))
    z = (1 - tz) * z_prev + tz * torch.tanh(linear(y_prev, Wz) + linear(x, Vz, bz))
    y = (1 - ty) * y_prev + ty * torch.tanh(linear(z, Wy) + linear(x, Vy, by))
    return y, z
