"""Backpropagation through time, written out: a whole sequence at once, in full and truncated.

Werbos (1990), "Backpropagation through time: what it does and how to do it", Proceedings of the
IEEE 78(10):1550-1560. T steps, B sequences, D inputs, H units; time is the first axis, and the
output h holds the states after each step, h[t] that after x[t]. h0 (and c0) are the states before
the first step. What holds for every cell: the gradient of a state is that of the output plus that
of the next step, and the weights' gradients add up over time.
Classic slip: h[t] where h[t-1] belongs, in the gradient of the recurrent weights.
"""

import numpy as np


def rnn_bptt(x: "T B D", h0: "B H", W: "D H", U: "H H", b: "H"):
    """The tanh RNN: h[t] = tanh(x[t] W + h[t-1] U + b)."""
    hs = [h0]  # hs[t] is the state before step t, hs[t + 1] the state after it
    for x_t in x:
        hs.append(np.tanh(x_t @ W + hs[-1] @ U + b))
    h = np.stack(hs[1:])

    def backward(dh):
        dx, dW, dU, db = np.zeros_like(x), np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
        dh_next = np.zeros_like(h0)  # nothing reads the last state but the output
        for t in reversed(range(len(x))):
            da = (dh[t] + dh_next) * (1 - hs[t + 1] ** 2)
            dx[t] = da @ W.T
            dW += x[t].T @ da
            dU += hs[t].T @ da
            db += da.sum(axis=0)
            dh_next = da @ U.T
        return dx, dh_next, dW, dU, db  # what is left over at the start belongs to h0

    return h, backward


def lstm_bptt(x: "T B D", h0: "B H", c0: "B H", Wx: "D 4*H", Wh: "H 4*H", b: "4*H"):
    """The LSTM in the form of CS231n: gates stacked i, f, o, g along the columns.

    Stanford CS231n, assignment 3, "Image captioning with LSTMs" (there with the batch first).
    a = x[t] Wx + h[t-1] Wh + b; i, f, o = sigmoid, g = tanh; c[t] = f c[t-1] + i g, h[t] = o
    tanh(c[t]). No forget bias, no peepholes. The outputs are all h and the last c.
    """
    hs, cs, gates = [h0], [c0], []
    for x_t in x:
        ai, af, ao, ag = np.split(x_t @ Wx + hs[-1] @ Wh + b, 4, axis=1)
        i, f, o, g = sigmoid(ai), sigmoid(af), sigmoid(ao), np.tanh(ag)
        cs.append(f * cs[-1] + i * g)
        hs.append(o * np.tanh(cs[-1]))
        gates.append((i, f, o, g))
    h, c_last = np.stack(hs[1:]), cs[-1]

    def backward(dh, dc_last):
        dx, dWx, dWh, db = np.zeros_like(x), np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
        dh_next = np.zeros_like(h0)
        dc_next = dc_last
        for t in reversed(range(len(x))):
            i, f, o, g = gates[t]
            tanh_c = np.tanh(cs[t + 1])
            dh_t = dh[t] + dh_next
            dc_t = dc_next + dh_t * o * (1 - tanh_c**2)

            dai = dc_t * g * i * (1 - i)
            daf = dc_t * cs[t] * f * (1 - f)
            dao = dh_t * tanh_c * o * (1 - o)
            dag = dc_t * i * (1 - g**2)
            da = np.concatenate([dai, daf, dao, dag], axis=1)  # the order of the forward

            dx[t] = da @ Wx.T
            dWx += x[t].T @ da
            dWh += hs[t].T @ da
            db += da.sum(axis=0)
            dh_next = da @ Wh.T
            dc_next = dc_t * f
        return dx, dh_next, dc_next, dWx, dWh, db

    return (h, c_last), backward


def truncated_bptt(x1: "T B D", x2: "S B D", h0: "B H", W: "D H", U: "H H", b: "H"):
    """The tanh RNN over two chunks of a sequence: the state crosses, its gradient does not.

    Williams and Peng (1990), "An efficient gradient-based algorithm for on-line training of
    recurrent network trajectories", Neural Computation 2(4):490-501.
    The second chunk starts from the last state of the first and takes it for a constant. So the
    losses of the second reach the weights through its own S steps only, and x1 and h0 not at all:
    this is on purpose not the gradient of the whole.
    """
    h1, backward1 = rnn_bptt(x1, h0, W, U, b)
    start: "constant" = h1[-1]
    h2, backward2 = rnn_bptt(x2, start, W, U, b)

    def backward(dh1, dh2):
        dx2, _, dW2, dU2, db2 = backward2(dh2)  # the gradient of start ends here
        dx1, dh0, dW1, dU1, db1 = backward1(dh1)
        return dx1, dx2, dh0, dW1 + dW2, dU1 + dU2, db1 + db2

    return (h1, h2), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
