"""LSTM language model over a whole sequence: one-hot tokens in, mean cross-entropy out.

After hipsternet (2016) and Agustinus Kristiadi (2016), "Deriving LSTM gradient for
backpropagation", with the usual cell state carried (cases/lstm_tanh_carry.py has the other).
T steps, B sequences, H units, a vocabulary of V. tokens and targets are ids; the input x_t is the
one-hot row of tokens[t], of width V. At each step z = [h, x_t] (h first) goes through a matrix of
H + V rows and a bias for each gate: f, i, o are the forget, input and output gates, g (Wc, bc) the
candidate, c = f * c + i * g, h = o * tanh(c), no forget bias. The logits are h @ Wy + by, and
-log softmax(logits)[target] is averaged over all T steps and B sequences into the scalar loss.
h0 and c0 start the sequence; h and c, the states after the last step, are outputs too.
Classic slip: the loss is divided by T and the gradient is not (so in hipsternet).
"""

import numpy as np


def lstm_softmax(
    h0: "B H",
    c0: "B H",
    Wf: "H+V H",
    Wi: "H+V H",
    Wc: "H+V H",
    Wo: "H+V H",
    Wy: "H V",
    bf: "H",
    bi: "H",
    bc: "H",
    bo: "H",
    by: "V",
    *,
    tokens: "T B < V",
    targets: "T B < V",
):
    T, B = tokens.shape
    H, V = Wy.shape
    one_hot = np.eye(V)

    h, c = h0, c0
    steps = []
    loss = 0
    for t in range(T):
        h_prev, c_prev = h, c
        z = np.concatenate([h_prev, one_hot[tokens[t]]], axis=1)
        f = sigmoid(z @ Wf + bf)
        i = sigmoid(z @ Wi + bi)
        g = np.tanh(z @ Wc + bc)
        o = sigmoid(z @ Wo + bo)
        c = f * c_prev + i * g
        h = o * np.tanh(c)
        p = softmax(h @ Wy + by)
        loss = loss - np.log(p[np.arange(B), targets[t]]).sum() / (T * B)
        steps.append((z, f, i, g, o, c_prev, c, h, p))

    def backward(dloss, dh, dc):
        dWf, dWi, dWc, dWo = (np.zeros_like(W) for W in (Wf, Wi, Wc, Wo))
        dbf, dbi, dbc, dbo = (np.zeros_like(b) for b in (bf, bi, bc, bo))
        dWy, dby = np.zeros_like(Wy), np.zeros_like(by)

        for t in reversed(range(T)):
            z, f, i, g, o, c_prev, c, h, p = steps[t]
            # Divided by what the loss is divided by: T steps, not only the B rows of this step.
            dlogits = dloss * (p - one_hot[targets[t]]) / (T * B)
            dWy = dWy + h.T @ dlogits
            dby = dby + dlogits.sum(axis=0)

            dh = dh + dlogits @ Wy.T  # h is read by the softmax and by the next step
            do = dh * np.tanh(c)
            dc = dc + dh * o * (1 - np.tanh(c) ** 2)
            df = dc * c_prev
            di = dc * g
            dg = dc * i

            daf = df * f * (1 - f)
            dai = di * i * (1 - i)
            dag = dg * (1 - g**2)
            dao = do * o * (1 - o)

            dWf, dbf = dWf + z.T @ daf, dbf + daf.sum(axis=0)
            dWi, dbi = dWi + z.T @ dai, dbi + dai.sum(axis=0)
            dWc, dbc = dWc + z.T @ dag, dbc + dag.sum(axis=0)
            dWo, dbo = dWo + z.T @ dao, dbo + dao.sum(axis=0)

            dz = daf @ Wf.T + dai @ Wi.T + dag @ Wc.T + dao @ Wo.T
            dh = dz[:, :H]  # to the step before; the rest of dz belongs to the one-hot input
            dc = dc * f
        return dh, dc, dWf, dWi, dWc, dWo, dWy, dbf, dbi, dbc, dbo, dby

    return (loss, h, c), backward


def softmax(y):
    e = np.exp(y - y.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
