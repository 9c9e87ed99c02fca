"""One step of the selective scan S6 of Mamba: step size, input and output maps depend on the token.

Gu and Dao (2023), "Mamba: linear-time sequence modeling with selective state spaces",
arXiv:2312.00752, as in its selective_state_update. B sequences, E channels, N states a channel.
With the step size t = softplus(delta + delta_bias) and A = -exp(A_log):
h[e, n] = exp(t[e] A[e, n]) h_prev[e, n] + t[e] B[n] x[e], y[e] = sum over n of C[n] h[e, n]
+ D[e] x[e], out = y z sigmoid(z). The decay is exact, the input's share is Euler's, t B. The maps
B and C belong to a token and are shared by its channels. h is carried, out is not fed back.
Classic slip: gradients of B and C that are not summed over the channels.
"""

import numpy as np


def selective_scan(
    x: "B E",
    delta: "B E",
    B: "B N",
    C: "B N",
    z: "B E",
    h_prev: "B E N",
    A_log: "E N in (-2, 2)",
    D: "E",
    delta_bias: "E",
):
    a = delta + delta_bias
    t = softplus(a)
    A = -np.exp(A_log)
    decay = np.exp(t[:, :, None] * A)
    h = decay * h_prev + (t * x)[:, :, None] * B[:, None, :]
    y = (h * C[:, None, :]).sum(axis=2) + D * x
    gate = z * sigmoid(z)
    out = y * gate

    def backward(dout, dh):
        dy = dout * gate
        dgate = dout * y
        dz = dgate * sigmoid(z) * (1 + z * (1 - sigmoid(z)))
        dh = dh + dy[:, :, None] * C[:, None, :]
        dC = (dy[:, :, None] * h).sum(axis=1)
        dD = (dy * x).sum(axis=0)

        ddecay = dh * h_prev
        dh_prev = dh * decay
        dB = (dh * (t * x)[:, :, None]).sum(axis=1)
        dtx = (dh * B[:, None, :]).sum(axis=2)  # the gradient of the product t x
        dt = dtx * x + (ddecay * decay * A).sum(axis=2)
        dx = dtx * t + dy * D
        dA = (ddecay * decay * t[:, :, None]).sum(axis=0)
        dA_log = dA * A

        da = dt * sigmoid(a)
        ddelta = da
        ddelta_bias = da.sum(axis=0)
        return dx, ddelta, dB, dC, dz, dh_prev, dA_log, dD, ddelta_bias

    return (out, h), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def softplus(a):
    return np.maximum(a, 0) + np.log1p(np.exp(np.minimum(a, -a)))
