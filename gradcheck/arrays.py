"""Name one entry of a tensor, as in dWf[0,2]."""


def entry(name: str, index: tuple[int, ...]) -> str:
    """The name with its index in brackets; a scalar's has none."""
    return f"{name}[{','.join(map(str, index))}]" if index else name
