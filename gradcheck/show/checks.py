"""The sentences of what a check of a gradient, or of the forward, found wrong."""

from collections.abc import Callable, Mapping, Sequence

from gradcheck.finding import Wrong

Template = str | Callable[[Wrong], str]


def _disagrees(wrong: Wrong) -> str:
    comparison, reference = wrong.comparison, wrong.reference
    assert comparison is not None  # what is held against an oracle keeps both
    assert reference is not None
    count, size = int(comparison.wrong.sum()), comparison.wrong.size
    entries = "in its one entry" if size == 1 else f"in {count} of {size} entries"
    if reference.directions:
        entries = f"along {count} of {size} random directions"
    error = float(comparison.error.max())
    if comparison.scale == 0:
        by = f"which is 0 while {wrong.name} reaches {error:.1e}"
    elif size == 1:
        by = f"by {error / comparison.scale:.1e} of its size"
    else:
        by = f"by up to {error / comparison.scale:.1e} of the largest"
    return f"{wrong.name} disagrees with {reference.oracle} {entries}, {by}."


def _unfinished(wrong: Wrong) -> str:
    missing, stages = wrong.facts["missing"], wrong.facts["stages"]
    lines = [f"backward is not finished: {_listed(missing)} missing."]
    if stages:
        lines.append("Derive what is missing in the reverse order of the forward:")
        width = max(len(source) for _, source, _ in stages)
        lines += [f"  line {n}: {source:<{width}}  {', '.join(d)}" for n, source, d in stages]
    known = [name if name not in missing else "None" for name in wrong.facts["gradients"]]
    if not wrong.facts["runs"] and set(known) != {"None"}:
        lines.append(f"Until then, `return {', '.join(known)}` lets the rest be judged.")
    return "\n".join(lines).replace("{", "{{").replace("}", "}}")


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"


_KINK = (
    "{entry} is no single value here: the forward has a kink.\n"
    "At {at} = {point:.6g} the slope is {left:.6g} to the left and {right:.6g} to the right; the "
    "derivation gives {got}, "
)
_FEW = "{name} could be judged in only {judged} of {examples} examples.\n"

SENTENCES: Mapping[str, Template] = {
    "failed": "{said}",
    "unfinished": _unfinished,
    "disagrees": _disagrees,
    "kink-outside": _KINK + "which lies outside of both, and is wrong whatever is declared.",
    "kink-undeclared": _KINK
    + "a subgradient, which is accepted only where the case declares the kink.",
    "few-judged": _FEW
    + "In the others the forward is not finite, or rounding hides every digit. Say where an "
    'argument lives, as in "B H > 0" or "B H in (0, 1)".',
    "float32-unsaid": _FEW
    + "It computes in {dtype} without a word of it in its file, which differences cannot see "
    "through. Write `np.{dtype}` there.",
    "zero-throughout": "{name} is zero in every example, as is the true gradient.\n"
    "{argument} does not reach the outputs: use it in the forward, or make it a constant, "
    '`*, {argument}: "{shape}"`.',
}
