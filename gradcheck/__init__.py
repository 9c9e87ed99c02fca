"""gradcheck: hand-derived gradients beside finite differences and autograd, line by line.

``check``, ``at``, ``proofread``, ``mutate`` and ``cell`` are what scripts and notebooks call; the
engine is imported when the first of them is (docs/api.md).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcheck.api import Mutation as Mutation
    from gradcheck.api import Proofreading as Proofreading
    from gradcheck.api import Report as Report
    from gradcheck.api import cell as cell
    from gradcheck.api import check as check
    from gradcheck.api import mutate as mutate
    from gradcheck.api import proofread as proofread
    from gradcheck.cells.cell import Cell as Cell
    from gradcheck.errors import CaseError as CaseError
    from gradcheck.errors import WrongGradient as WrongGradient
    from gradcheck.points import Point as Point
    from gradcheck.points import at as at
    from gradcheck.tracing import Trace as Trace
    from gradcheck.tracing import trace as trace
    from gradcheck.verdicts.verdict import Verdict as Verdict

_HOMES = {
    "gradcheck.api": (
        *("Mutation", "Proofreading", "Report"),
        *("cell", "check", "mutate", "proofread"),
    ),
    "gradcheck.cells.cell": ("Cell",),
    "gradcheck.errors": ("CaseError", "WrongGradient"),
    "gradcheck.points": ("Point", "at"),
    "gradcheck.tracing": ("Trace", "trace"),
    "gradcheck.verdicts.verdict": ("Verdict",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gradcheck' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
