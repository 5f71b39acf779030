"""The table of answer groups counts what is together and should not be."""

from __future__ import annotations

from benchmarks import _handwriting_groups
from inkmark.ctc import Choices


def said(text: str) -> Choices:
    return tuple(step for sign in text for step in (((sign, 0.99),), (("", 1.0),)))


def test_an_answer_that_is_read_as_another_spoils_its_group() -> None:
    answers: list[tuple[str, Choices | None]] = [
        ("12", said("12")),
        ("12", said("12")),
        ("13", said("12")),
        ("7", said("7")),
        ("", None),
    ]
    cases: list[str] = []
    counts = _handwriting_groups._count(answers, "number", cases)
    assert counts["answers"] == 5
    assert counts["pure"] == 4
    assert counts["groups"] == 3
    assert (counts["sure"], counts["sure and pure"]) == (5, 4)
    assert cases == ["'13' is surely with '12'"]


def test_ten_groups_are_the_largest() -> None:
    answers = [(str(k), said(str(k))) for k in (*range(14), 5, 7)]
    counts = _handwriting_groups._count(answers, "number", [])
    assert (counts["largest"], counts["at best"], counts["answers"]) == (12, 12, 16)
