# red: dx dx_before dc0 dWz dWf law[chunks] -- the cotangent of the last memory is dropped, as a chunk before would find
# wrong: dc_t = np.zeros_like(c0)
# right: dc_t = dc

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
        dc_t = np.zeros_like(c0)
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
