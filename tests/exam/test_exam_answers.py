"""What keys of fill-in items mean, by what they accept."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkmark.exam.answers import parse_answer
from inkmark.exam.numerals import plain_writing

EXAMPLES = [
    ("0.5", ["1/2", ".50", "50%", "2/4", "½", "半", "０．５"], ["0.49", "5", "2/1", "0.5 m"]),
    ("1200", ["1,200", "1 200", "1.2×10³", "1.2e3", "一千二百"], ["12", "1,2", "1、200"]),
    ("1 1/2", ["3/2", "1.5", "1½", "一又二分之一"], ["11/2", "1/2"]),
    ("-3", ["－3", "−3.0", "负三"], ["3", "+3", "--3"]),
    ("9.8 ± 0.1", ["9.7", "9.9", "9.85"], ["9.69", "9.91", "9.8 m"]),
    ("9.8+-1%", ["9.71", "9.89"], ["9.7"]),
    ("50% ± 2%", ["52%", "0.48"], ["53%", "51.1"]),
    ("1.5 m", ["1.5m", "3/2米", "1½ 米", "1.5（ｍ）"], ["1.5", "150 cm", "1.5 km", "1.5s"]),
    ("1.5 [m]", ["1.5", "1.5m"], ["150cm", "1.5 km"]),
    ("1.5 m*", ["150cm", "1米5分米", "1 m 50 cm", "0.0015km"], ["1.5", "150", "1.5kg", "5dm1m"]),
    ("1.5 [m]*", ["1.5", "150cm"], ["150"]),
    ("1.5 [m*]", ["1.5", "150cm"], ["150"]),
    ("5 [个]", ["5", "五个", "5.0 个"], ["5只", "5 m"]),
    ("9.8 ± 0.1 m/s²", ["9.75m/s2", "9.8 米/秒²"], ["9.75", "9.8 m/s", "10 m/s^2"]),
    ("9.8 ± 0.1 m*", ["985cm", "9.7m"], ["969 cm"]),
    ("1小时30分", ["1h30min", "一小时三十分"], ["90min", "1.5小时", "1h"]),
    ("1 h 30 min*", ["90分钟", "1.5 h", "1小时30分"], ["1.5"]),
    ("5 元*", ["¥5", "￥5.00", "500分", "50角"], ["$5", "5"]),
    ("30 ℃*", ["30摄氏度", "86℉"], ["30", "30°"]),
    ("3千米", ["3km", "三千米"], ["3000", "3000 m"]),
    ("x=3", ["X = 3.0", "ｘ＝３"], ["3", "y=3", "x=", "x=4"]),
    ("[x=]3", ["x=3", "3.0", "三"], ["y=3", "x=4"]),
    ("x=±a", ["x=±a"], ["x=a", "±a"]),
    ("3, 4", ["3,4", "3、4.0", "3；4", "3和4", "3 and 4"], ["4,3", "34", "3", "3,4,5", "(3,4)"]),
    ("1; 200", ["1,200", "1、200"], ["1200"]),
    ("1,000, 2,000", ["1000、2000", "1,000;2,000"], ["1,2"]),
    ("{3, 4}", ["4,3", "{3,4}", "4和3.0"], ["3", "3,3", "4,4", "(3,4)"]),
    ("{9±1, 9±3}", ["12, 9", "9, 12", "10, 8"], ["12, 12", "12, 6"]),
    ("(3, 4)", ["（3，4）", "(3.0,4)"], ["3,4", "(4,3)", "[3,4]"]),
    ("[3, 4)", ["[3,4)", "【3，4)"], ["[3,4]", "(3,4)"]),
    ("x=1, y=2", ["x=1;y=2", "x=1,y=2.0"], ["y=2,x=1", "1,2"]),
    ('"Co"', ["Co", "Ｃｏ"], ["CO", "co"]),
    ('"1/2"', ["1/2", "１／２"], ["0.5", "2/4"]),
    ("国际单位制", ["《国际单位制》。", " 国际 单位制"], ["国际单位", "國際單位制"]),
    ("ice cream", ["Icecream", "ICE CREAM."], ["ice creams"]),
    ("2x+1", ["2X + 1", "２ｘ＋１"], ["1+2x", "2x"]),
    ("x≥3", ["x>=3", "x⩾3"], ["x>3"]),
    ("|", ["|"], [""]),
    ("5 mW", ["5mW", "5.0 mw"], ["5 MW", "5MW"]),
    ("5 MΩ", ["5MΩ", "5.0 Mω"], ["5 mΩ"]),
    ("5 mg", ["5 mG", "5毫克"], ["5 Mg", "5MG"]),
    ("5 mg/L", ["5mg/l"], ["5 Mg/L"]),
    ("5 km", ["5 KM", "5Km"], []),
    ("5 min", ["5 MIN", "5Min"], []),
    ("5 mol", ["5 Mol"], []),
    ("x=\u200b3", ["x=3", "x = 3.0"], ["x=4"]),
    ("\ufeff3", ["3", "3\u200e"], []),
    ("x=y=3", ["x=y=3.0"], ["x=3"]),
    ("2+1", ["2+1"], ["3"]),
    ("2a/b", ["2a/b"], []),
    ("3:4", ["3：4"], []),
]  # fmt: skip


@pytest.mark.parametrize(("key", "right", "wrong"), EXAMPLES, ids=[key for key, *_ in EXAMPLES])
def test_what_a_key_accepts(key, right, wrong):
    answer = parse_answer(key)
    assert [text for text in right if not answer.accepts(plain_writing(text))] == []
    assert [text for text in wrong if answer.accepts(plain_writing(text))] == []
    assert "±" in plain_writing(key).replace("+-", "±") or answer.accepts(answer.printed)


@pytest.mark.parametrize(
    ("key", "printed"),
    [
        ("1.5 [m]*", "1.5 m"),
        ("9.8 ± 0.1 m", "9.8 ± 0.1 m"),
        ("[x=]-3", "x=-3"),
        ("{3, 4}", "3, 4"),
        ("[3, 4)", "[3, 4)"),
        ('"Co"', "Co"),
        ("国际单位制", "国际单位制"),
    ],
)
def test_a_key_for_people_to_read(key, printed):
    assert parse_answer(key).printed == printed


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ('"Co', "quotation mark"),
        ('"', "quotation mark"),
        ("5*", "converted"),
        ("5 个*", "converted"),
        ("abc*", "converted"),
        ("{3", "braces"),
        ("{3}", "braces"),
        ("9.8 ± 0", "tolerance above 0.*quotes"),
        ("9.8 ± x", "tolerance above 0"),
        ("9.8 ± 1e99", "nearly everything"),
        ("0 ± 1e99", "nearly everything"),
        ("1/0", "divides by zero.*quotes"),
        ("x=1/0", "divides by zero"),
        ("≈3.14", "about a number.*3.14 ± 0.01"),
        ("1 m/s/s", "m/s\\^2"),
        ("1_000", "1000 or 1,000"),
        ("3, 1_000", "1000 or 1,000"),
        ("\u200b", "nothing that can be seen"),
        ("x=" * 2000 + "3", "deep"),
        ("{" * 200 + "1,2" + "}" * 200, "deep|braces"),
        ("(1," * 2000 + "1" + ")" * 2000, "deep"),
    ],
)
def test_faults_of_keys(key, said):
    with pytest.raises(ValueError, match=said):
        parse_answer(key)


texts = st.text(
    alphabet="0123456789.,;:、/%×^*+-±=[](){}\"' xyzmkghs米时分一二十百千万半°", max_size=80
)


@given(texts, texts)
def test_no_text_breaks_keys_or_answers(key, written):
    try:
        answer = parse_answer(key)
    except ValueError:
        return
    assert answer.accepts(plain_writing(written)) in (True, False)


@given(st.fractions(-1000, 1000, max_denominator=50))
def test_a_fraction_is_what_it_is_worth(value):
    answer = parse_answer(str(value))
    assert answer.accepts(f"{value.numerator * 3}/{value.denominator * 3}")
    assert not answer.accepts(str(value + Fraction(1, 60)))


HOSTILE = [
    "9" * 500,
    "1e999999999",
    "1h" * 200,
    "(" * 500,
    "一" * 60,
    "1," * 250,
    "[(" * 200 + "1,2",
]


@pytest.mark.parametrize("written", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_are_no_answers(written):
    keys = ("1.5 m*", "{1, 2, 3}", "(1, 2)", "1 h 30 min*", "x=3")
    assert not any(parse_answer(key).accepts(plain_writing(written)) for key in keys)
