"""The grammar of shape strings, and each sentence that refuses one."""

import pytest

from gradcheck.cells.shapes import Choice, Integers, Interval, parse
from gradcheck.errors import CaseError

SIZES = {"B": 2, "D": 3, "H": 4, "V": 7, "T": 5}
AXES = 'Write axes separated by spaces, such as "B D", "4*H" or "H+D H".'
DOMAINS = (
    'Write one of "N < V", "B <= T", "H > 0", "H in (0, 1)" or "B H in {0, 1}" (docs/shapes.md).'
)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("B D", (2, 3)),
        ("4*H", (16,)),
        ("H+D H", (7, 4)),
        ("2*(H+D)", (14,)),
        ("T-1", (4,)),
        ("3", (3,)),
        ("D 1", (3, 1)),
        ("", ()),
        ("  B   D ", (2, 3)),
        ("B < V", (2,)),
        ("B in{0,1}", (2,)),
        ("> 0", ()),
    ],
)
def test_a_string_is_its_axes(text, shape):
    assert parse(text).sizes(SIZES) == shape


def test_names_come_once_and_in_order_of_appearance():
    assert parse("H+D H").names == ("H", "D")
    assert parse("B < V").names == ("B", "V")


def test_domains():
    assert parse("H > 0").domain == Interval(0.0, float("inf"))
    assert parse("H in (-1, 0.5)").domain == Interval(-1.0, 0.5)
    assert parse("B H in {0, 1}").domain == Choice((0.0, 1.0))
    labels = parse("B < V").domain
    assert isinstance(labels, Integers)
    assert (labels.low, labels.high.text, labels.inclusive) == (0, "V", False)
    lengths = parse("B <= T").domain
    assert isinstance(lengths, Integers)
    assert (lengths.low, lengths.high.text, lengths.inclusive) == (1, "T", True)
    assert parse("B H").domain is None


@pytest.mark.parametrize(
    ("text", "position", "reason", "instead"),
    [
        ("B, D", 1, "',' does not belong here.", AXES),
        ("(B,D)", 2, "',' does not belong here.", AXES),
        ("B D)", 3, "'D)' is not an axis.", AXES),
        ("(H", 0, "'(H' is not an axis.", AXES),
        ("4H D", 0, "'4H' is not an axis.", 'Write the product out: "4*H".'),
        (
            "4 * H",
            2,
            "'*' stands alone.",
            'Write the arithmetic of one axis without blanks: "4*H", not "4 * H".',
        ),
        ("B -1", 2, "'-1' is not a name, a number, or + - * of them.", AXES),
        ("B H/2", 2, "'H / 2' is not a name, a number, or + - * of them.", AXES),
        ("H//2", 0, "'H // 2' is not a name, a number, or + - * of them.", AXES),
        ("H**9", 0, "'H ** 9' is not a name, a number, or + - * of them.", AXES),
        ("x.y B", 0, "'x.y' is not a name, a number, or + - * of them.", AXES),
        ("f(B)", 0, "'f(B)' is not a name, a number, or + - * of them.", AXES),
        (
            "B 3.5",
            2,
            "3.5 is not the size of an axis.",
            "Write a name or a whole number from 1 up.",
        ),
        ("0 H", 0, "0 is not the size of an axis.", "Write a name or a whole number from 1 up."),
        (
            "B True",
            2,
            "True is not the size of an axis.",
            "Write a name or a whole number from 1 up.",
        ),
        ("H < ", 2, "'<' is not a domain.", DOMAINS),
        ("H in [0, 1]", 2, "'in [0, 1]' is not a domain.", DOMAINS),
        ("H >= 0", 2, "'>= 0' is not a domain.", DOMAINS),
        ("B D = 3", 4, "'= 3' is not a domain.", DOMAINS),
        ("B < V W", 2, "'< V W' is not a domain.", DOMAINS),
        ("B in {0, a}", 8, "'a' is not a number.", DOMAINS),
        ("B in {}", 6, "'' is not a number.", DOMAINS),
        ("B in {0,}", 8, "'' is not a number.", DOMAINS),
        ("B in (0, inf)", 8, "'inf' is not a number.", DOMAINS),
        ("B in (1, 0)", 6, "the interval is empty.", "Write the smaller number first."),
        ("B < V!", 5, "'V!' is not an axis.", AXES),
    ],
)
def test_a_malformed_string_is_quoted_with_the_place_and_what_to_write(
    text, position, reason, instead
):
    with pytest.raises(CaseError) as caught:
        parse(text)
    assert str(caught.value) == f'{reason}\n  "{text}"\n   {" " * position}^\n{instead}'


def test_a_string_without_end_is_refused_at_once():
    with pytest.raises(CaseError) as caught:
        parse("(" * 100_000)
    assert str(caught.value) == f"a shape string of 100000 characters, 200 at most. {AXES}"


def test_deep_nesting_and_huge_numbers_are_no_harm():
    with pytest.raises(CaseError, match="is not an axis"):
        parse("(" * 190)
    with pytest.raises(CaseError, match="is not the size of an axis"):
        parse("9" * 190)
