"""The example exam that a new workbook shows, in both languages."""

from __future__ import annotations

import secrets
from decimal import Decimal

from inkmark.exam.model import Candidate, Exam, Item, ItemType, Policy, RuleKind, ScoringRule
from inkmark.exam.values import truth_options

__all__ = ["example_exam", "new_exam_id"]

# Without letters and digits that are taken for one another in print or handwriting.
_ID_LETTERS = "ACDEFGHJKMNPQRTUVWXY"
_ID_SYMBOLS = _ID_LETTERS + "34679"
_ID_LENGTH = 8


_WORDS = {
    "zh": {
        "title": "七年级数学期中考试",
        "subject": "数学",
        "grade": "七年级",
        "number": "有理数",
        "equation": "一元一次方程",
        "expression": "整式的加减",
        "geometry": "角与线段",
        "know": "识记",
        "understand": "理解",
        "apply": "应用",
        "class 1": "七（1）班",
        "class 2": "七（2）班",
        "school": "示例中学",
        "names": ("安然", "白露", "陈星", "丁宁"),
    },
    "en": {
        "title": "Grade 7 Mathematics Mid-term",
        "subject": "Mathematics",
        "grade": "Grade 7",
        "number": "rational numbers",
        "equation": "linear equations",
        "expression": "algebraic expressions",
        "geometry": "angles and segments",
        "know": "remember",
        "understand": "understand",
        "apply": "apply",
        "class 1": "7A",
        "class 2": "7B",
        "school": "Sample School",
        "names": ("Ann Able", "Ben Birch", "Cora Clay", "Dan Dale"),
    },
}


def example_exam(language: str) -> Exam:
    """A short exam with one item of each type and a new id, for people to overwrite."""
    words = _WORDS[language]
    letters = ("A", "B", "C", "D")

    def word(name: str) -> str:
        return str(words[name])

    def knowledge(**weights: str) -> tuple[tuple[str, Decimal], ...]:
        return tuple((word(name), Decimal(weight)) for name, weight in weights.items())

    items = (
        Item(
            "1",
            ItemType.SINGLE,
            letters,
            ("B",),
            Decimal(3),
            knowledge=knowledge(number="1"),
            level=word("know"),
            difficulty=0.85,
        ),
        Item(
            "2",
            ItemType.MULTIPLE,
            letters,
            ("A", "C"),
            Decimal(6),
            ScoringRule(RuleKind.COUNT),
            knowledge(number="0.5", expression="0.5"),
            word("understand"),
            0.6,
        ),
        Item(
            "3",
            ItemType.TRUE_FALSE,
            truth_options(language),
            (truth_options(language)[1],),
            Decimal(2),
            knowledge=knowledge(geometry="1"),
            level=word("understand"),
            difficulty=0.8,
        ),
        Item(
            "4",
            ItemType.FILL_IN,
            (),
            ("-3", "−3"),
            Decimal(4),
            knowledge=knowledge(equation="1"),
            level=word("apply"),
            difficulty=0.7,
        ),
        Item(
            "5",
            ItemType.SUBJECTIVE,
            (),
            (),
            Decimal(10),
            knowledge=knowledge(equation="0.6", expression="0.4"),
            level=word("apply"),
            difficulty=0.5,
        ),
    )
    candidates = tuple(
        Candidate(
            f"0701{index:02d}",
            name,
            word("class 1" if index <= 2 else "class 2"),
            word("school"),
        )
        for index, name in enumerate(words["names"], start=1)
    )
    return Exam(
        new_exam_id(),
        word("title"),
        word("subject"),
        word("grade"),
        None,
        language,
        Policy(),
        items,
        candidates,
    )


def new_exam_id() -> str:
    """A random exam id of eight letters and digits that are hard to confuse.

    It starts with a letter, so that no spreadsheet program takes it for a number.
    """
    rest = (secrets.choice(_ID_SYMBOLS) for _ in range(_ID_LENGTH - 1))
    return secrets.choice(_ID_LETTERS) + "".join(rest)
