"""Option labels, answers and numbers as people write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.exam import (
    Item,
    ItemType,
    canonical_value,
    join_labels,
    printed_options,
    printed_value,
    split_value,
)
from inkmark.exam.values import number_text, parse_labels, parse_number, parse_options, parse_truth

ABCD = ("A", "B", "C", "D")


@pytest.mark.parametrize(
    "text",
    [
        "ABCD",
        "abcd",
        "A-D",
        "A~D",
        "A－D",
        "a至d",
        "A,B,C,D",
        "A、B、C、D",
        "A B C D",
        "Ａ／Ｂ／Ｃ／Ｄ",
        "4",
    ],
)
def test_four_options(text):
    assert parse_options(text) == ABCD


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("①②③", ("①", "②", "③")),
        ("1,2,3", ("1", "2", "3")),
        ("1-5", ("1", "2", "3", "4", "5")),
        ("对错", ("对", "错")),
        ("√×", ("√", "×")),
        ("true/false", ("true", "false")),
        ("12", tuple("ABCDEFGHIJKL")),
    ],
)
def test_other_options(text, options):
    assert parse_options(text) == options


@pytest.mark.parametrize(
    "text", ["A", "1", "0", "27", "A-A", "Z-A", "A-9", "AA", "a,A", "A=B", "A?B", "blank,x"]
)
def test_what_are_no_options(text):
    with pytest.raises(ValueError, match=r"option"):
        parse_options(text)


@pytest.mark.parametrize("text", ["CA", "ca", "a,c", "A、C", "C A", "Ａ|Ｃ", "A/C"])
def test_a_set_of_labels_in_option_order(text):
    assert parse_labels(text, ABCD) == ("A", "C")
    assert canonical_value(text, ABCD) == "AC"


def test_labels_that_are_words():
    options = ("Yes", "No", "Maybe")
    assert parse_labels("maybe, yes", options) == ("Yes", "Maybe")
    assert canonical_value("maybe", options) == "Maybe"
    assert canonical_value("maybe|YES", options) == "Yes|Maybe"


@pytest.mark.parametrize("text", ["E", "AE", "AA", "A,A"])
def test_labels_that_are_not_options(text):
    with pytest.raises(ValueError, match=r"not among|twice"):
        parse_labels(text, ABCD)


@pytest.mark.parametrize(
    ("text", "label"),
    [(text, "√") for text in ("T", "对", "TRUE", "正确", "✓", "√")]
    + [(text, "×") for text in ("F", "错", "false", "x", "Ｘ", "×")],
)
def test_true_and_false(text, label):
    assert parse_truth(text, ("√", "×")) == (label,)


@pytest.mark.parametrize("text", ["对", "√", "T", "正确"])
@pytest.mark.parametrize("options", [("√", "×"), ("×", "√"), ("T", "F"), ("对", "错")])
def test_marks_for_true_may_be_written_in_any_word(text, options):
    (true,) = {"√", "T", "对"} & set(options)
    assert parse_labels(text, options) == parse_truth(text, options) == (true,)
    assert parse_labels(f"{text}, no", options) == options
    assert canonical_value("错对", options) == "".join(options)


def test_words_for_true_are_no_labels_of_other_options():
    with pytest.raises(ValueError, match="not among the options A, B"):
        parse_labels("对", ("A", "B"))


@pytest.mark.parametrize(
    ("options", "language", "printed"),
    [
        (("√", "×"), "zh", ("对", "错")),
        (("F", "T"), "zh", ("错", "对")),
        (("对", "错"), "en", ("T", "F")),
        (("A", "B"), "zh", ("A", "B")),
        (("Yes", "maybe"), "en", ("Yes", "maybe")),
    ],
)
def test_true_and_false_are_printed_in_the_words_of_the_language(options, language, printed):
    item = Item("1", ItemType.TRUE_FALSE, options, options[:1], Decimal(1))
    assert printed_options(item, language) == printed
    assert printed_value(item, options[1], language) == printed[1]
    assert printed_value(item, "", language) == ""


def test_a_label_wins_over_a_word():
    assert parse_truth("F", ("F", "T")) == ("F",)


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", "3"), ("2.50", "2.5"), (".5", "0.5"), ("-1", "-1"), ("８５％", "0.85"), ("60 %", "0.6")],
)
def test_numbers(text, number):
    assert parse_number(text) == Decimal(number)


@pytest.mark.parametrize(
    "text", ["", "x", "1e3", "nan", "inf", "1,5", "1.2.3", "--1", "1_0", "٣", "9" * 40]
)
def test_what_is_no_number(text):
    assert parse_number(text) is None


@given(st.decimals(0, 10_000, places=2))
def test_a_written_number_reads_back(value):
    assert parse_number(number_text(value)) == value


@given(st.sets(st.sampled_from(["A", "B", "C", "word", "1"])), st.booleans())
def test_joined_labels_split_again(chosen, with_word):
    options = ("A", "B", "C", "1") + (("word",) if with_word else ())
    labels = tuple(option for option in options if option in chosen)
    assert split_value(join_labels(labels, options), options) == labels
