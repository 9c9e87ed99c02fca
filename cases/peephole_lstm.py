"""LSTM whose gates also look at the cell state, each unit's through a weight of its own.

Gers and Schmidhuber (2000), "Recurrent nets that time and count", IJCNN, as in TensorFlow's
LSTMCell(use_peepholes=True), laid out like cases/lstm.py and without clipping.
B sequences, D inputs, H units; z = [h_prev, x] (h_prev first), a matrix of H + D rows and a bias
for each gate; f, i, o are the forget, input and output gates, g (Wc, bc) the candidate; p_f, p_i,
p_o are vectors that multiply the cell state unit by unit. The forget and input gates see c_prev,
the output gate sees the new c; the candidate sees neither. No forget bias; h and c are carried.
Classic slip: c_prev for c in dp_o, or the path o -> c added to dc after the other gates used dc.
"""

import numpy as np


def peephole_lstm(
    x: "B D",
    h_prev: "B H",
    c_prev: "B H",
    Wf: "H+D H",
    Wi: "H+D H",
    Wc: "H+D H",
    Wo: "H+D H",
    p_f: "H",
    p_i: "H",
    p_o: "H",
    bf: "H",
    bi: "H",
    bc: "H",
    bo: "H",
):
    z = np.concatenate([h_prev, x], axis=1)
    f = sigmoid(z @ Wf + p_f * c_prev + bf)
    i = sigmoid(z @ Wi + p_i * c_prev + bi)
    g = np.tanh(z @ Wc + bc)
    c = f * c_prev + i * g
    o = sigmoid(z @ Wo + p_o * c + bo)
    h = o * np.tanh(c)

    def backward(dh, dc):
        do = dh * np.tanh(c)
        dao = do * o * (1 - o)  # first of all gates, because the output gate has looked at c
        dc = dc + dh * o * (1 - np.tanh(c) ** 2) + dao * p_o
        df = dc * c_prev
        di = dc * g
        dg = dc * i

        daf = df * f * (1 - f)
        dai = di * i * (1 - i)
        dag = dg * (1 - g**2)
        dc_prev = dc * f + daf * p_f + dai * p_i

        dWf, dbf, dp_f = z.T @ daf, daf.sum(axis=0), (daf * c_prev).sum(axis=0)
        dWi, dbi, dp_i = z.T @ dai, dai.sum(axis=0), (dai * c_prev).sum(axis=0)
        dWc, dbc = z.T @ dag, dag.sum(axis=0)
        dWo, dbo, dp_o = z.T @ dao, dao.sum(axis=0), (dao * c).sum(axis=0)

        dz = daf @ Wf.T + dai @ Wi.T + dag @ Wc.T + dao @ Wo.T
        H = h_prev.shape[1]
        dh_prev, dx = dz[:, :H], dz[:, H:]
        return dx, dh_prev, dc_prev, dWf, dWi, dWc, dWo, dp_f, dp_i, dp_o, dbf, dbi, dbc, dbo

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
