"""The errors that a user meets; each carries the whole message, ready to print."""


class CaseError(ValueError):
    """A case, a twin or a shape string that cannot be read; says where and what to write."""


class WrongGradient(AssertionError):
    """A check that failed; its text is the full report of the smallest example found."""
