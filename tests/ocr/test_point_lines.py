"""Points read as whole lines, and weighed against single signs."""

import pytest

from inkmark.ocr._point_lines import _numbers, weigh


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("7", {"7"}),
        ("0", {"0"}),
        ("7.5", {"7.5"}),
        ("5.5", {"5.5"}),
        (".5", {"0.5"}),
        ("05", {"0.5"}),
        ("½", {"0.5"}),
        ("7½", {"7.5"}),
        ("121/2", {"12.5"}),
        ("75", {"75", "7.5"}),
        ("712", {"712", "7.5"}),
        ("12", {"12"}),
        ("", set()),
        ("07", set()),
        ("05.5", set()),
    ],
)
def test_a_text_stands_for_numbers(text, numbers):
    found = _numbers(text)
    assert {number for number, _ in found} == numbers
    assert sum(share for _, share in found) == pytest.approx(1.0 if numbers else 0.0)


def test_two_readers_that_agree_are_surer_and_two_that_do_not_leave_doubt():
    agreed = weigh([("7", 0.9), ("1", 0.1)], {"7": 0.95, "1": 0.01}, "?")
    assert agreed[0][0] == "7"
    assert agreed[0][1] > 0.9
    split = weigh([("7", 0.98), ("1", 0.02)], {"1": 0.95, "7": 0.02}, "?")
    assert split[0][1] < 0.8
    assert sum(p for _, p in split) == pytest.approx(1.0)


def test_what_no_reader_takes_for_a_number_is_none():
    assert weigh([("?", 1.0)], {}, "?") == [("?", 1.0)]
    assert weigh([("?", 0.99), ("7", 0.01)], {"7": 0.001}, "?")[0][0] == "?"


def test_a_line_that_reads_as_nothing_has_no_say_about_a_half():
    half = [("4.5", 0.92), ("?", 0.06), ("412", 0.02)]
    assert weigh(half, {"4.5": 0.0001, "412": 0.0001}, "?") == half
    whole = weigh([("4", 0.92), ("?", 0.06)], {"4": 0.0001}, "?")
    assert whole[0][1] < 0.9
