"""mLSTM, whose memory is a matrix: keys write values into it, a query reads, and n normalises.

Beck et al. (2024), "xLSTM: extended long short-term memory", arXiv:2405.04517: one head, without
the projections before and the output gate after, as in the recurrent step of NX-AI's xlstm.
B sequences, K entries in queries and keys, V in values. k is scaled by K**-0.5, in C and n alike
(the chunked kernels scale q instead). ai and af are the gates' pre-activations, one number each
(tildes in the paper); lf = m_prev + log sigmoid(af), m = max(lf, ai), f = exp(lf - m) and
i = exp(ai - m). C = f C_prev + i k v', n = f n_prev + i k, d = q.n, and with C transposed
h = C' q / (max(|d|, exp(-m)) + eps): eps comes after the max. C, n, m are carried, h is not fed
back. Slopes jump at lf = ai and at |d| = exp(-m).
Classic slip: the sign of d, or the branch exp(-m), which is a path into m.

`mlstm` is right for whatever comes into its outputs; `mlstm_constant_normaliser` drops the
derivative of the denominator, as NX-AI's kernels do.
"""

import numpy as np


def mlstm(
    q: "B K",
    k: "B K",
    v: "B V",
    ai: "B",
    af: "B",
    C_prev: "B K V",
    n_prev: "B K",
    m_prev: "B",
    *,
    eps=1e-6,
):
    scale = k.shape[1] ** -0.5
    key = scale * k
    lf = m_prev + log_sigmoid(af)
    m: "kink where lf = ai" = np.maximum(lf, ai)
    f = np.exp(lf - m)
    i = np.exp(ai - m)
    C = f[:, None, None] * C_prev + i[:, None, None] * key[:, :, None] * v[:, None, :]
    n = f[:, None] * n_prev + i[:, None] * key
    num = np.einsum("bk,bkv->bv", q, C)
    d = (q * n).sum(axis=1)
    size = np.where(d > 0, d, -d)
    floor = np.exp(-m)
    den: "kink where size = floor" = np.maximum(size, floor) + eps
    h = num / den[:, None]

    def backward(dh, dC, dn, dm):
        dnum = dh / den[:, None]
        dden = -(dh * num).sum(axis=1) / den**2
        dd = np.where(size > floor, dden * np.sign(d), 0)
        dfloor = np.where(size > floor, 0, dden)
        dC = dC + q[:, :, None] * dnum[:, None, :]
        dn = dn + dd[:, None] * q
        dq = np.einsum("bkv,bv->bk", C, dnum) + dd[:, None] * n

        df = (dC * C_prev).sum(axis=(1, 2)) + (dn * n_prev).sum(axis=1)
        di = np.einsum("bkv,bk,bv->b", dC, key, v) + (dn * key).sum(axis=1)
        dkey = i[:, None] * (np.einsum("bkv,bv->bk", dC, v) + dn)
        dk = dkey * scale
        dv = i[:, None] * np.einsum("bkv,bk->bv", dC, key)
        dC_prev = f[:, None, None] * dC
        dn_prev = f[:, None] * dn

        # lf and ai have an exponential each; the larger of the two is m as well.
        dm = dm - dfloor * floor - df * f - di * i
        dlf = df * f + np.where(lf > ai, dm, 0)
        dai = di * i + np.where(lf > ai, 0, dm)
        daf = dlf * sigmoid(-af)
        dm_prev = dlf
        return dq, dk, dv, dai, daf, dC_prev, dn_prev, dm_prev

    return (h, C, n, m), backward


def mlstm_constant_normaliser(
    q: "B K",
    k: "B K",
    v: "B V",
    ai: "B",
    af: "B",
    C_prev: "B K V",
    n_prev: "B K",
    m_prev: "B",
    *,
    eps=1e-6,
):
    """The same forward; the denominator is taken for a constant.

    What is dropped is a multiple of dh.h, so the rest is exact for every dh orthogonal to h (row by
    row), and for no other. Such a dh comes out of a layer norm of h, but for the norm's eps.
    """
    scale = k.shape[1] ** -0.5
    key = scale * k
    lf = m_prev + log_sigmoid(af)
    m: "kink where lf = ai" = np.maximum(lf, ai)
    f = np.exp(lf - m)
    i = np.exp(ai - m)
    C = f[:, None, None] * C_prev + i[:, None, None] * key[:, :, None] * v[:, None, :]
    n = f[:, None] * n_prev + i[:, None] * key
    num = np.einsum("bk,bkv->bv", q, C)
    d = (q * n).sum(axis=1)
    size = np.where(d > 0, d, -d)
    den = np.maximum(size, np.exp(-m)) + eps
    h = num / den[:, None]

    def backward(dh: "orthogonal to h", dC, dn, dm):
        dnum = dh / den[:, None]
        dC = dC + q[:, :, None] * dnum[:, None, :]
        dq = np.einsum("bkv,bv->bk", C, dnum)

        df = (dC * C_prev).sum(axis=(1, 2)) + (dn * n_prev).sum(axis=1)
        di = np.einsum("bkv,bk,bv->b", dC, key, v) + (dn * key).sum(axis=1)
        dkey = i[:, None] * (np.einsum("bkv,bv->bk", dC, v) + dn)
        dk = dkey * scale
        dv = i[:, None] * np.einsum("bkv,bk->bv", dC, key)
        dC_prev = f[:, None, None] * dC
        dn_prev = f[:, None] * dn

        dm = dm - df * f - di * i
        dlf = df * f + np.where(lf > ai, dm, 0)
        dai = di * i + np.where(lf > ai, 0, dm)
        daf = dlf * sigmoid(-af)
        dm_prev = dlf
        return dq, dk, dv, dai, daf, dC_prev, dn_prev, dm_prev

    return (h, C, n, m), backward


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def log_sigmoid(a):
    return np.minimum(a, 0) - np.log1p(np.exp(np.minimum(a, -a)))
