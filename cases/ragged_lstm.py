"""Sequences of different lengths in one padded batch: what lies behind the end influences nothing.

The semantics of TensorFlow's dynamic_rnn with sequence_length and of PyTorch's packed sequences:
Paszke et al. (2019), "PyTorch: an imperative style, high-performance deep learning library",
NeurIPS 32, arXiv:1912.01703.
T steps, B sequences, D inputs, H units; x[t, b] is an input where t < lengths[b] and padding, which
may hold anything, where not. Behind its end a sequence's state stands still, so the last states are
those after step lengths[b] - 1, and its outputs there are zero.
Classic slip: zeroing the outputs but letting the state run on over the padding.
"""

import numpy as np


def ragged_lstm(x: "T B D", h0: "B H", c0: "B H", W: "D+H 4*H", b: "4*H", *, lengths: "B <= T"):
    """The LSTM on [x_t; h_prev] W + b, stacked i, f, g, o as in PyTorch, no forget bias.

    i, f, o are sigmoids, the candidate g is a tanh; c = f c_prev + i g, h = o tanh(c). The outputs
    are h of all steps, with zeros behind the ends, and every sequence's last h and c.
    """
    live = np.arange(len(x))[:, None, None] < lengths[:, None]  # T B 1
    h_t, c_t = h0, c0
    outputs, backwards = [], []
    for t in range(len(x)):
        read = np.where(live[t], x[t], 0)  # 0 times a padding of inf or NaN would not be 0
        (h_new, c_new), step_backward = _step(read, h_t, c_t, W, b)
        h_t = np.where(live[t], h_new, h_t)
        c_t = np.where(live[t], c_new, c_t)
        outputs.append(np.where(live[t], h_t, 0))
        backwards.append(step_backward)
    h, h_last, c_last = np.stack(outputs), h_t, c_t

    def backward(dh, dh_last, dc_last):
        dx, dW, db = np.zeros_like(x), np.zeros_like(W), np.zeros_like(b)
        dh_t, dc_t = dh_last, dc_last
        for t in reversed(range(len(x))):
            dh_t = dh_t + np.where(live[t], dh[t], 0)
            # What is live goes through the step, the rest passes by it unchanged.
            dh_new, dc_new = np.where(live[t], dh_t, 0), np.where(live[t], dc_t, 0)
            dx[t], dh_prev, dc_prev, dW_t, db_t = backwards[t](dh_new, dc_new)
            dh_t = np.where(live[t], dh_prev, dh_t)
            dc_t = np.where(live[t], dc_prev, dc_t)
            dW += dW_t
            db += db_t
        return dx, dh_t, dc_t, dW, db

    return (h, h_last, c_last), backward


def ragged_bidirectional_rnn(
    x: "T B D",
    h0: "2 B H",
    W_fwd: "D H",
    U_fwd: "H H",
    b_fwd: "H",
    W_bwd: "D H",
    U_bwd: "H H",
    b_bwd: "H",
    *,
    lengths: "B <= T",
):
    """The tanh RNN both ways: the backward direction starts at each sequence's own last input.

    h = tanh(x W + h_before U + b). Going down from T-1 its state stands still until it meets the
    end of the sequence, which is the same as starting there. h[t] is [forward; backward], zero
    behind the ends; the leading axis of h0 and h_last is (forward, backward), and the backward
    direction's last state is that at t = 0.
    """
    T, H = len(x), len(b_fwd)
    live = np.arange(T)[:, None, None] < lengths[:, None]  # T B 1
    read = np.where(live, x, 0)
    fwd, bwd = {-1: h0[0]}, {T: h0[1]}
    for t in range(T):
        h_new = np.tanh(read[t] @ W_fwd + fwd[t - 1] @ U_fwd + b_fwd)
        fwd[t] = np.where(live[t], h_new, fwd[t - 1])
    for t in reversed(range(T)):
        h_new = np.tanh(read[t] @ W_bwd + bwd[t + 1] @ U_bwd + b_bwd)
        bwd[t] = np.where(live[t], h_new, bwd[t + 1])
    both = np.stack([np.concatenate([fwd[t], bwd[t]], axis=1) for t in range(T)])
    h = np.where(live, both, 0)
    h_last = np.stack([fwd[T - 1], bwd[0]])

    def backward(dh, dh_last):
        dx = np.zeros_like(x)
        dW_fwd, dU_fwd, db_fwd = np.zeros_like(W_fwd), np.zeros_like(U_fwd), np.zeros_like(b_fwd)
        dW_bwd, dU_bwd, db_bwd = np.zeros_like(W_bwd), np.zeros_like(U_bwd), np.zeros_like(b_bwd)

        dfwd = dh_last[0]
        for t in reversed(range(T)):
            # Where live, fwd[t] is the step's own state; elsewhere da is 0 and dfwd stays.
            da = np.where(live[t], (dh[t, :, :H] + dfwd) * (1 - fwd[t] ** 2), 0)
            dx[t] += da @ W_fwd.T
            dW_fwd += read[t].T @ da
            dU_fwd += fwd[t - 1].T @ da
            db_fwd += da.sum(axis=0)
            dfwd = np.where(live[t], da @ U_fwd.T, dfwd)

        dbwd = dh_last[1]
        for t in range(T):
            da = np.where(live[t], (dh[t, :, H:] + dbwd) * (1 - bwd[t] ** 2), 0)
            dx[t] += da @ W_bwd.T
            dW_bwd += read[t].T @ da
            dU_bwd += bwd[t + 1].T @ da
            db_bwd += da.sum(axis=0)
            dbwd = np.where(live[t], da @ U_bwd.T, dbwd)

        dh0 = np.stack([dfwd, dbwd])
        return dx, dh0, dW_fwd, dU_fwd, db_fwd, dW_bwd, dU_bwd, db_bwd

    return (h, h_last), backward


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
