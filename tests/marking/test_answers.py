"""Which written answers are accepted."""

from __future__ import annotations

from inkmark.marking.answers import is_accepted


def test_one_of_several_accepted_answers():
    assert is_accepted(("台湾", "臺灣"), "臺灣")
    assert is_accepted(("1.5 m*", "一半"), "150 cm")
    assert not is_accepted(("台湾",), "臺灣")
    assert not is_accepted((), "3")


def test_nothing_is_no_answer():
    assert not is_accepted((".", "0"), "")
    assert not is_accepted(("0",), "  ")


def test_texts_without_end_are_not_looked_at():
    assert not is_accepted(("9" * 10,), "9" * 10**7)
    assert not is_accepted(("x",), " " * 501 + "x")
