"""The budgets of budgets.toml beside what was measured."""

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "budgets.toml"

Figures = Mapping[tuple[str, str], float]  # by what is measured, and at which size ("" if at none)


@dataclass(frozen=True)
class Budget:
    """``most`` of a unit that something may cost, at a size or ("") at none; and the reason."""

    what: str
    size: str
    most: float
    unit: str
    because: str

    def verdict(self, figures: Figures) -> str:
        """kept, OVER, or what hinders: nan is what took too long to be measured."""
        value = figures.get((self.what, self.size))
        if value is None:
            return "not measured"
        return "kept" if value <= self.most else "OVER"

    def line(self, figures: Figures) -> str:
        """The budget beside its figure, as `make bench` prints it."""
        at = f" at {self.size}" if self.size else ""
        return (
            f"{self.what}{at}: {figure(figures.get((self.what, self.size)))}, "
            f"may be {self.most:g} {self.unit}: {self.verdict(figures)}"
        )


def figure(value: float | None) -> str:
    """A figure with as many digits as it has a right to."""
    if value is None:
        return "-"
    if math.isnan(value):
        return "over time"
    return f"{value:,.0f}" if value >= 99.95 else f"{value:#.3g}"


def read(path: Path = FILE) -> list[Budget]:
    """Every budget; one with sizes is one for each. Raises ValueError for what is none."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["budget"]
    return [budget for entry in entries for budget in _of(entry)]


_KEYS = {"what", "unit", "most", "because"}


def _of(entry: Mapping[str, Any]) -> Iterator[Budget]:
    if set(entry) != _KEYS:
        wanted = ", ".join(sorted(_KEYS))
        raise ValueError(f"A budget has {wanted}; {entry.get('what', 'one')} has {sorted(entry)}.")
    most = entry["most"] if isinstance(entry["most"], dict) else {"": entry["most"]}
    for size, number in most.items():
        yield Budget(entry["what"], size, float(number), entry["unit"], entry["because"])
