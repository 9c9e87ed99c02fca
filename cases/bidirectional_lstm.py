"""Bidirectional layers: one recurrence reads the sequence forwards, another one backwards.

Schuster and Paliwal (1997), "Bidirectional recurrent neural networks", IEEE Transactions on Signal
Processing 45(11):2673-2681; with LSTMs Graves and Schmidhuber (2005), "Framewise phoneme
classification with bidirectional LSTM and other neural network architectures", Neural Networks
18(5-6):602-610. T steps, B sequences, D inputs, H units in each direction, which share no
weights. As in PyTorch, h[t] is [forward; backward], each having read x[t]; the leading axis of the
states h0, c0, h_last, c_last is (forward, backward). The backward direction starts at T-1 and its
last state is the one at t = 0.
Classic slip: the backward direction's gradients left in the order of its own steps.
"""

import numpy as np


def bidirectional_rnn(
    x: "T B D",
    h0: "2 B H",
    W_fwd: "D H",
    U_fwd: "H H",
    b_fwd: "H",
    W_bwd: "D H",
    U_bwd: "H H",
    b_bwd: "H",
):
    """The tanh RNN both ways: h = tanh(x W + h_before U + b)."""
    T, H = len(x), len(b_fwd)
    fwd, bwd = {-1: h0[0]}, {T: h0[1]}  # the states by t: each direction has its own "before"
    for t in range(T):
        fwd[t] = np.tanh(x[t] @ W_fwd + fwd[t - 1] @ U_fwd + b_fwd)
    for t in reversed(range(T)):
        bwd[t] = np.tanh(x[t] @ W_bwd + bwd[t + 1] @ U_bwd + b_bwd)
    h = np.stack([np.concatenate([fwd[t], bwd[t]], axis=1) for t in range(T)])
    h_last = np.stack([fwd[T - 1], bwd[0]])

    def backward(dh, dh_last):
        dx = np.zeros_like(x)
        dW_fwd, dU_fwd, db_fwd = np.zeros_like(W_fwd), np.zeros_like(U_fwd), np.zeros_like(b_fwd)
        dW_bwd, dU_bwd, db_bwd = np.zeros_like(W_bwd), np.zeros_like(U_bwd), np.zeros_like(b_bwd)

        dfwd = dh_last[0]
        for t in reversed(range(T)):
            da = (dh[t, :, :H] + dfwd) * (1 - fwd[t] ** 2)
            dx[t] += da @ W_fwd.T
            dW_fwd += x[t].T @ da
            dU_fwd += fwd[t - 1].T @ da
            db_fwd += da.sum(axis=0)
            dfwd = da @ U_fwd.T

        dbwd = dh_last[1]
        for t in range(T):  # against the direction of the forward, so from 0 up
            da = (dh[t, :, H:] + dbwd) * (1 - bwd[t] ** 2)
            dx[t] += da @ W_bwd.T  # both directions have read x[t]
            dW_bwd += x[t].T @ da
            dU_bwd += bwd[t + 1].T @ da
            db_bwd += da.sum(axis=0)
            dbwd = da @ U_bwd.T

        dh0 = np.stack([dfwd, dbwd])
        return dx, dh0, dW_fwd, dU_fwd, db_fwd, dW_bwd, dU_bwd, db_bwd

    return (h, h_last), backward


def bidirectional_lstm(
    x: "T B D",
    h0: "2 B H",
    c0: "2 B H",
    W_fwd: "D+H 4*H",
    b_fwd: "4*H",
    W_bwd: "D+H 4*H",
    b_bwd: "4*H",
):
    """The LSTM both ways, each on [x; h_before] W + b with its gates stacked i, f, g, o.

    i, f, o are sigmoids, the candidate g is a tanh; c = f c_before + i g, h = o tanh(c). No forget
    bias.
    """
    T, H = len(x), h0.shape[2]
    (h_fwd, c_fwd), (h_bwd, c_bwd) = (h0[0], c0[0]), (h0[1], c0[1])
    fwd, bwd, backward_fwd, backward_bwd = {}, {}, {}, {}
    for t in range(T):
        (h_fwd, c_fwd), backward_fwd[t] = _step(x[t], h_fwd, c_fwd, W_fwd, b_fwd)
        fwd[t] = h_fwd
    for t in reversed(range(T)):
        (h_bwd, c_bwd), backward_bwd[t] = _step(x[t], h_bwd, c_bwd, W_bwd, b_bwd)
        bwd[t] = h_bwd
    h = np.stack([np.concatenate([fwd[t], bwd[t]], axis=1) for t in range(T)])
    h_last = np.stack([h_fwd, h_bwd])
    c_last = np.stack([c_fwd, c_bwd])

    def backward(dh, dh_last, dc_last):
        dx = np.zeros_like(x)
        dW_fwd, db_fwd = np.zeros_like(W_fwd), np.zeros_like(b_fwd)
        dW_bwd, db_bwd = np.zeros_like(W_bwd), np.zeros_like(b_bwd)

        dfwd, dc_fwd = dh_last[0], dc_last[0]
        for t in reversed(range(T)):
            dx_t, dfwd, dc_fwd, dW, db = backward_fwd[t](dh[t, :, :H] + dfwd, dc_fwd)
            dx[t] += dx_t
            dW_fwd += dW
            db_fwd += db

        dbwd, dc_bwd = dh_last[1], dc_last[1]
        for t in range(T):
            dx_t, dbwd, dc_bwd, dW, db = backward_bwd[t](dh[t, :, H:] + dbwd, dc_bwd)
            dx[t] += dx_t
            dW_bwd += dW
            db_bwd += db

        dh0, dc0 = np.stack([dfwd, dbwd]), np.stack([dc_fwd, dc_bwd])
        return dx, dh0, dc0, dW_fwd, db_fwd, dW_bwd, db_bwd

    return (h, h_last, c_last), backward


def _step(x, h_prev, c_prev, W, b):
    z = np.concatenate([x, h_prev], axis=1)
    ai, af, ag, ao = np.split(z @ W + b, 4, axis=1)
    i, f, g, o = sigmoid(ai), sigmoid(af), np.tanh(ag), sigmoid(ao)
    c = f * c_prev + i * g
    h = o * np.tanh(c)

    def backward(dh, dc):
        dao = dh * np.tanh(c) * o * (1 - o)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        dai = dc * g * i * (1 - i)
        daf = dc * c_prev * f * (1 - f)
        dag = dc * i * (1 - g**2)
        da = np.concatenate([dai, daf, dag, dao], axis=1)
        dz = da @ W.T
        D = x.shape[1]
        return dz[:, :D], dz[:, D:], dc * f, z.T @ da, da.sum(axis=0)

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
