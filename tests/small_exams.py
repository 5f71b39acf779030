"""Small invented exams: a test says what matters to it, and the rest is the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from inkmark.exam import Candidate, Exam, Item, ItemType, Policy

OPTIONS = ("A", "B", "C", "D")


def single_items(n: int, points: int = 2) -> tuple[Item, ...]:
    """Items 1 to n with one right option: A, B, C, D, A and so on."""
    return tuple(
        Item(str(k + 1), ItemType.SINGLE, OPTIONS, (OPTIONS[k % 4],), Decimal(points))
        for k in range(n)
    )


def small_exam(
    items: Iterable[Item], candidates: Iterable[str | Candidate] = (), **changes: Any
) -> Exam:
    """An exam in English; a candidate may be given by the number alone."""
    people = (
        c if isinstance(c, Candidate) else Candidate(c, f"Student {c}", "1") for c in candidates
    )
    exam = Exam(
        id="QUIZ",
        title="Quiz",
        subject="Mathematics",
        grade="8",
        date=None,
        language="en",
        policy=Policy(),
        items=tuple(items),
        candidates=tuple(people),
    )
    return replace(exam, **changes)
