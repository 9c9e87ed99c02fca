"""Who is the odd one out, in a sentence; and what each witness says, as columns."""

from gradcheck.cells.cell import Array
from gradcheck.finding import Wrong
from gradcheck.verdicts.witnesses import Odd, Witnesses

_SHORT = {"finite differences": "differences", "the complex step": "complex step"}

_ODD = {
    Odd.ACCUSED: "The derivation disagrees with finite differences, whose own error is known and "
    "small. There is no twin to ask.",
    Odd.AUTOGRAD: "Autograd is the odd one out: the derivation agrees with {best}, and the "
    "forwards are equal. Look in the twin for detach(), no_grad() or a custom backward.",
    Odd.DIFFERENCES: "The derivation and autograd agree; {best} cannot be trusted here. A kink of "
    "the forward (max, abs, relu, a branch) within one step would explain it.",
    Odd.TWIN_FAILS: "The twin cannot be asked: {said}",
    Odd.NONE_AGREE: "No two of the three witnesses agree.",
}
OTHER_FORWARD = (
    "The twin computes something else than the case. Its gradients cannot be compared before their "
    "forwards agree; finite differences judge the derivation meanwhile."
)


def sentence(heard: Witnesses) -> str:
    """What the witnesses say together."""
    best = heard.best.oracle
    if heard.odd is Odd.TWIN:
        said = "The twin computes something else: its forward gives other outputs on these inputs."
        if heard.derivation_right:
            return f"{said} The derivation agrees with {best}."
        return f"{said} The derivation is wrong as well: {best} disagrees too."
    if heard.odd is Odd.DERIVATION:
        if heard.autograd is None:
            agree = f"{heard.numeric[1].oracle} agree"
        else:
            agree = "autograd agree with each other"
        return f"The derivation is wrong: {best} and {agree}{_gap(heard.gap)}."
    return _ODD[heard.odd].format(best=best, said=heard.said)


def _gap(gap: float | None) -> str:
    if gap is None or gap > 1e-3:  # agreement within rounding so wide is not worth a figure
        return ""
    return f" to {gap:.0e}" if gap else " exactly"


def columns(finding: Wrong, heard: Witnesses | None) -> dict[str, Array]:
    """What each says of every entry, by its short name; nothing where none was asked for."""
    comparison = finding.comparison
    if comparison is None or (finding.reference and finding.reference.directions):
        return {}
    if heard is None:
        return {"case": comparison.got, "twin": comparison.want}
    asked = (*heard.numeric, heard.autograd) if heard.autograd else heard.numeric
    return {"backward": comparison.got} | {_SHORT.get(r.oracle, r.oracle): r.value for r in asked}
