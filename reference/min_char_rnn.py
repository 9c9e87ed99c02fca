"""min-char-rnn on PyTorch's own kernels: the tanh recurrence and the summed cross-entropy."""

import torch
from torch.nn.functional import cross_entropy, linear, one_hot


def min_char_rnn(hprev, Wxh, Whh, Why, bh, by, *, inputs, targets):
    x = one_hot(inputs, len(by)).to(hprev.dtype)[:, None]  # a batch of one
    parameters = [Wxh, Whh, bh[:, 0], torch.zeros_like(bh[:, 0])]
    states, last = torch.rnn_tanh(x, hprev.T[None], parameters, True, 1, 0.0, False, False, False)
    logits = linear(states[:, 0], Why, by[:, 0])
    return cross_entropy(logits, targets, reduction="sum"), last[0].T
