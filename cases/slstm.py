"""sLSTM: exponential gates, a normaliser that divides the cell, a stabiliser that tames them.

Beck et al. (2024), "xLSTM: extended long short-term memory", arXiv:2405.04517, with the forget
gate that is a sigmoid. B sequences, D inputs, K heads of M units. W and b are stacked i, f, z, o;
so is R, which has one square matrix for each head: heads do not mix. The rows of each are units.
With the pre-activations ai, af, az, ao (tildes in the paper) and lf = m_prev + log sigmoid(af):
m = max(lf, ai), f = exp(lf - m), i = exp(ai - m); c = f c_prev + i tanh(az), n = f n_prev + i,
h = sigmoid(ao) c / n. All of h, c, n, m are carried; n > 0. At lf = ai the slope of m jumps.
Not here: the branch of NX-AI's code that takes m = ai where every n of the batch is 0.
Classic slip: f (1 - f) for the forget gate's slope; f is an exponential, and that of lf is
sigmoid(-af).

In exact arithmetic h does not see which m was taken: c and n shrink alike. So `slstm`, which
follows m everywhere, is right for whatever comes into h, c, n and m, while the shorter backward
of `slstm_constant_stabiliser`, which takes m for a constant at every step (a detach in PyTorch), is
the true gradient only where h alone has a loss.
"""

import numpy as np


def slstm(
    x: "B D",
    h_prev: "B K M",
    c_prev: "B K M",
    n_prev: "B K M > 0",
    m_prev: "B K M",
    W: "4 K M D",
    R: "4 K M M",
    b: "4 K M",
):
    a = np.einsum("bd,gkmd->gbkm", x, W) + np.einsum("bkl,gkml->gbkm", h_prev, R) + b[:, None]
    ai, af, az, ao = a
    lf = m_prev + log_sigmoid(af)
    m: "kink where lf = ai" = np.maximum(lf, ai)
    f = np.exp(lf - m)
    i = np.exp(ai - m)
    z = np.tanh(az)
    o = sigmoid(ao)
    c = f * c_prev + i * z
    n = f * n_prev + i
    h = o * c / n

    def backward(dh, dc, dn, dm):
        do = dh * c / n
        dc = dc + dh * o / n
        dn = dn - dh * o * c / n**2
        df = dc * c_prev + dn * n_prev
        di = dc * z + dn
        dz = dc * i
        dc_prev = dc * f
        dn_prev = dn * f

        # lf and ai have an exponential each; the larger of the two is m as well.
        dm = dm - df * f - di * i
        dlf = df * f + np.where(lf > ai, dm, 0)
        dai = di * i + np.where(lf > ai, 0, dm)
        daf = dlf * sigmoid(-af)
        daz = dz * (1 - z**2)
        dao = do * o * (1 - o)
        dm_prev = dlf

        da = np.stack([dai, daf, daz, dao])
        dx = np.einsum("gbkm,gkmd->bd", da, W)
        dh_prev = np.einsum("gbkm,gkml->bkl", da, R)
        dW = np.einsum("gbkm,bd->gkmd", da, x)
        dR = np.einsum("gbkm,bkl->gkml", da, h_prev)
        db = da.sum(axis=1)
        return dx, dh_prev, dc_prev, dn_prev, dm_prev, dW, dR, db

    return (h, c, n, m), backward


def slstm_constant_stabiliser(
    x: "B D",
    h_prev: "B K M",
    c_prev: "B K M",
    n_prev: "B K M > 0",
    m_prev: "B K M",
    W: "4 K M D",
    R: "4 K M M",
    b: "4 K M",
):
    """The same forward; nothing flows through m, as in kernels that are trained on h alone.

    With m held the gradients are right for every loss on h, c and n. Without a loss on c, n and m
    they are those of `slstm` too, over any number of steps: what comes into m from the step after,
    df f there, is df f + di i here, and the two cancel. That of m_prev is not 0 even then: c_prev
    and n_prev are measured in units of exp(m_prev).
    """
    a = np.einsum("bd,gkmd->gbkm", x, W) + np.einsum("bkl,gkml->gbkm", h_prev, R) + b[:, None]
    ai, af, az, ao = a
    lf = m_prev + log_sigmoid(af)
    m: "constant" = np.maximum(lf, ai)
    f = np.exp(lf - m)
    i = np.exp(ai - m)
    z = np.tanh(az)
    o = sigmoid(ao)
    c = f * c_prev + i * z
    n = f * n_prev + i
    h = o * c / n

    def backward(dh, dc, dn, dm):
        do = dh * c / n
        dc = dc + dh * o / n
        dn = dn - dh * o * c / n**2
        df = dc * c_prev + dn * n_prev
        di = dc * z + dn
        dz = dc * i
        dc_prev = dc * f
        dn_prev = dn * f

        dlf = df * f  # and no dm: what comes into m goes nowhere
        dai = di * i
        daf = dlf * sigmoid(-af)
        daz = dz * (1 - z**2)
        dao = do * o * (1 - o)
        dm_prev = dlf

        da = np.stack([dai, daf, daz, dao])
        dx = np.einsum("gbkm,gkmd->bd", da, W)
        dh_prev = np.einsum("gbkm,gkml->bkl", da, R)
        dW = np.einsum("gbkm,bd->gkmd", da, x)
        dR = np.einsum("gbkm,bkl->gkml", da, h_prev)
        db = da.sum(axis=1)
        return dx, dh_prev, dc_prev, dn_prev, dm_prev, dW, dR, db

    return (h, c, n, m), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def log_sigmoid(a):
    return np.minimum(a, 0) - np.log1p(np.exp(np.minimum(a, -a)))
