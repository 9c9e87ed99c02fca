"""A sentence for each kind of fault: what is wrong, and in further lines what to write.

A template may have the tensor's ``name``, the ``entry`` of it, ``got`` and ``want``, and whatever
facts come with its kind.
"""

from collections.abc import Mapping

from gradcheck.arrays import entry
from gradcheck.cells.returned import with_article
from gradcheck.finding import Wrong
from gradcheck.running.run import NOT_A_FUNCTION
from gradcheck.show import checks
from gradcheck.show.checks import Template


def sentence(wrong: Wrong) -> str:
    """What is wrong in one sentence, and then what to write."""
    template = SENTENCES[wrong.kind]
    text = template if isinstance(template, str) else template(wrong)
    got, want = _numbers(wrong.got, wrong.want)
    return text.format(name=wrong.name, entry=wrong.entry, got=got, want=want, **wrong.facts)


def _numbers(got: float | None, want: float | None) -> tuple[str, str]:
    """Two numbers that differ, with as many digits as it takes to show it."""
    for digits in (6, 9, 12, 17):
        found = ["" if one is None else f"{one:.{digits}g}" for one in (got, want)]
        if found[0] != found[1]:
            break
    return found[0], found[1]


def _not_a_tuple(wrong: Wrong) -> str:
    name = wrong.facts["returned"]
    what = "nothing" if name == "NoneType" else with_article(name)
    return f"backward returns {what} instead of a tuple.\n" + _return(wrong)


def _count(wrong: Wrong) -> str:
    count, gradients = wrong.facts["returned"], wrong.facts["gradients"]
    said = f"{count} gradient{'s' * (count != 1)} for {len(gradients)} arguments"
    return f"backward returns {said}.\n" + _return(wrong)


def _return(wrong: Wrong) -> str:
    return f"Write `return {', '.join(wrong.facts['gradients'])}`."


def _type(wrong: Wrong) -> str:
    what = with_article(wrong.facts["returned"])
    return f"{{name}} is {what}.\nReturn a NumPy array of {{argument}}'s shape {{argument_shape}}."


def _shape(wrong: Wrong) -> str:
    said = "{name} has shape {shape}, but {argument} has shape {argument_shape}."
    got, want = wrong.facts["shape"], wrong.facts["argument_shape"]
    if got == want[::-1]:
        return f"{said}\nIt is transposed."
    if len(got) == len(want) + 1 and got[1:] == want:
        return f"{said}\nSum over the first axis: `.sum(axis=0)`."
    if len(got) == len(want) + 1 and got[:-1] == want:
        return f"{said}\nSum over the last axis: `.sum(axis=-1)`."
    if len(got) < len(want):
        return f"{said}\nIt was summed or squeezed too much; it would broadcast, and hide that."
    return said


_STRUCTURE: Mapping[str, Template] = {
    "not-a-tuple": _not_a_tuple,
    "count": _count,
    "missing": "{name} is None.\nbackward must return an array of {argument}'s shape; what needs "
    "no gradient stands behind a star: `*, {argument}`.",
    "type": _type,
    "shape": _shape,
    "dtype": "{name} is {dtype}, but {argument} is {argument_dtype}.\n"
    "A cast, or a buffer of another type, on its way changes what it holds.",
    "not-finite": "{entry} is {got}, in {count} of {size} entries, while the forward is finite.",
}

# -- what is written into, shared, or remembered ---------------------------------------------------

_KEEPING: Mapping[str, Template] = {
    "purity-forward": "The forward writes into its argument {name}.\n"
    "Work on a copy: `{name} = {name}.copy()`.",
    "purity-cotangent": "backward writes into {name}, which belongs to its caller.\n"
    "Write `{name} = {name} + ...` where it says `{name} += ...` or stores into {name}.",
    "purity-argument": "backward writes into the argument {name}.\n"
    "Work on a copy: `{name}.copy()`.",
    "purity-output": "backward writes into the output {name}.\nWork on a copy: `{name}.copy()`.",
    "purity-kept": "backward writes into {name}, which the forward kept.\n"
    "Work on a copy: `{name}.copy()`.",
    "purity-kept-inside": "backward writes into an array inside of {name}, which the forward kept."
    "\nWork on a copy of it: `.copy()`.",
    "purity-kept-length": "backward changes the length of {name}, which the forward kept.\nRead it "
    "without taking out or putting in: `for one in reversed({name})` instead of `{name}.pop()`.",
    "purity-kept-replaced": "backward puts something else into {name}, which the forward kept.\n"
    "Give what it computes a name of its own.",
    "purity-in-place": "It writes into an array that was handed in, though it leaves every value "
    "as it was.",
    "aliasing": "{name} shares memory with the {owner} {other}.\n"
    "Adding to one in place would change the other: return `{name}.copy()`.",
    "repeatable-forward": "Two calls of the forward differ in {name}.\n"
    + NOT_A_FUNCTION.replace("{", "{{").replace("}", "}}"),
    "repeatable-backward": "Two calls differ in {name}, although the forward repeats itself.\n"
    "backward draws random numbers, or keeps something from one call to the next.",
    "repeatable-unusable": "Two calls differ in {name}, although the forward repeats itself.",
    "again-second": "Two calls of backward differ in {name}.\n"
    "It changes something that the forward kept, or draws random numbers.",
    "again-later": "backward gives another {name} once the forward has run on other inputs.\n"
    "It reads what the last forward left; let it use the variables of its own.",
}

_FRESH = (
    "\nIt depends on what ran before, on the order of a set, or on random numbers drawn at import: "
    "sort what is unordered, and make a constant of what is drawn."
)

_PROCESS: Mapping[str, Template] = {
    "fresh-differs": "{entry} is {want} here, but {got} in a fresh process." + _FRESH,
    "fresh-missing": "{name} cannot be compared in a fresh process, and here it can." + _FRESH,
    "fresh-fails": "In a fresh process it is another: {said}" + _FRESH,
}

# -- what must follow from what --------------------------------------------------------------------

_LINEAR = (
    "\nA gradient is linear in the cotangents: no clipping, no threshold and no square of them "
    "belongs in backward."
)
_UNSEEN = (
    " behind the ends ({lengths}).\nThe outputs do not look at {argument} there, so no gradient "
    "may: read it through the mask, in backward as in the forward."
)
_BY_INDEX = (
    "\nGo by index and shape and not by memory: no `as_strided`, `.strides`, `.base`, `.data`, "
    '`order="A"` or `order="K"`.'
)


def _chunks(wrong: Wrong) -> str:
    states = wrong.facts["states"].items()
    handed = ", ".join(f"{state} from {source}" for state, source in states)
    return (
        "{entry} is {got} over {size}={length}, but {want} over {size}={part} and then "
        f"{{size}}={{rest}} ({handed}).\nThe forward composes, so backward must: carry the "
        "gradient of each state through all steps, from the cotangents of the last, and add up "
        "what is shared at each step."
    )


def _padding_own(wrong: Wrong) -> str:
    end = entry(wrong.facts["lengths"], wrong.facts["sequence"])
    return (
        f"{{entry}} is {{got}}, but it lies behind the end: {end} is {{length}}.\nThe outputs do "
        "not look at {argument} there, so {name} is zero: let nothing flow back from "
        "t = {lengths} on."
    )


_VALUES: Mapping[str, Template] = {
    "zero-not-finite": "{entry} is {got} although every cotangent is zero.\n"
    "0 times an infinite slope is no number: write the slope so that it stays finite.",
    "zero-term": "{entry} is {got} although every cotangent is zero.\n"
    "Each term of a gradient has a cotangent as a factor: leave out what has none.",
    "linear-scaled": "{entry} is {got} in backward({factor} * d), but {want} in {factor} * "
    "backward(d)." + _LINEAR,
    "linear-added": "{entry} is {got} in backward(d + e), but {want} in backward(d) + backward(e)."
    + _LINEAR,
    "batch-others": "{entry} is {got} among {size}={length}, but {want} with only {size} {first} "
    "to {last}.\nThe forward takes each {size} by itself, so no entry of {name} may depend on the "
    "others: no sum or mean over {size} belongs in it.",
    "batch-sum": "{entry} is {got} for {size}={length}, but {want} as the sum of {size}={part} and "
    "{size}={rest}.\nThe forward takes each {size} by itself, so {name} is the sum of what each "
    "gives: sum over the whole axis {size}, and divide by nothing.",
    "permutation": "{entry} is {got} once the order along {size} is another, but {want} stood in "
    "its place.\nThe forward does not care for the order along {size}, so {name} may not either: "
    "no index of it may be left out or singled out.",
    "chunks": _chunks,
    "padding-own": _padding_own,
    "padding-changed": "{entry} is {got} instead of {want} once {argument} is other numbers"
    + _UNSEEN,
    "padding-not-finite": "{entry} is {got} once {argument} is {fill}" + _UNSEEN,
    "padding-unusable": "{name} cannot be used once {argument} is {fill}" + _UNSEEN,
    "layout-differs": "{entry} is {got} for {layout} arrays, but {want} for contiguous copies of "
    "them." + _BY_INDEX,
    "layout-unusable": "{name} cannot be used for {layout} arrays." + _BY_INDEX,
}


def _precision(wrong: Wrong) -> str:
    what = "{name}" if wrong.name else "A number"
    where = "" if wrong.facts["line"] is None else " in line {line}"
    said = f"{what} is {{dtype}}{where} although inputs and outputs are {{own}}.\n"
    if wrong.kind == "precision-cast":
        return said + (
            "Leave out what casts it, `.astype(...)`, `np.{dtype}(...)` or `dtype=`: what it loses "
            "no later line brings back."
        )
    return said + (
        "Make the buffer in the type of what it holds: `np.zeros(shape, x.dtype)`, or leave the "
        "dtype out."
    )


SENTENCES: Mapping[str, Template] = {
    **checks.SENTENCES,
    **_STRUCTURE,
    **_KEEPING,
    **_PROCESS,
    **_VALUES,
    "precision-cast": _precision,
    "precision-buffer": _precision,
}
