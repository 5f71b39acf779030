"""Numbers as people write them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.exam.numerals import decimal_text, plain_writing, read_number

HALF = Fraction(1, 2)


def number(text: str) -> Fraction | None:
    return read_number(plain_writing(text).casefold())


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (Fraction(0), "0 0.0 零 〇 0‰ -0"),
        (Fraction(3), "3 3.0 3. 03 +3 ３ 三 叁 6/2"),
        (Fraction(-3), "-3 −3 －3 —3 负三 负3 -3.0 -6/2"),
        (Fraction(1200), "1200 1,200 1,200.0 1.2e3 1.2E+3 1.2×10^3 1.2x10³ 一千二百 一千二 1.2千"),
        (HALF, "0.5 .5 0.50 1/2 2/4 50% ５０％ ½ 二分之一 2分之1 百分之五十 500‰ 半 一半 零点五"),
        (Fraction(3, 2), "1½ 1又1/2 一又二分之一 1又2分之1 3/2 1.5 一点五"),
        (Fraction(120), "一百二十 一百二 壹佰贰拾"),
        (Fraction(105), "一百零五 105"),
        (Fraction(1050), "一千零五十 1,050"),
        (Fraction(2026), "二〇二六 二零二六 两千零二十六 2026"),
        (Fraction(12), "十二 一十二"),
        (Fraction(12_000), "一万二 一万二千 1.2万 12千"),
        (Fraction(120_000_000), "一亿二千万 1.2亿 1.2×10^8"),
        (Fraction(1, 100), "1% 百分之一 10^-2 1e-2 0.01"),
        (Fraction(1), "百分之百 100%"),
        (Fraction(-1, 3), "-1/3 负三分之一"),
    ],
)
def test_one_number_in_many_forms(value, texts):
    assert {text: number(text) for text in texts.split()} == dict.fromkeys(texts.split(), value)


def test_a_mixed_number_and_groups_of_digits_have_blanks():
    assert number("1 1/2") == Fraction(3, 2)
    assert number("-1 1/2") == Fraction(-3, 2)
    assert number("12 500") == 12_500
    assert number("- 3") == -3


NO_NUMBERS = [
    *("abc", "1,00", "1,0000", "1.2.3", "1/0", "1又3/2", "1e999", "1e99999999999", "--3", "%"),
    *(
        "一百百",
        "万",
        "百分之",
        "分之一",
        "三两",
        "点五",
        "3点",
        "1//2",
        "1/2/3",
        "½½",
        "٣",
        "1_000",
    ),
    *("0x10", "inf", "nan", "1e", "十百", "百分之一又", "二分之一分之一"),
]


@pytest.mark.parametrize(
    "text",
    [
        *NO_NUMBERS,
        "",
        "1 3/2",
        "9" * 10**6,
        "一" * 10**6,
        "1/" + "9" * 100,
    ],
)
def test_what_is_no_number(text):
    assert number(text) is None


@given(st.text(alphabet="0123456789.,/%e^×-+ 一二十百千万亿零点分之又半两负", max_size=70))
def test_no_text_breaks_the_reader_and_numbers_stay_small(text):
    value = number(text)
    assert value is None or (value.numerator.bit_length() < 600 > value.denominator.bit_length())


def chinese(value: int) -> str:
    """A number below 10,000 in Chinese, written out digit by digit with its steps."""
    text, zero = "", False
    for power in (3, 2, 1, 0):
        digit = value // 10**power % 10
        if digit:
            text += ("零" if zero and text else "") + "零一二三四五六七八九"[digit]
            text += ("", "十", "百", "千")[power]
        zero = not digit
    return text


@given(st.integers(1, 9999))
def test_chinese_numerals_are_read_back(value):
    assert number(chinese(value)) == value
    assert number(f"{chinese(value)}万") == value * 10_000


@given(st.decimals(min_value=-(10**6), max_value=10**6, places=4, allow_nan=False))
def test_decimals_are_exact(value):
    assert number(f"{value:f}") == Fraction(value)
    assert number(decimal_text(Fraction(value))) == Fraction(value)


def test_a_number_as_a_decimal():
    assert decimal_text(Fraction(1, 8)) == "0.125"
    assert decimal_text(Fraction(-5, 2)) == "-2.5"
    assert decimal_text(Fraction(1200)) == "1200"
    assert decimal_text(Fraction(1, 3)) is None
    assert decimal_text(Fraction(1, 10**7)) is None


def test_writing_made_plain():
    assert plain_writing(" ｍ²／ｓ  −３。") == "m^2/s -3."
    assert plain_writing("10⁻³") == "10^-3"
    assert plain_writing("㎡") == "m2"
