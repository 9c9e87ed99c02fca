"""The column-vector LSTM with its bias in column 0 of the weights, in two layers and both ways.

Graves and Schmidhuber (2005), "Framewise phoneme classification with bidirectional LSTM and other
neural network architectures", Neural Networks 18(5-6):602-610, for the two directions.
The cell of TensorFlow 1's BasicLSTMCell as column-vector tutorials write it: states and inputs are
columns, one for each sequence; z = [1; x; h_prev], a = W z, with W of 4H rows stacked f, i, c, o
(the third is the candidate, a tanh) and columns (bias, input, state). forget_bias is added to f
before its sigmoid at run time. c = f c_prev + i g, h = o tanh(c).
T steps, B sequences (columns), D inputs, H units; time is the first axis.
Classic slip: dz cut at H for the input and the rest for the state, the column of ones forgotten.
"""

import numpy as np


def multilayer_column_lstm(
    x: "T D B",
    h0: "2 H B",
    c0: "2 H B",
    W1: "4*H 1+D+H",
    W2: "4*H 1+H+H",
    *,
    forget_bias=1.0,
):
    """Two layers, the second one on h of the first: TensorFlow's MultiRNNCell, no dropout.

    The leading axis of h0, c0, h_last and c_last is the layer, the lower one first; h holds the
    upper layer's states of all steps.
    """
    (h1, c1), (h2, c2) = (h0[0], c0[0]), (h0[1], c0[1])
    hs, lower, upper = [], [], []
    for t in range(len(x)):
        (h1, c1), backward1 = _step(x[t], h1, c1, W1, forget_bias)
        (h2, c2), backward2 = _step(h1, h2, c2, W2, forget_bias)
        hs.append(h2)
        lower.append(backward1)
        upper.append(backward2)
    h, h_last, c_last = np.stack(hs), np.stack([h1, h2]), np.stack([c1, c2])

    def backward(dh, dh_last, dc_last):
        dx, dW1, dW2 = np.zeros_like(x), np.zeros_like(W1), np.zeros_like(W2)
        (dh1, dh2), (dc1, dc2) = dh_last, dc_last
        for t in reversed(range(len(x))):
            dup, dh2, dc2, dW2_t = upper[t](dh[t] + dh2, dc2)
            dx[t], dh1, dc1, dW1_t = lower[t](dup + dh1, dc1)  # up at t, and on to t + 1
            dW1 += dW1_t
            dW2 += dW2_t
        return dx, np.stack([dh1, dh2]), np.stack([dc1, dc2]), dW1, dW2

    return (h, h_last, c_last), backward


def bidirectional_column_lstm(
    x: "T D B",
    h0: "2 H B",
    c0: "2 H B",
    W_fwd: "4*H 1+D+H",
    W_bwd: "4*H 1+D+H",
    *,
    forget_bias=1.0,
):
    """One layer that reads forwards and one that reads backwards: h[t] is [forward; backward].

    As in TensorFlow's bidirectional_dynamic_rnn with its two outputs put on top of each other,
    2H rows. The leading axis of h0, c0, h_last and c_last is (forward, backward); the backward
    layer starts at T-1, and its last state is the one at t = 0.
    """
    T, H = len(x), h0.shape[1]
    (h_fwd, c_fwd), (h_bwd, c_bwd) = (h0[0], c0[0]), (h0[1], c0[1])
    fwd, bwd, backward_fwd, backward_bwd = {}, {}, {}, {}
    for t in range(T):
        (h_fwd, c_fwd), backward_fwd[t] = _step(x[t], h_fwd, c_fwd, W_fwd, forget_bias)
        fwd[t] = h_fwd
    for t in reversed(range(T)):
        (h_bwd, c_bwd), backward_bwd[t] = _step(x[t], h_bwd, c_bwd, W_bwd, forget_bias)
        bwd[t] = h_bwd
    # By t and not in the order of the steps, which the backward layer takes from the end.
    h = np.stack([np.concatenate([fwd[t], bwd[t]], axis=0) for t in range(T)])
    h_last, c_last = np.stack([h_fwd, h_bwd]), np.stack([c_fwd, c_bwd])

    def backward(dh, dh_last, dc_last):
        dx, dW_fwd, dW_bwd = np.zeros_like(x), np.zeros_like(W_fwd), np.zeros_like(W_bwd)
        (dfwd, dbwd), (dc_fwd, dc_bwd) = dh_last, dc_last
        for t in reversed(range(T)):
            dx_t, dfwd, dc_fwd, dW = backward_fwd[t](dh[t, :H] + dfwd, dc_fwd)
            dx[t] += dx_t
            dW_fwd += dW
        for t in range(T):
            dx_t, dbwd, dc_bwd, dW = backward_bwd[t](dh[t, H:] + dbwd, dc_bwd)
            dx[t] += dx_t
            dW_bwd += dW
        return dx, np.stack([dfwd, dbwd]), np.stack([dc_fwd, dc_bwd]), dW_fwd, dW_bwd

    return (h, h_last, c_last), backward


def _step(x, h_prev, c_prev, W, forget_bias):
    z = np.concatenate([np.ones((1, x.shape[1])), x, h_prev], axis=0)
    af, ai, ag, ao = np.split(W @ z, 4, axis=0)
    f, i, g, o = sigmoid(af + forget_bias), sigmoid(ai), np.tanh(ag), sigmoid(ao)
    c = f * c_prev + i * g
    h = o * np.tanh(c)

    def backward(dh, dc):
        dao = dh * np.tanh(c) * o * (1 - o)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        daf = dc * c_prev * f * (1 - f)
        dai = dc * g * i * (1 - i)
        dag = dc * i * (1 - g**2)
        da = np.concatenate([daf, dai, dag, dao], axis=0)
        dz = W.T @ da
        D = len(x)
        return dz[1 : 1 + D], dz[1 + D :], dc * f, da @ z.T

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
