"""Three gated linear attentions, one step each: a state maps keys to values, and a query reads it.

B sequences, one head, K entries in queries and keys, V in values. In all three the output is read
AFTER the update, o = K**-0.5 q' S, with the scale on q, as in flash-linear-attention. Gates are
given: g <= 0 is the logarithm of the decay, 0 < beta < 1 the strength of a write. q and k are
taken as they are, not normalised. S is carried, o is not fed back.
`gla` decays each key's row apart and adds k v'; `delta_net` writes only what v lacks of what k
reads; `gated_delta_net` decays all of S first, and then does the same.
"""

import numpy as np


def gla(q: "B K", k: "B K", v: "B V", g: "B K in (-2, 0)", S_prev: "B K V"):
    """S = diag(exp g) S_prev + k v'.

    Yang, Wang, Shen, Panda and Kim (2024), "Gated linear attention transformers with
    hardware-efficient training", ICML, arXiv:2312.06635.
    Classic slip: the decay's gradient without the factor exp(g).
    """
    scale = q.shape[1] ** -0.5
    w = np.exp(g)
    S = w[:, :, None] * S_prev + k[:, :, None] * v[:, None, :]
    o = scale * np.einsum("bk,bkv->bv", q, S)

    def backward(do, dS):
        dq = scale * np.einsum("bkv,bv->bk", S, do)
        dS = dS + scale * q[:, :, None] * do[:, None, :]
        dk = np.einsum("bkv,bv->bk", dS, v)
        dv = np.einsum("bkv,bk->bv", dS, k)
        dw = (dS * S_prev).sum(axis=2)
        dg = dw * w
        dS_prev = w[:, :, None] * dS
        return dq, dk, dv, dg, dS_prev

    return (o, S), backward


def delta_net(q: "B K", k: "B K", v: "B V", beta: "B in (0, 1)", S_prev: "B K V"):
    """S = S_prev + k (beta r)', where r = v - S_prev' k is what is not stored under k yet.

    Yang, Wang, Zhang, Shen and Kim (2024), "Parallelizing linear transformers with the delta rule
    over sequence length", NeurIPS, arXiv:2406.06484.
    Classic slip: k's second path, through what it reads.
    """
    scale = q.shape[1] ** -0.5
    r = v - np.einsum("bkv,bk->bv", S_prev, k)
    u = beta[:, None] * r
    S = S_prev + k[:, :, None] * u[:, None, :]
    o = scale * np.einsum("bk,bkv->bv", q, S)

    def backward(do, dS):
        dq = scale * np.einsum("bkv,bv->bk", S, do)
        dS = dS + scale * q[:, :, None] * do[:, None, :]
        du = np.einsum("bkv,bk->bv", dS, k)
        dr = beta[:, None] * du
        dbeta = (du * r).sum(axis=1)
        dv = dr
        dk = np.einsum("bkv,bv->bk", dS, u) - np.einsum("bkv,bv->bk", S_prev, dr)
        dS_prev = dS - k[:, :, None] * dr[:, None, :]
        return dq, dk, dv, dbeta, dS_prev

    return (o, S), backward


def gated_delta_net(
    q: "B K",
    k: "B K",
    v: "B V",
    beta: "B in (0, 1)",
    g: "B in (-2, 0)",
    S_prev: "B K V",
):
    """P = exp(g) S_prev, r = v - P' k, and S = P + k (beta r)'; g is one number a sequence.

    Yang, Kautz and Hatamizadeh (2025), "Gated delta networks: improving Mamba2 with delta rule",
    ICLR, arXiv:2412.06464.
    Classic slip: k reads S_prev where it should read P, the state that has decayed.
    """
    scale = q.shape[1] ** -0.5
    w = np.exp(g)
    P = w[:, None, None] * S_prev
    r = v - np.einsum("bkv,bk->bv", P, k)
    u = beta[:, None] * r
    S = P + k[:, :, None] * u[:, None, :]
    o = scale * np.einsum("bk,bkv->bv", q, S)

    def backward(do, dS):
        dq = scale * np.einsum("bkv,bv->bk", S, do)
        dS = dS + scale * q[:, :, None] * do[:, None, :]
        du = np.einsum("bkv,bk->bv", dS, k)
        dr = beta[:, None] * du
        dbeta = (du * r).sum(axis=1)
        dv = dr
        dk = np.einsum("bkv,bv->bk", dS, u) - np.einsum("bkv,bv->bk", P, dr)
        dP = dS - k[:, :, None] * dr[:, None, :]
        dw = (dP * S_prev).sum(axis=(1, 2))
        dg = dw * w
        dS_prev = w[:, None, None] * dP
        return dq, dk, dv, dbeta, dg, dS_prev

    return (o, S), backward
