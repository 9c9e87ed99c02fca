"""Two time mixings of RWKV, one step each: a decaying memory, and a bonus u for the token itself.

B sequences. What comes before (receptance, key, value, token shift) and after is left out.
`rwkv4` has H channels apart, and a weighted mean of the values: p and q are its numerator and
denominator, both divided by exp(o), where o is a running maximum. `rwkv6` has one head, whose state
S is a matrix of K keys by V values, and a decay that the token chooses.
"""

import numpy as np


def rwkv4(
    k: "B H",
    v: "B H",
    p_prev: "B H",
    q_prev: "B H > 0",
    o_prev: "B H",
    w_raw: "H in (-3, 1)",
    u: "H",
):
    """A weighted mean of the values, whose weights decay by w = -exp(w_raw) a step.

    The output comes first, then the decay; with the state p, q, o of step t - 1:

    y = (exp(o - s) p + exp(u + k - s) v) / (exp(o - s) q + exp(u + k - s)), s = max(o, u + k);
    after it o' = max(w + o, k), p' = exp(w + o - o') p + exp(k - o') v, and q' likewise with 1 for
    v. Peng et al. (2023), "RWKV: reinventing RNNs for the transformer era", EMNLP,
    arXiv:2305.13048. The slope of the new o jumps where w + o_prev = k; y does not see s.
    Classic slip: the factor w of w = -exp(w_raw), put in twice or never.
    """
    w = -np.exp(w_raw)
    a = u + k
    s = np.maximum(o_prev, a)
    old = np.exp(o_prev - s)
    now = np.exp(a - s)
    den = old * q_prev + now
    y = (old * p_prev + now * v) / den

    kept = w + o_prev
    o: "kink where kept = k" = np.maximum(kept, k)
    e = np.exp(kept - o)
    i = np.exp(k - o)
    p = e * p_prev + i * v
    q = e * q_prev + i

    def backward(dy, dp, dq, do):
        # The output: s scales both exponentials alike, so that nothing flows through it.
        dold = dy * (p_prev - y * q_prev) / den
        dnow = dy * (v - y) / den
        da = dnow * now
        du = da.sum(axis=0)

        # The state: kept and k have an exponential each; the larger of the two is o as well.
        de = dp * p_prev + dq * q_prev
        di = dp * v + dq
        do = do - de * e - di * i
        dkept = de * e + np.where(kept > k, do, 0)
        dw = dkept.sum(axis=0)
        dw_raw = dw * w

        dk = da + di * i + np.where(kept > k, 0, do)
        dv = dy * now / den + dp * i
        dp_prev = dy * old / den + dp * e
        dq_prev = -dy * y * old / den + dq * e
        do_prev = dold * old + dkept
        return dk, dv, dp_prev, dq_prev, do_prev, dw_raw, du

    return (y, p, q, o), backward


def rwkv6(r: "B K", k: "B K", v: "B V", w_raw: "B K in (-3, 1)", S_prev: "B K V", u: "K"):
    """y = r' (S_prev + diag(u) k v'), then S = diag(w) S_prev + k v', with w = exp(-exp(w_raw)).

    The output sees the state BEFORE the update, and the token itself with the bonus u, which acts
    on the keys. No scale on r. Peng et al. (2024), "Eagle and Finch: RWKV with matrix-valued states
    and dynamic recurrence", arXiv:2404.05892.
    Classic slip: S where the output reads S_prev.
    """
    w = np.exp(-np.exp(w_raw))
    kv = k[:, :, None] * v[:, None, :]
    seen = S_prev + u[:, None] * kv
    y = np.einsum("bk,bkv->bv", r, seen)
    S = w[:, :, None] * S_prev + kv

    def backward(dy, dS):
        dr = np.einsum("bkv,bv->bk", seen, dy)
        dseen = r[:, :, None] * dy[:, None, :]
        du = (dseen * kv).sum(axis=(0, 2))
        dkv = dS + dseen * u[:, None]
        dk = np.einsum("bkv,bv->bk", dkv, v)
        dv = np.einsum("bkv,bk->bv", dkv, k)
        dw = (dS * S_prev).sum(axis=2)
        dw_raw = -dw * w * np.exp(w_raw)
        dS_prev = dseen + w[:, :, None] * dS
        return dr, dk, dv, dw_raw, dS_prev, du

    return (y, S), backward
