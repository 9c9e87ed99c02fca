"""QRNN with fo-pooling, a whole sequence: convolutions over time make the gates, pooling remembers.

Bradbury, Merity, Xiong and Socher (2017), "Quasi-recurrent neural networks", ICLR,
arXiv:1611.01576. T steps, B sequences, D inputs, H units; time is the first axis. The convolutions
have width 2 and look back: z[t] = tanh([x[t-1], x[t]] Wz), f and o likewise with a sigmoid, no
bias. The rows of each W are first those of x[t-1], then those of x[t]; before x[0] comes x_before,
the last input of the chunk before. Pooling: c[t] = f[t] c[t-1] + (1 - f[t]) z[t], h[t] = o[t] c[t],
from c0. Outputs: all h, and the last c.
Polarity: f = 1 keeps the old value, as in the paper; Salesforce's code has it the other way round.
Classic slip: no gradient for the last input of the chunk before.
"""

import numpy as np


def qrnn(x: "T B D", x_before: "B D", c0: "B H", Wz: "2*D H", Wf: "2*D H", Wo: "2*D H"):
    xs = np.concatenate([x_before[None], x])  # xs[t + 1] is x[t]
    pairs = np.concatenate([xs[:-1], xs[1:]], axis=2)
    z = np.tanh(pairs @ Wz)
    f = sigmoid(pairs @ Wf)
    o = sigmoid(pairs @ Wo)
    cs = [c0]  # cs[t] is the memory before step t, cs[t + 1] the memory after it
    for t in range(len(x)):
        cs.append(f[t] * cs[t] + (1 - f[t]) * z[t])
    h = o * np.stack(cs[1:])
    c = cs[-1]

    def backward(dh, dc):
        do = dh * np.stack(cs[1:])
        dz, df = np.zeros_like(z), np.zeros_like(f)
        dc_t = dc
        for t in reversed(range(len(x))):
            dc_t = dc_t + dh[t] * o[t]
            df[t] = dc_t * (cs[t] - z[t])
            dz[t] = dc_t * (1 - f[t])
            dc_t = dc_t * f[t]
        dc0 = dc_t

        daz = dz * (1 - z**2)
        daf = df * f * (1 - f)
        dao = do * o * (1 - o)
        dWz = np.einsum("tbd,tbh->dh", pairs, daz)
        dWf = np.einsum("tbd,tbh->dh", pairs, daf)
        dWo = np.einsum("tbd,tbh->dh", pairs, dao)

        dpairs = daz @ Wz.T + daf @ Wf.T + dao @ Wo.T
        D = x.shape[2]
        dxs = np.zeros_like(xs)
        dxs[:-1] += dpairs[:, :, :D]  # as the earlier input of a pair
        dxs[1:] += dpairs[:, :, D:]  # and as the later one
        dx_before, dx = dxs[0], dxs[1:]
        return dx, dx_before, dc0, dWz, dWf, dWo

    return (h, c), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))
