"""What scripts, notebooks and the command line call: check, at, proofread, mutate and cell.

Each returns a record that prints as the command line does, and has ``ok`` and ``to_dict()``.
docs/api.md shows them.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gradcheck import targets
from gradcheck.cells.cell import Cell
from gradcheck.checking.check import Check, checks
from gradcheck.checking.derived import SUBJECT, derived
from gradcheck.checking.explore import Plan, search
from gradcheck.checking.result import Result, result
from gradcheck.drawing.given import nearest
from gradcheck.drawing.strategies import PROFILES
from gradcheck.errors import CaseError, WrongGradient, shown_path
from gradcheck.lines.blame import Blamer
from gradcheck.lines.proof import RIGHT, UNJUDGED, Proof
from gradcheck.lines.proofread import proofread as line_by_line
from gradcheck.mutation.mutate import MOST, Score, Tell, quiet, score
from gradcheck.paper import writer
from gradcheck.show import messages, proofs, record, scores, table
from gradcheck.source.cases import Malformed
from gradcheck.targets import Target
from gradcheck.verdicts.verdict import Verdict, explain, unfinished


@dataclass(frozen=True, repr=False)
class Report:
    """What the checks found: a result for each node, a verdict for each that failed.

    ``malformed`` are the cells of a file that cannot be read, and why. It prints like pytest's
    messages, with the closing table.
    """

    results: tuple[Result, ...]
    verdicts: tuple[Verdict, ...] = ()
    malformed: tuple[Malformed, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there were checks, and all of them passed."""
        passed = self.results and all(one.passed for one in self.results)
        return bool(passed) and not self.verdicts and not self.malformed

    def __str__(self) -> str:
        said = [one.message for one in self.malformed]
        said += [messages.text(verdict) for verdict in self.verdicts]
        shown = table.text(self.results, colour=False) if self.results else ""
        return "\n\n".join(filter(None, [*said, shown])).rstrip("\n")

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, in the form that docs/api.md gives."""
        return {
            "schema": record.SCHEMA,
            "ok": self.ok,
            "results": [one.to_dict() for one in self.results],
            "verdicts": [record.verdict(one) for one in self.verdicts],
            "malformed": [{"cell": one.name, "said": one.message} for one in self.malformed],
        }

    def raise_if_wrong(self) -> None:
        """Raise WrongGradient with the messages of what failed, if anything did."""
        if not self.ok:
            raise WrongGradient(str(self))


def check(
    what: Any,
    reference: Any = None,
    *,
    profile: str = "default",
    seed: int | None = None,
    sizes: Mapping[str, int] | None = None,
    examples: int | None = None,
    only: str | Iterable[str] | None = None,
) -> Report:
    """Check every gradient of a cell, as pytest does.

    ``what`` is a function in closure form, a ``Cell``, or a path, also ``"FILE::CELL"``.
    ``reference`` is a function of PyTorch that computes the same, or for files the folder of the
    twins. ``profile`` is "fast", "default" or "thorough"; ``examples`` draws so many of each check
    instead, from ``seed``, with ``sizes`` held. ``only`` names gradients, oracles, laws or nodes:
    "dWf", "fd", "law[purity]".

    Raises CaseError if what was handed over cannot be read.
    """
    plan = _plan(profile, seed, sizes or {}, examples)
    results, verdicts, malformed = [], [], []
    wanted = (only,) if isinstance(only, str) else only or ()
    if not isinstance(wanted, Iterable) or not all(isinstance(name, str) for name in wanted):
        raise CaseError(f'only is {only!r}; write the name of a check, such as "dW" or "dW[fd]".')
    for target in targets.targets(what, reference):
        if isinstance(target, Malformed):
            malformed.append(target)
            continue
        for made, verdict in _checked(target, plan, tuple(wanted)):
            results.append(made)
            verdicts += [verdict] if verdict else []
    return Report(tuple(results), tuple(verdicts), tuple(malformed))


def _plan(profile: str, seed: int | None, sizes: Mapping[str, int], most: int | None) -> Plan:
    if profile not in PROFILES:
        raise CaseError(f"There is no profile {profile!r}.{nearest(profile, PROFILES)}")
    for name, size in sizes.items():
        if not isinstance(size, int) or size < 0:
            raise CaseError(f"{name} is {size!r}, but a size is a whole number from 0 up.")
    if most is not None:
        _whole("examples", most, 1)
    if seed is not None:
        _whole("seed", seed, 0)
    if profile == "thorough" and seed is None:
        seed = time.time_ns() % 10**6
    return Plan(profile, seed, sizes, most)


def _whole(name: str, value: Any, least: int) -> None:
    if not isinstance(value, int) or value < least:
        raise CaseError(f"{name} is {value!r}; write a whole number from {least} up.")


def _checked(
    target: Target, plan: Plan, wanted: tuple[str, ...]
) -> Iterator[tuple[Result, Verdict | None]]:
    cell = target.cell
    far = derived(cell, target.listing)
    every = list(far.judged(checks(cell, target.twin())))
    known = list(
        dict.fromkeys(n for c in (cell, *(one.cell for one in every)) for n in c.size_names)
    )
    for name in plan.sizes:
        if name not in known:
            raise CaseError(f"{cell.name} has no size {name!r}.{nearest(name, known)}")
    if not far.whole and (not wanted or SUBJECT in wanted):
        verdict = unfinished(far, _command(target, SUBJECT, plan))
        yield far.result(_file(target)), verdict
        if wanted == (SUBJECT,):
            return
        wanted = tuple(name for name in wanted if name != SUBJECT)
    blamer = Blamer(cell, target.script)
    for one in _chosen(every, wanted):
        begun = time.perf_counter()
        found = search(one, plan)
        verdict = explain(found, blamer, _command(target, one.label, plan))
        yield result(found, _file(target), time.perf_counter() - begun), verdict


def _file(target: Target) -> str:
    return shown_path(target.path) if target.cell.source else ""


def _chosen(every: list[Check], wanted: tuple[str, ...]) -> list[Check]:
    """The checks that are meant by names of gradients, oracles, laws or nodes."""
    chosen = every
    if wanted:
        known = {name for one in every for name in (one.label, one.subject, one.oracle)}
        for name in wanted:
            if name not in known:
                raise CaseError(f"There is no check {name!r}.{nearest(name, sorted(known))}")
        chosen = [one for one in every if {one.label, one.subject, one.oracle} & set(wanted)]
    return chosen


def _command(target: Target, label: str, plan: Plan) -> str:
    """The call that repeats one check."""
    said = [f"gradcheck.check({target.said}"]
    if callable(target.reference):
        said.append(getattr(target.reference, "__name__", "reference"))
    said.append(f'only="{label}"')
    if plan.profile != "default":
        said.append(f'profile="{plan.profile}"')
    if plan.seed is not None:
        said.append(f"seed={plan.seed}")
    if plan.sizes:
        said.append(f"sizes={dict(plan.sizes)}")
    if plan.most is not None:
        said.append(f"examples={plan.most}")
    return ", ".join(said) + ")"


def cell(function: Any) -> Cell:
    """A function in closure form as a cell. Raises CaseError with what to write if it is none."""
    return targets.of_function(function)


@dataclass(frozen=True, repr=False)
class Proofreading:
    """A proof for each cell: a verdict on each line. It prints like ``gradcheck proofread``."""

    proofs: tuple[Proof, ...]

    @property
    def ok(self) -> bool:
        """Whether every line of every cell is right."""
        return all(proof.verdict == RIGHT for proof in self.proofs)

    def __iter__(self) -> Iterator[Proof]:
        return iter(self.proofs)

    def __str__(self) -> str:
        said = (proofs.text(proof, numbers=False).plain for proof in self.proofs)
        return "".join(said).rstrip("\n")

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, in the form that docs/proofreading.md gives."""
        return record.proofs(self.proofs)


def proofread(what: Any) -> Proofreading:
    """Judge every line of a derivation, and mend the wrong ones.

    ``what`` is a function in closure form, a path of a case file or of plain equations, also
    ``"FILE::CELL"``. Raises CaseError if it cannot be read.
    """
    path = _plain(what)
    if path is not None:
        script, notes = writer.cell(path)
        spell = partial(writer.spelled, notes)
        return Proofreading((line_by_line(path.stem, path, lambda: script, spell),))
    found = []
    for target in targets.targets(what):
        if isinstance(target, Malformed):
            unread = Proof(target.name, target.source.path, UNJUDGED, reason=target.message)
            found.append(unread)
        else:
            found.append(line_by_line(target.cell.name, target.path, target.judged))
    return Proofreading(tuple(found))


def _plain(what: Any) -> Path | None:
    """The path of a file of plain equations, if that is meant."""
    if isinstance(what, str | Path) and Path(str(what).partition("::")[0]).suffix != ".py":
        return Path(what)
    return None


@dataclass(frozen=True, repr=False)
class Mutation:
    """A score for each cell. It prints like ``gradcheck mutate``."""

    scores: tuple[Score, ...]

    @property
    def ok(self) -> bool:
        """Whether every mistake that was planted was seen."""
        return not any(score.survivors or score.reason for score in self.scores)

    def __iter__(self) -> Iterator[Score]:
        return iter(self.scores)

    def __str__(self) -> str:
        return "".join(scores.text(score).plain for score in self.scores).rstrip("\n")

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, in the form that docs/mutation.md gives."""
        return record.scores(self.scores)


def mutate(
    what: Any,
    reference: Any = None,
    *,
    most: int = MOST,
    profile: str = "default",
    tell: Tell = lambda name, done, total: None,
) -> Mutation:
    """Plant mistakes into a right backward, at most so many, and count those that its checks see.

    ``what``, ``reference`` and ``profile`` are those of ``check``; ``tell`` is told of a cell by
    name how many mutants are judged, of how many at most. No file is changed. Raises CaseError if
    it cannot be read.
    """
    _whole("most", most, 1)
    found = []
    with quiet():
        meant = list(targets.targets(what, reference))
    for target in meant:
        if isinstance(target, Malformed):
            found.append(Score(target.name, target.source.path, reason=target.message))
            continue
        asked = partial(score, target.cell, target.derivation, target.twin_of, target.path)
        found.append(asked(most=most, profile=profile, tell=tell))
    return Mutation(tuple(found))
