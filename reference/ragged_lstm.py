"""Sequences of different lengths as PyTorch's packed sequences, through its own kernels."""

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def ragged_lstm(x, h0, c0, W, b, *, lengths):
    D = x.shape[-1]
    parameters = [W[:D].T, W[D:].T, b, torch.zeros_like(b)]
    packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
    start = (h0[packed.sorted_indices][None], c0[packed.sorted_indices][None])
    data, h_last, c_last = torch.lstm(
        packed.data, packed.batch_sizes, start, parameters, True, 1, 0.0, False, False
    )
    h, _ = pad_packed_sequence(packed._replace(data=data), total_length=len(x))
    return h, h_last[0, packed.unsorted_indices], c_last[0, packed.unsorted_indices]


def ragged_bidirectional_rnn(x, h0, W_fwd, U_fwd, b_fwd, W_bwd, U_bwd, b_bwd, *, lengths):
    none = torch.zeros_like(b_fwd)
    parameters = [W_fwd.T, U_fwd.T, b_fwd, none, W_bwd.T, U_bwd.T, b_bwd, none]
    packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
    start = h0[:, packed.sorted_indices]
    data, h_last = torch.rnn_tanh(
        packed.data, packed.batch_sizes, start, parameters, True, 1, 0.0, False, True
    )
    h, _ = pad_packed_sequence(packed._replace(data=data), total_length=len(x))
    return h, h_last[:, packed.unsorted_indices]
