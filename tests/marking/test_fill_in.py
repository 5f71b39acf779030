"""Accepted, refused or for a person, by what a reader of lines saw."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.ctc import Choices, Language, join_opinions
from inkmark.exam.answers import parse_answer
from inkmark.marking import FillInOptions, Verdict, is_accepted, judge_fill_in
from inkmark.marking._spellings import spellings
from inkmark.marking.fill_in import known_answers

KEYS = [
    *("0.5", "1200", "1 1/2", "-3", "1/3", "9.8 ± 0.1", "50%", "1.5 m", "1.5 [m]*", "5 [个]"),
    *("1 h 30 min*", "30 ℃*", "12 m^2*", "36 km/h", "2x", "¥5", "x=3", "[x=]-3", "3, 4"),
    *("{3, 4, 5}", "(3, 4)", "[3, 4)", '"Co"', "国际单位制", "ice cream", "三分之一", "0", "-0.05"),
]


def seen(text: str, sure: float = 0.999, signs: str | None = None, **others: str) -> Choices:
    """A line that both readers read alike, or the second as `signs`.

    `others` names what the first may see instead of some characters.
    """
    steps = []
    for place, symbol in enumerate(text):
        rest = others.get(f"at_{place}", "")
        share = (1 - sure) / max(len(rest), 1)
        steps += [((symbol, sure), *((other, share) for other in rest)), (("", 1.0),)]
    second = [step for sign in (text if signs is None else signs) for step in sign_of(sign)]
    return join_opinions(tuple(steps), tuple(second))


def sign_of(sign: str) -> Choices:
    """What the reader of signs sees of one: nothing it knows where it is none of numbers."""
    return (((sign, 0.99),) if sign in "0123456789.,-/=" else (), (("", 1.0),))


def verdict(key: str, choices: Choices) -> str:
    return judge_fill_in(tuple(key.split("|")), choices).verdict


@pytest.mark.parametrize("key", KEYS)
def test_all_spellings_of_a_key_are_accepted(key):
    language = Language.of(spellings([parse_answer(key)]))
    rng = np.random.default_rng(3)
    for _ in range(200):
        text, state = "", 0
        while len(text) < 30:
            places = np.flatnonzero(language.moves[state, :-1] >= 0)
            if language.accepting[state] and (rng.random() < 0.3 or not len(places)):
                assert is_accepted((key,), text), text
                break
            place = int(rng.choice(places))
            text += language.alphabet[place]
            state = int(language.moves[state, place])


@pytest.mark.parametrize(
    ("key", "text"),
    [
        *[("0.5", text) for text in ("0.5", ".50", "1/2", "50%", "2/4")],
        *[("1.5 m*", text) for text in ("1.5m", "150 cm", "1.5米", "15dm")],
        *[("{3, 4}", text) for text in ("3,4", "4、3", "4,3")],
        *[("国际单位制", text) for text in ("国际单位制", "国际单位制。")],
        *[("x=3", "x=3.0"), ("台湾|臺灣", "臺灣"), ("9.8 ± 0.1", "9.75"), ("1200", "1,200")],
    ],
)
def test_what_clearly_is_an_accepted_answer_is_accepted(key, text):
    found = judge_fill_in(tuple(key.split("|")), seen(text))
    assert found.verdict is Verdict.ACCEPTED
    assert is_accepted(key.split("|"), found.value)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        *[("0.5", "72"), ("0.5", "3"), ("3", "1/2"), ("1.5 m", "320kg"), ("{3, 4}", "17,25")],
        *[("国际单位制", "光合作用"), ("12", "345"), ("12", "21")],
    ],
)
def test_what_clearly_is_another_answer_is_refused(key, text):
    found = judge_fill_in((key,), seen(text))
    assert (found.verdict, found.value) == (Verdict.REFUSED, text)


def test_what_differs_by_a_sign_that_readers_miss_goes_to_a_person():
    assert verdict("15/7", seen("1517")) == "person"
    assert verdict("1.4", seen("14")) == "person"
    assert verdict("1/2", seen("112", signs="1/2")) != "refused"


def test_what_only_one_reader_says_is_not_refused():
    assert verdict("84", seen("27")) == "refused"
    assert verdict("84", seen("27", signs="84")) == "person"
    assert verdict("84", seen("27", signs="")) == "person"


def test_what_is_clear_to_neither_reader_is_not_accepted():
    """The first reader takes two like digits for one now and then."""
    blank = (("", 1.0),)
    steps = (blank, (("7", 0.999),), (("7", 0.7), ("", 0.3)), (("7", 0.99),), blank)
    both = join_opinions(steps, (blank, (("7", 0.99),), blank, (("7", 0.99),), blank))
    assert verdict("7", both) == "person"
    assert verdict("7", seen("7")) == "accepted"


def test_between_the_key_and_another_answer_a_person_decides():
    assert verdict("1/7", seen("1/7", 0.6, signs="7/7", at_0="7", at_2="1")) == "person"
    assert verdict("-3", seen("-3", 0.3, signs="-8", at_1="8")) == "person"


def test_what_reads_as_another_answer_is_not_accepted_however_likely_the_key_is():
    assert verdict("3", seen("3", 0.3, signs="8", at_0="8")) == "person"


def test_between_answers_that_are_all_wrong_nobody_needs_to_decide():
    assert verdict("35", seen("17", 0.6, at_1="1", at_0="7")) == "refused"


def test_between_accepted_answers_nobody_needs_to_decide():
    assert verdict("3|8", seen("3", 0.6, at_0="8")) == "accepted"


def test_another_key_judges_the_same_reading_anew():
    choices = seen("42")
    assert [verdict(key, choices) for key in ("42", "24", "42.0", "40 ± 2")] == [
        "accepted",
        "refused",
        "accepted",
        "accepted",
    ]


def test_what_no_answer_looks_like_goes_to_a_person():
    assert verdict("12", seen("圍龜")) == "person"
    assert verdict("0.5", seen("二分之一")) == "person"
    assert verdict("12", ((("1", 0.001), ("", 0.002)), (("2", 0.001),))) == "person"


def test_a_smaller_share_of_silent_errors_asks_more():
    choices = seen("17", 0.85, signs="", at_1="1")
    strict = FillInOptions(wrongly_accepted=1e-4, wrongly_refused=1e-4)
    assert judge_fill_in(("17",), choices).verdict is Verdict.ACCEPTED
    assert judge_fill_in(("17",), choices, strict).verdict is Verdict.PERSON
    other = seen("0.6", 0.9999)
    assert judge_fill_in(("0.5",), other).verdict is Verdict.REFUSED
    assert judge_fill_in(("0.5",), other, strict).verdict is Verdict.PERSON


ONE_OF_MANY_ORDERS = "{{1 m*,2 m*,3 m*};{4 m*,5 m*,6 m*};{7 m*,8 m*,9 m*}}"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (ONE_OF_MANY_ORDERS, "1m,2m,3m,4m,5m,6m,7m,8m,9m"),
        (f"{{{ONE_OF_MANY_ORDERS};{{1 h*,2 h*,3 h*}}}}", "1m,2m,3m,4m,5m,6m,7m,8m,9m,1h,2h,3h"),
        ("|".join(f"{n} m*" for n in range(60)), "59米"),
        *((",".join([unit] * 99), ",".join([unit] * 99)) for unit in ("1ml", "1%", "1L", "0.5")),
    ],
)
def test_what_a_key_is_held_against_stays_small(key, text):
    """A key of few characters may stand for millions of texts; of those the usual are known."""
    known = known_answers(tuple(key.split("|")))
    assert len(known.spelled.moves) < 6500
    assert known.spelled.accepts(text)


def test_few_in_any_order_and_unit_are_known():
    known = known_answers(("{1 m*, 2 m*, 3 m*}",))
    assert known.spelled.accepts("300cm,1米,20dm")
    assert len(known.spelled.moves) < 3000


symbols = st.sampled_from(["", *"0123456789.,/-+%xm=一二三个cko"])
rows = st.lists(st.tuples(symbols, st.floats(0, 1)), max_size=8)


@given(st.sampled_from(KEYS), st.lists(rows, max_size=12))
def test_no_reading_breaks_the_judgement(key, steps):
    choices = tuple(
        tuple((s, p / max(sum(q for _, q in row), 1.0)) for s, p in dict(row).items())
        for row in steps
    )
    found = judge_fill_in((key,), choices)
    assert 0 <= found.probability <= 1
    if found.verdict is Verdict.ACCEPTED:
        assert is_accepted((key,), found.value)
    if found.verdict is Verdict.REFUSED:
        assert found.value
        assert not is_accepted((key,), found.value)
