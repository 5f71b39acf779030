"""Languages against Python's regular expressions, and the named ones by example."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.ctc import (
    ANY_CHARACTER,
    OTHER,
    Language,
    Pattern,
    either,
    language_of,
    literal,
    many,
    maybe,
    one_of,
    repeat,
    symbols_of,
)
from inkmark.layouts import CHARSETS


@st.composite
def patterns(draw: st.DrawFn, depth: int = 3) -> tuple[Pattern, str]:
    """A pattern and the same as a regular expression."""
    kind = draw(
        st.sampled_from(
            ["one", "any"]
            if depth == 0
            else ["one", "literal", "then", "either", "maybe", "many", "repeat"]
        )
    )
    if kind == "any":
        return ANY_CHARACTER, "."
    if kind in ("one", "literal"):
        characters = draw(st.text("ab", min_size=1, max_size=2))
        if kind == "one":
            return one_of(characters), f"[{characters}]"
        return literal(characters), f"(?:{characters})"
    (a, x) = draw(patterns(depth - 1))
    if kind == "maybe":
        return maybe(a), f"(?:{x})?"
    if kind == "many":
        return many(a), f"(?:{x})+"
    if kind == "repeat":
        least, more = draw(st.integers(0, 2)), draw(st.integers(0, 2))
        return repeat(a, least, least + more), f"(?:{x}){{{least},{least + more}}}"
    (b, y) = draw(patterns(depth - 1))
    return (a + b, f"(?:{x})(?:{y})") if kind == "then" else (a | b, f"(?:{x}|{y})")


@given(patterns(), st.lists(st.text("abc", max_size=5), max_size=20))
def test_patterns_are_what_regular_expressions_are(pattern, texts):
    language = Language.of(pattern[0])
    for text in texts:
        assert language.accepts(text) == bool(re.fullmatch(pattern[1], text)), pattern[1]


@given(patterns(), patterns(), st.lists(st.text("abc", max_size=5), max_size=20))
def test_a_language_without_another(pattern, other, texts):
    language, taken = Language.of(pattern[0]), Language.of(other[0])
    rest = language.without(taken)
    for text in texts:
        assert rest.accepts(text) == (language.accepts(text) and not taken.accepts(text))


def test_a_language_of_too_many_states_is_refused():
    """Which of the last 13 characters were an a takes a state for each of the 8,192 ways."""
    last = one_of("a") + repeat(one_of("ab"), 12, 12)
    with pytest.raises(ValueError, match="8192 states"):
        Language.of(maybe(many(one_of("ab"))) + last)
    shorter = one_of("a") + repeat(one_of("ab"), 5, 5)
    assert Language.of(maybe(many(one_of("ab"))) + shorter).accepts("babbbbb")


def test_either_of_many_words():
    words = [f"w{n}" for n in range(50)]
    language = Language.of(either(*map(literal, words)))
    assert all(language.accepts(word) for word in words)
    assert not language.accepts("w50")
    assert not language.accepts("w")


NUMBERS = [
    "0",
    "12",
    "-3",
    "+3",
    "3.5",
    ".5",
    "-0.25",
    "1/2",
    "-1/2",
    "3 1/2",
    "1,000",
    "12,345,678",
    "１２",
    "−３",
    "１／２",
]
NO_NUMBERS = ["", "-", "5.", "1,00", "1/2/3", "3 1", "1.2.3", "1,0000", "A", "/2", " 1"]


@pytest.mark.parametrize(
    ("charset", "inside", "outside"),
    [
        ("digits", ["0", "0123456789", "５"], ["", "-1", "1 2", "A"]),
        ("letters", ["A", "QED", "Ｂ"], ["", "a", "1"]),
        ("number", NUMBERS, NO_NUMBERS),
        ("points", ["0", "12", "100", "4.5", "4½", "½", "4.0"], ["", "4.2", "1000", "-1", ".5"]),
        ("text", ["x", "光合作用", "a b"], ["", OTHER, "a" + OTHER]),
        ("ABCD", ["A", "CD"], ["", "E", "a"]),
        ("T", ["T", "TT"], ["F"]),
    ],
)
def test_named_languages(charset, inside, outside):
    language = language_of(charset)
    assert [text for text in inside if not language.accepts(text)] == []
    assert [text for text in outside if language.accepts(text)] == []


def test_only_text_is_open():
    assert language_of("text").is_open
    assert not language_of("number").is_open


def test_dates():
    good = ["2026-11-22", "26/1/31", "2026.09.01", "2026年1月5日", "1999-12-31", "２０２６－１－１"]
    bad = [
        "2026-13-01",
        "2026-00-01",
        "2026-1-32",
        "2026-11/22",
        "3026-1-1",
        "2026年1月5",
        "1-1",
        "",
    ]
    date = language_of("date")
    assert [text for text in good if not date.accepts(text)] == []
    assert [text for text in bad if date.accepts(text)] == []


@pytest.mark.parametrize("charset", [*CHARSETS, "ABCD", "T"])
def test_a_box_may_hold_what_its_language_is_written_with(charset):
    symbols = symbols_of(charset)
    moves = language_of(charset).moves_by(symbols)
    assert (moves >= 0).any(axis=0).all()
    assert symbols != charset or charset not in CHARSETS
