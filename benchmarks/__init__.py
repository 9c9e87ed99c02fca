"""gradcheck beside the other gradient checkers; `make trust` writes docs/trust.md."""
