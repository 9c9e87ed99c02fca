"""The general attention from the equations of Luong et al. (2015), without their tanh."""

import torch


def luong_attention(h, memory, W_mem, W_att):
    a = torch.einsum("bsm,mh,bh->bs", memory, W_mem, h).softmax(dim=1)
    context = torch.einsum("bs,bsm->bm", a, memory)
    return torch.cat([h, context], dim=1) @ W_att, a
