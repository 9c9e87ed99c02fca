"""LSTM with its four gates stacked in one matrix each for input and state, as in PyTorch and cuDNN.

Hochreiter and Schmidhuber (1997), "Long short-term memory", Neural Computation 9(8):1735-1780,
with a forget gate, in the layout of torch.nn.LSTMCell.
B sequences, D inputs, H units; rows of W, U, b and bU are stacked i, f, g, o (input, forget,
candidate, output); W acts on x, U on h_prev, and both biases are added. No forget bias.
The two biases are only ever added, so their gradients are equal; cuDNN keeps both, and both are
returned, since an optimiser that moves one of them alone takes half the step.
Classic slip: the candidate is the third block here, but the fourth in CS231n's lstm_cs231n.py.
"""

import numpy as np


def lstm_stacked(
    x: "B D", h_prev: "B H", c_prev: "B H", W: "4*H D", U: "4*H H", b: "4*H", bU: "4*H"
):
    ai, af, ag, ao = np.split(x @ W.T + b + h_prev @ U.T + bU, 4, axis=1)
    i = sigmoid(ai)
    f = sigmoid(af)
    g = np.tanh(ag)
    o = sigmoid(ao)
    c = f * c_prev + i * g
    h = o * np.tanh(c)

    def backward(dh, dc):
        do = dh * np.tanh(c)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        di = dc * g
        df = dc * c_prev
        dg = dc * i
        dc_prev = dc * f

        dai = di * i * (1 - i)
        daf = df * f * (1 - f)
        dag = dg * (1 - g**2)
        dao = do * o * (1 - o)

        da = np.concatenate([dai, daf, dag, dao], axis=1)  # in the order of the rows of W and U
        dx = da @ W
        dh_prev = da @ U
        dW = da.T @ x
        dU = da.T @ h_prev
        db = da.sum(axis=0)
        dbU = db.copy()  # equal to db, but not the same memory: the caller may scale one in place
        return dx, dh_prev, dc_prev, dW, dU, db, dbU

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
