"""GRU with layer normalisation of each gate, and of the two halves of the candidate apart.

Ba, Kiros and Hinton (2016), "Layer normalization", arXiv:1607.06450, in the form of the
LayerNormBasicGRUCell proposed for TensorFlow (pull request 14578): the gates are normalised once,
on the product with [x, h_prev]; the candidate's products with x and with h_prev each on its own,
so that the reset gate acts after the product. No biases: beta takes their place.
B sequences, D inputs, H units; rows of gamma and beta belong to z, r, x and h, in this order.
LN(a) = gamma (a - mean) / sqrt(var + eps) + beta over the H units, var with 1/H. eps is 1e-5, as
in PyTorch; TensorFlow's 1e-12 gives LN a slope of 1e6 at a state of zeros.
Polarity: h = (1 - z) h_prev + z n. The carried state h is not normalised.
Classic slip: in the norm's gradient, mean and variance taken for constants.
"""

import numpy as np


def layer_norm_gru(
    x: "B D",
    h_prev: "B H",
    Wz: "D+H H",
    Wr: "D+H H",
    Wx: "D H",
    Wh: "H H",
    gamma: "4 H",
    beta: "4 H",
    *,
    eps=1e-5,
):
    xh = np.concatenate([x, h_prev], axis=1)
    norm_z, backward_z = _layer_norm(xh @ Wz, gamma[0], beta[0], eps)
    norm_r, backward_r = _layer_norm(xh @ Wr, gamma[1], beta[1], eps)
    norm_x, backward_x = _layer_norm(x @ Wx, gamma[2], beta[2], eps)
    norm_h, backward_h = _layer_norm(h_prev @ Wh, gamma[3], beta[3], eps)
    z = sigmoid(norm_z)
    r = sigmoid(norm_r)
    n = np.tanh(norm_x + r * norm_h)
    h = (1 - z) * h_prev + z * n

    def backward(dh):
        dz = dh * (n - h_prev)
        dn = dh * z
        dnorm_x = dn * (1 - n**2)
        dnorm_h = dnorm_x * r
        dr = dnorm_x * norm_h
        dnorm_z = dz * z * (1 - z)
        dnorm_r = dr * r * (1 - r)

        daz, dgamma_z, dbeta_z = backward_z(dnorm_z)
        dar, dgamma_r, dbeta_r = backward_r(dnorm_r)
        dax, dgamma_x, dbeta_x = backward_x(dnorm_x)
        dah, dgamma_h, dbeta_h = backward_h(dnorm_h)
        dgamma = np.stack([dgamma_z, dgamma_r, dgamma_x, dgamma_h])
        dbeta = np.stack([dbeta_z, dbeta_r, dbeta_x, dbeta_h])

        dWz = xh.T @ daz
        dWr = xh.T @ dar
        dWx = x.T @ dax
        dWh = h_prev.T @ dah
        dxh = daz @ Wz.T + dar @ Wr.T
        D = x.shape[1]
        dx = dxh[:, :D] + dax @ Wx.T
        dh_prev = dxh[:, D:] + dah @ Wh.T + dh * (1 - z)
        return dx, dh_prev, dWz, dWr, dWx, dWh, dgamma, dbeta

    return h, backward


def _layer_norm(a, gamma, beta, eps):
    centred = a - a.mean(axis=1, keepdims=True)
    scale = 1 / np.sqrt((centred**2).mean(axis=1, keepdims=True) + eps)
    normal = centred * scale
    y = gamma * normal + beta

    def backward(dy):
        dgamma = (dy * normal).sum(axis=0)
        dbeta = dy.sum(axis=0)
        dnormal = dy * gamma
        # Through the mean, and through the variance: no row can be moved or stretched as a whole.
        from_mean = dnormal.mean(axis=1, keepdims=True)
        from_variance = normal * (dnormal * normal).mean(axis=1, keepdims=True)
        da = scale * (dnormal - from_mean - from_variance)
        return da, dgamma, dbeta

    return y, backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
