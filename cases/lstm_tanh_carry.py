"""LSTM that carries tanh(c) to the next step instead of c, an overwritten variable made a cell.

The LSTM of hipsternet (2016), whose forward says c = tanh(c) before it returns c; described in
Agustinus Kristiadi (2016), "Deriving LSTM gradient for backpropagation", where c is the usual one.
B sequences, D inputs, H units; z = [h_prev, x] (h_prev first), a matrix of H + D rows and a bias
for each gate; f, i, o are the forget, input and output gates, g the candidate; no forget bias.
s = f * c_prev + i * g, c = tanh(s) and h = o * c: the states carried are h and this c, which lies
between -1 and 1 and is squashed again at every step.
Classic slip: the line of cases/lstm.py, dc + dh * o * (1 - tanh**2): there dc arrives behind the
tanh and is added after its slope, here it arrives in front and must pass through it.
One step from dc = 0, as most tests have it, does not tell the two lines apart.
"""

import numpy as np


def lstm_tanh_carry(
    x: "B D",
    h_prev: "B H",
    c_prev: "B H",
    Wf: "H+D H",
    Wi: "H+D H",
    Wc: "H+D H",
    Wo: "H+D H",
    bf: "H",
    bi: "H",
    bc: "H",
    bo: "H",
):
    z = np.concatenate([h_prev, x], axis=1)
    f = sigmoid(z @ Wf + bf)
    i = sigmoid(z @ Wi + bi)
    g = np.tanh(z @ Wc + bc)
    o = sigmoid(z @ Wo + bo)
    s = f * c_prev + i * g
    c = np.tanh(s)
    h = o * c

    def backward(dh, dc):
        do = dh * c
        dc = dc + dh * o  # both paths leave from c = tanh(s): right here, wrong in cases/lstm.py,
        ds = dc * (1 - c**2)  # and only their sum meets the slope of the tanh
        df = ds * c_prev
        di = ds * g
        dg = ds * i
        dc_prev = ds * f

        daf = df * f * (1 - f)
        dai = di * i * (1 - i)
        dag = dg * (1 - g**2)
        dao = do * o * (1 - o)

        dWf, dbf = z.T @ daf, daf.sum(axis=0)
        dWi, dbi = z.T @ dai, dai.sum(axis=0)
        dWc, dbc = z.T @ dag, dag.sum(axis=0)
        dWo, dbo = z.T @ dao, dao.sum(axis=0)

        dz = daf @ Wf.T + dai @ Wi.T + dag @ Wc.T + dao @ Wo.T
        H = h_prev.shape[1]
        dh_prev, dx = dz[:, :H], dz[:, H:]
        return dx, dh_prev, dc_prev, dWf, dWi, dWc, dWo, dbf, dbi, dbc, dbo

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
