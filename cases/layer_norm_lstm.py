"""LSTM with layer normalisation, in two published forms that differ in nearly everything.

Ba, Kiros and Hinton (2016), "Layer normalization", arXiv:1607.06450. To normalise is to subtract
the mean and to divide by sqrt(variance + eps), the variance being the mean of squares (over N, not
N - 1). B sequences, D inputs, H units.

layer_norm_lstm is TensorFlow's LayerNormBasicLSTMCell (dropout apart). z = [x, h_prev] (x first)
meets a kernel W of D + H rows without a bias; its 4H columns are i, j, f, o (input, candidate,
forget, output). Each block of H is normalised on its own, multiplied by its row of gamma and
shifted by its row of beta; forget_bias is added to the forget gate AFTER that. The new state
f * c_prev + i * tanh(j) is normalised too, with gamma_c and beta_c, and this normalised c is what
is carried, and what h = o * tanh(c) sees.

layer_norm_lstm_column is the same on columns, laid out as cases/lstm_column.py: W @ [x, h_prev],
without a row of ones, rows stacked f, i, g, o (forget, input, candidate, output); the norm runs
down the H rows of each block; gamma and beta hold a column for each block, in the same order.

layer_norm_lstm_haste is the LayerNormLSTM of haste (LMNT, 2020): x @ W and h_prev @ U are
normalised apart, each over all 4H columns at once, and multiplied by gamma[0] and gamma[1]; there
is no shift but the one bias b that follows. Columns i, g, f, o (input, candidate, forget, output),
no forget bias at run time. The new state c is carried UN-normalised; only inside the output's tanh
is it normalised, with gamma_h and beta_h. eps is 1e-5, in the other two 1e-12.

Classic slip: the mean or the variance held fixed in backward, or gamma applied after it.
"""

import numpy as np


def layer_norm_lstm(
    x: "B D",
    h_prev: "B H",
    c_prev: "B H",
    W: "D+H 4*H",
    gamma: "4 H",
    beta: "4 H",
    gamma_c: "H",
    beta_c: "H",
    *,
    forget_bias=1.0,
    eps=1e-12,
):
    B, H = h_prev.shape
    z = np.concatenate([x, h_prev], axis=1)
    n, r = normalise((z @ W).reshape(B, 4, H), eps, axis=-1)  # each gate's H units apart
    a = gamma * n + beta
    i = sigmoid(a[:, 0])
    j = np.tanh(a[:, 1])
    f = sigmoid(a[:, 2] + forget_bias)
    o = sigmoid(a[:, 3])
    n_c, r_c = normalise(f * c_prev + i * j, eps, axis=-1)
    c = gamma_c * n_c + beta_c
    h = o * np.tanh(c)

    def backward(dh, dc):
        do = dh * np.tanh(c)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        dgamma_c = (dc * n_c).sum(axis=0)
        dbeta_c = dc.sum(axis=0)
        ds = normalise_backward(dc * gamma_c, n_c, r_c, axis=-1)  # s = f * c_prev + i * j
        df = ds * c_prev
        di = ds * j
        dj = ds * i
        dc_prev = ds * f

        dai = di * i * (1 - i)
        daj = dj * (1 - j**2)
        daf = df * f * (1 - f)
        dao = do * o * (1 - o)

        da = np.stack([dai, daj, daf, dao], axis=1)
        dgamma = (da * n).sum(axis=0)
        dbeta = da.sum(axis=0)
        dzW = normalise_backward(da * gamma, n, r, axis=-1).reshape(B, 4 * H)
        dW = z.T @ dzW
        dz = dzW @ W.T
        D = x.shape[1]
        dx, dh_prev = dz[:, :D], dz[:, D:]
        return dx, dh_prev, dc_prev, dW, dgamma, dbeta, dgamma_c, dbeta_c

    return (h, c), backward


def layer_norm_lstm_column(
    x: "D B",
    h_prev: "H B",
    c_prev: "H B",
    W: "4*H D+H",
    gamma: "4 H 1",
    beta: "4 H 1",
    gamma_c: "H 1",
    beta_c: "H 1",
    *,
    forget_bias=1.0,
    eps=1e-12,
):
    H, B = h_prev.shape
    z = np.concatenate([x, h_prev], axis=0)
    n, r = normalise((W @ z).reshape(4, H, B), eps, axis=-2)
    af, ai, ag, ao = gamma * n + beta
    f = sigmoid(af + forget_bias)
    i = sigmoid(ai)
    g = np.tanh(ag)
    o = sigmoid(ao)
    n_c, r_c = normalise(f * c_prev + i * g, eps, axis=-2)
    c = gamma_c * n_c + beta_c
    h = o * np.tanh(c)

    def backward(dh, dc):
        do = dh * np.tanh(c)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        dgamma_c = (dc * n_c).sum(axis=1, keepdims=True)
        dbeta_c = dc.sum(axis=1, keepdims=True)
        ds = normalise_backward(dc * gamma_c, n_c, r_c, axis=-2)  # s = f * c_prev + i * g
        df = ds * c_prev
        di = ds * g
        dg = ds * i
        dc_prev = ds * f

        daf = df * f * (1 - f)
        dai = di * i * (1 - i)
        dag = dg * (1 - g**2)
        dao = do * o * (1 - o)

        da = np.stack([daf, dai, dag, dao])
        dgamma = (da * n).sum(axis=2, keepdims=True)
        dbeta = da.sum(axis=2, keepdims=True)
        dWz = normalise_backward(da * gamma, n, r, axis=-2).reshape(4 * H, B)
        dW = dWz @ z.T
        dz = W.T @ dWz
        D = x.shape[0]
        dx, dh_prev = dz[:D], dz[D:]
        return dx, dh_prev, dc_prev, dW, dgamma, dbeta, dgamma_c, dbeta_c

    return (h, c), backward


def layer_norm_lstm_haste(
    x: "B D",
    h_prev: "B H",
    c_prev: "B H",
    W: "D 4*H",
    U: "H 4*H",
    b: "4*H",
    gamma: "2 4*H",
    gamma_h: "H",
    beta_h: "H",
    *,
    eps=1e-5,
):
    n_x, r_x = normalise(x @ W, eps, axis=-1)  # over all four gates at once
    n_u, r_u = normalise(h_prev @ U, eps, axis=-1)
    ai, ag, af, ao = np.split(gamma[0] * n_x + gamma[1] * n_u + b, 4, axis=1)
    i = sigmoid(ai)
    g = np.tanh(ag)
    f = sigmoid(af)
    o = sigmoid(ao)
    c = f * c_prev + i * g
    n_c, r_c = normalise(c, eps, axis=-1)
    y = np.tanh(gamma_h * n_c + beta_h)
    h = o * y

    def backward(dh, dc):
        do = dh * y
        day = dh * o * (1 - y**2)
        dgamma_h = (day * n_c).sum(axis=0)
        dbeta_h = day.sum(axis=0)
        dc = dc + normalise_backward(day * gamma_h, n_c, r_c, axis=-1)  # dc itself meets no norm
        df = dc * c_prev
        di = dc * g
        dg = dc * i
        dc_prev = dc * f

        dai = di * i * (1 - i)
        dag = dg * (1 - g**2)
        daf = df * f * (1 - f)
        dao = do * o * (1 - o)

        da = np.concatenate([dai, dag, daf, dao], axis=1)
        db = da.sum(axis=0)
        dgamma = np.stack([(da * n_x).sum(axis=0), (da * n_u).sum(axis=0)])
        dxW = normalise_backward(da * gamma[0], n_x, r_x, axis=-1)
        dhU = normalise_backward(da * gamma[1], n_u, r_u, axis=-1)
        dx = dxW @ W.T
        dh_prev = dhU @ U.T
        dW = x.T @ dxW
        dU = h_prev.T @ dhU
        return dx, dh_prev, dc_prev, dW, dU, db, dgamma, dgamma_h, dbeta_h

    return (h, c), backward


def normalise(a, eps, axis):
    centred = a - a.mean(axis=axis, keepdims=True)
    r = 1 / np.sqrt((centred**2).mean(axis=axis, keepdims=True) + eps)
    return centred * r, r


def normalise_backward(dn, n, r, axis):
    # Every entry also moves the mean (second term) and the variance (third term).
    mean = dn.mean(axis=axis, keepdims=True)
    along_n = (dn * n).mean(axis=axis, keepdims=True)
    return r * (dn - mean - n * along_n)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
