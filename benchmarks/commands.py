"""The commands of a day, timed by pyperf: `python -m benchmarks.commands` has its options."""

from collections.abc import Sequence

import pyperf

from benchmarks.runs import COMMANDS, of_processes


def _spent(loops: int, command: Sequence[str]) -> float:
    return sum(of_processes(command) for _ in range(loops))


if __name__ == "__main__":
    runner = pyperf.Runner(program_args=("-m", "benchmarks.commands"))
    for name, command in COMMANDS.items():
        runner.bench_time_func(name, _spent, command)
