# red: dmemory -- the memory is read as keys, too
# wrong: dmemory = np.einsum("sb,bm->sbm", a, dcontext)
# right: dmemory = np.einsum('sb,bm->sbm', a, dcontext) + dkeys @ W_mem.T

import numpy as np


def masked_attention(h: "B H", memory: "S B M", W_mem: "M H", W_att: "H+M A", *, lengths: "B <= S"):
    live = np.arange(len(memory))[:, None] < lengths  # S B
    read = np.where(live[:, :, None], memory, 0)  # 0 times a padding of inf or NaN would not be 0
    keys = read @ W_mem
    score = np.where(live, np.einsum("sbh,bh->sb", keys, h), -np.inf)
    a = softmax(score)
    context = np.einsum("sb,sbm->bm", a, read)
    hc = np.concatenate([h, context], axis=1)
    attention = hc @ W_att

    def backward(dattention, da):
        dW_att = hc.T @ dattention
        dhc = dattention @ W_att.T
        H = h.shape[1]
        dh, dcontext = dhc[:, :H], dhc[:, H:]

        da = da + np.einsum("bm,sbm->sb", dcontext, read)
        dscore = a * (da - (a * da).sum(axis=0))  # softmax; 0 where a is
        dkeys = np.einsum("sb,bh->sbh", dscore, h)

        dh = dh + np.einsum("sb,sbh->bh", dscore, keys)  # h is read twice, and so is the memory
        dmemory = np.einsum("sb,bm->sbm", a, dcontext)
        dW_mem = np.einsum("sbm,sbh->mh", read, dkeys)
        return dh, dmemory, dW_mem, dW_att

    return (attention, a), backward


def softmax(score):
    e = np.exp(score - score.max(axis=0))
    return e / e.sum(axis=0)
