"""What to consider beside the lines that are named: a contract, or that not all was tried."""

from gradcheck.cells.contracts import CONSTANT, KINK
from gradcheck.lines.budget import Cut
from gradcheck.lines.hint import Hint

_NEAR = 3  # lines that follow one another so long are told as a range


def sentence(hint: Hint) -> str:
    """The contract, and how to declare it."""
    declared, name = hint.contract, hint.contract.name
    if declared.kind == KINK:
        where = f"in line {declared.line}"
        return f'If that is meant, declare it: `{name}: "{declared.text}" = ...` {where}.'
    if declared.kind == CONSTANT:
        return (
            f"Every gradient is right if {name} is a constant. If that is meant, declare it: "
            f'`{name}: "constant" = ...`.'
        )
    listed = ", ".join(
        f'd{output}: "{declared.text}"' if output == name else f"d{output}"
        for output in hint.outputs
    )
    return (
        f"Every gradient is right where d{name} is {declared.text}. If that is meant, declare it: "
        f"`def backward({listed}):`."
    )


def unfinished(cut: Cut) -> str:
    """That a search was cut off, and what it had not tried."""
    numbered = numbers(cut.lines)
    lines = f"line {numbered}" if len(cut.lines) == 1 else f"lines {numbered}"
    ended = "by the clock, and may get further on another machine" if cut.by_clock else ""
    ended = ended or f"after {cut.spent} statements"
    return f"The search for wrong lines was cut off {ended}: not every edit of {lines} was tried."


def numbers(lines: tuple[int, ...]) -> str:
    """Line numbers as a person lists them: 4, 9 to 12 and 20."""
    runs: list[list[int]] = []
    for line in lines:
        if runs and line == runs[-1][-1] + 1:
            runs[-1].append(line)
        else:
            runs.append([line])
    parts = [
        part
        for run in runs
        for part in ([f"{run[0]} to {run[-1]}"] if len(run) >= _NEAR else map(str, run))
    ]
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
