"""PyTorch's own LSTM as the encoder and the decoder, attention from Luong et al. (2015)."""

import torch


def encoder_decoder(x, y, h0, c0, W_enc, W_dec, W_mem, W_att, *, forget_bias):
    encoder = _parameters(W_enc, len(W_enc) - 1 - h0.shape[1], forget_bias)
    decoder = _parameters(W_dec, len(W_dec) - 1 - h0.shape[1], forget_bias)
    start = (h0[None], c0[None])
    memory, h, c = torch.lstm(x, start, encoder, True, 1, 0.0, False, False, False)
    h, c = h[0], c[0]
    keys = memory @ W_mem
    attention = [y.new_zeros(y.shape[1], W_att.shape[1])]
    for step in y:
        h, c = torch.lstm_cell(torch.cat([step, attention[-1]], dim=1), (h, c), *decoder)
        a = torch.einsum("tbh,bh->tb", keys, h).softmax(dim=0)
        context = torch.einsum("tb,tbh->bh", a, memory)
        attention.append(torch.cat([h, context], dim=1) @ W_att)
    return torch.stack(attention[1:])


def _parameters(W, inputs, forget_bias):
    """The weights as PyTorch wants them: gates stacked i, f, g, o, two biases."""
    f, i, g, o = W.chunk(4, dim=1)
    bias, W_x, W_h = torch.cat([i, f, g, o], dim=1).split([1, inputs, len(W) - 1 - inputs])
    nothing = torch.zeros_like(o[0])
    return [W_x.T, W_h.T, bias[0], torch.cat([nothing, nothing + forget_bias, nothing, nothing])]
