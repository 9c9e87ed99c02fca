"""LSTM of a lecture slide, without biases, input and recurrent matrices apart, on columns.

Arun Mallya (2016), "LSTM forward and backward pass", lecture slides, after Hochreiter and
Schmidhuber (1997), "Long short-term memory", Neural Computation 9(8):1735-1780.
Every column is a sequence: D inputs, H units, B sequences. a is the candidate (tanh), i, f, o the
input, forget and output gates (sigmoid); each has a pre-activation such as a_hat = W_a @ x +
U_a @ h_prev. c = a * i + c_prev * f and h = tanh(c) * o are the states carried. No forget bias.
As on the slide, da is the gradient of the candidate a itself; those of pre-activations are da_hat.
Classic slip: slopes taken at the pre-activation, i_hat * (1 - i_hat) for i * (1 - i), and a square
lost in 1 - tanh(a_hat)**2; a copy of this slide in circulation has them all (docs/slide.md).
"""

import numpy as np


def lstm_slide(
    x: "D B",
    h_prev: "H B",
    c_prev: "H B",
    W_a: "H D",
    W_i: "H D",
    W_f: "H D",
    W_o: "H D",
    U_a: "H H",
    U_i: "H H",
    U_f: "H H",
    U_o: "H H",
):
    a_hat = W_a @ x + U_a @ h_prev
    i_hat = W_i @ x + U_i @ h_prev
    f_hat = W_f @ x + U_f @ h_prev
    o_hat = W_o @ x + U_o @ h_prev
    a = np.tanh(a_hat)
    i = sigmoid(i_hat)
    f = sigmoid(f_hat)
    o = sigmoid(o_hat)
    c = a * i + c_prev * f
    h = np.tanh(c) * o

    def backward(dh, dc):
        do = dh * np.tanh(c)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)  # the slide's delta c, which gathers both paths
        di = dc * a
        da = dc * i
        df = dc * c_prev
        dc_prev = dc * f

        da_hat = da * (1 - a**2)  # a is tanh(a_hat) already
        di_hat = di * i * (1 - i)
        df_hat = df * f * (1 - f)
        do_hat = do * o * (1 - o)

        dW_a, dU_a = da_hat @ x.T, da_hat @ h_prev.T
        dW_i, dU_i = di_hat @ x.T, di_hat @ h_prev.T
        dW_f, dU_f = df_hat @ x.T, df_hat @ h_prev.T
        dW_o, dU_o = do_hat @ x.T, do_hat @ h_prev.T

        dx = W_a.T @ da_hat + W_i.T @ di_hat + W_f.T @ df_hat + W_o.T @ do_hat
        dh_prev = U_a.T @ da_hat + U_i.T @ di_hat + U_f.T @ df_hat + U_o.T @ do_hat
        return dx, dh_prev, dc_prev, dW_a, dW_i, dW_f, dW_o, dU_a, dU_i, dU_f, dU_o

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
