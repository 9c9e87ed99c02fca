"""gradcheck: hand-derived gradients beside finite differences and autograd."""
