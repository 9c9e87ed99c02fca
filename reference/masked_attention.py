"""The general attention from the equations of Luong et al. (2015), without their tanh."""

import torch


def masked_attention(h, memory, W_mem, W_att, *, lengths):
    behind = torch.arange(len(memory))[:, None] >= lengths
    memory = memory.masked_fill(behind[:, :, None], 0.0)
    score = torch.einsum("sbm,mh,bh->sb", memory, W_mem, h)
    a = score.masked_fill(behind, -torch.inf).softmax(dim=0)
    context = torch.einsum("sb,sbm->bm", a, memory)
    return torch.cat([h, context], dim=1) @ W_att, a
