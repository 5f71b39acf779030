"""Invented exams to build sheets for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from hypothesis import reject

from inkmark.errors import LayoutError
from inkmark.exam import Candidate, Exam, Item, ItemType, Policy
from inkmark.layouts import SheetLayout, SheetOptions, build_layout


def invented_exam(
    kinds: Sequence[tuple[ItemType, int]],
    *,
    language: str = "zh",
    title: str = "秋季学期数学检测",
    options: Sequence[str] = tuple("ABCD"),
    candidates: Sequence[Candidate] = (),
    points: Decimal = Decimal(4),
) -> Exam:
    """An exam with runs of items: (type, how many) each."""
    items: list[Item] = []
    for kind, count in kinds:
        for _ in range(count):
            labels: tuple[str, ...] = ()
            if kind is ItemType.TRUE_FALSE:
                labels = ("T", "F")
            elif kind.is_objective:
                labels = tuple(options)
            items.append(Item(str(len(items) + 1), kind, labels, labels[:1], points))
    return Exam(
        "DEMO-2025",
        title,
        "数学" if language == "zh" else "Mathematics",
        "高一" if language == "zh" else "Year 10",
        dt.date(2025, 11, 12),
        language,
        Policy(),
        tuple(items),
        tuple(candidates),
    )


def mixed_exam(language: str = "zh") -> Exam:
    """Forty items of all types with three candidates."""
    return invented_exam(
        [
            (ItemType.SINGLE, 22),
            (ItemType.MULTIPLE, 6),
            (ItemType.TRUE_FALSE, 4),
            (ItemType.FILL_IN, 4),
            (ItemType.SUBJECTIVE, 4),
        ],
        language=language,
        candidates=[
            Candidate("20250101", "张小明", "高一（1）班", "第一中学"),
            Candidate("20250102", "Alexandra Featherstone-Montgomery-Fitzgerald", "高一（2）班"),
            Candidate("20250103", "阿卜杜热依木·买买提吐尔逊·艾力江", "高一（3）班"),
        ],
    )


def built_or_reject(exam: Exam, options: SheetOptions) -> SheetLayout:
    """Build a layout of arbitrary options; a row may be too wide for the columns asked for."""
    try:
        return build_layout(exam, options)
    except LayoutError as refused:
        if "wide. Choose fewer columns" not in str(refused):
            raise
        reject()
