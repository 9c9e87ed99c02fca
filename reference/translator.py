"""The translator on PyTorch's kernels: packed sequences, two layers both ways, cross-entropy."""

import torch
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def translator(
    E_src, E_tgt, W1, b1, W2, b2, W_dec, U_dec, b_dec, W_mem, W_att, Wy, by,
    *, source, lengths, given, targets, mask,
):  # fmt: skip
    memory, h, c = _encoder(functional.embedding(source, E_src), lengths, [(W1, b1), (W2, b2)])
    behind = torch.arange(len(source))[:, None] >= lengths
    decoder = [_ifgo(W_dec).T, _ifgo(U_dec).T, _ifgo(b_dec), torch.zeros_like(b_dec)]

    attention, weights = [h.new_zeros(len(h), W_att.shape[1])], []
    for word in functional.embedding(given, E_tgt):
        h, c = torch.lstm_cell(torch.cat([word, attention[-1]], dim=1), (h, c), *decoder)
        score = torch.einsum("sbm,mh,bh->sb", memory, W_mem, h)
        a = score.masked_fill(behind, -torch.inf).softmax(dim=0)
        context = torch.einsum("sb,sbm->bm", a, memory)
        attention.append(torch.cat([h, context], dim=1) @ W_att)
        weights.append(a)
    attention = torch.stack(attention[1:])

    counted = targets.masked_fill(mask == 0, -100)  # what PyTorch leaves out
    losses = functional.cross_entropy((attention @ Wy + by).mT, counted, reduction="sum")
    return losses / mask.sum().clamp(min=1), attention, torch.stack(weights)


def _encoder(x, lengths, layers):
    """All h of the last layer, and its last h and c, each [forward; backward]."""
    parameters = []
    for W, b in layers:
        H = W.shape[2] // 4
        for direction in (0, 1):
            W_x, W_h = W[direction].T.split([W.shape[1] - H, H], dim=1)
            parameters += [W_x, W_h, b[direction], torch.zeros_like(b[direction])]
    packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
    start = x.new_zeros(2 * len(layers), x.shape[1], H)
    data, h_last, c_last = torch.lstm(
        packed.data, packed.batch_sizes, (start, start), parameters, True, len(layers),
        0.0, False, True,
    )  # fmt: skip
    h, _ = pad_packed_sequence(packed._replace(data=data), total_length=len(x))
    ends = [last[-2:, packed.unsorted_indices] for last in (h_last, c_last)]
    return h, *(torch.cat([*end], dim=1) for end in ends)


def _ifgo(stacked):
    i, f, o, g = stacked.chunk(4, dim=-1)
    return torch.cat([i, f, g, o], dim=-1)
