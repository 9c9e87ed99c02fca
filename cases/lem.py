"""LEM: two states, each relaxing towards a tanh layer by a learned time step of its own.

Rusch, Mishra, Erichson and Mahoney (2022), "Long expressive memory for sequence modeling", ICLR,
arXiv:2110.04744. B sequences, D inputs, H units; the rows of each W and V are units: y W' + x V'
+ b. tz and ty are the paper's Delta t and Delta t with a bar, at most the constant dt:
tz = dt sigmoid(y_prev W1' + x V1' + b1), ty = dt sigmoid(y_prev W2' + x V2' + b2),
z = (1 - tz) z_prev + tz tanh(y_prev Wz' + x Vz' + bz), and then, from the NEW z,
y = (1 - ty) y_prev + ty tanh(z Wy' + x Vy' + by). Both y and z are carried.
Classic slip: z_prev for z in y's layer, or no gradient from y into z.
"""

import numpy as np


def lem(
    x: "B D",
    y_prev: "B H",
    z_prev: "B H",
    W1: "H H",
    W2: "H H",
    Wz: "H H",
    Wy: "H H",
    V1: "H D",
    V2: "H D",
    Vz: "H D",
    Vy: "H D",
    b1: "H",
    b2: "H",
    bz: "H",
    by: "H",
    *,
    dt=0.7,
):
    s1 = sigmoid(y_prev @ W1.T + x @ V1.T + b1)
    s2 = sigmoid(y_prev @ W2.T + x @ V2.T + b2)
    tz = dt * s1
    ty = dt * s2
    g = np.tanh(y_prev @ Wz.T + x @ Vz.T + bz)
    z = (1 - tz) * z_prev + tz * g
    k = np.tanh(z @ Wy.T + x @ Vy.T + by)
    y = (1 - ty) * y_prev + ty * k

    def backward(dy, dz):
        dty = dy * (k - y_prev)
        dk = dy * ty
        day = dk * (1 - k**2)
        dz = dz + day @ Wy  # z reaches the loss through y, and by itself
        dtz = dz * (g - z_prev)
        dg = dz * tz
        daz = dg * (1 - g**2)
        ds1 = dt * dtz
        ds2 = dt * dty
        da1 = ds1 * s1 * (1 - s1)
        da2 = ds2 * s2 * (1 - s2)

        dz_prev = dz * (1 - tz)
        dy_prev = dy * (1 - ty) + da1 @ W1 + da2 @ W2 + daz @ Wz
        dx = da1 @ V1 + da2 @ V2 + daz @ Vz + day @ Vy
        dW1, dV1, db1 = da1.T @ y_prev, da1.T @ x, da1.sum(axis=0)
        dW2, dV2, db2 = da2.T @ y_prev, da2.T @ x, da2.sum(axis=0)
        dWz, dVz, dbz = daz.T @ y_prev, daz.T @ x, daz.sum(axis=0)
        dWy, dVy, dby = day.T @ z, day.T @ x, day.sum(axis=0)
        return dx, dy_prev, dz_prev, dW1, dW2, dWz, dWy, dV1, dV2, dVz, dVy, db1, db2, dbz, dby

    return (y, z), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
