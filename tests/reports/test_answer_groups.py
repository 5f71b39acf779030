from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import cv2
import numpy as np
import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from inkmark.errors import FaultyFileError
from inkmark.exam import Exam, Item, ItemType
from inkmark.exam.example import example_exam
from inkmark.reports.answer_groups import (
    GroupedAnswer,
    GroupRow,
    PlacedAnswer,
    load_answer_groups,
    write_answer_groups,
)

EXAM: Exam = replace(
    example_exam("en"),
    items=(Item("17", ItemType.FILL_IN, (), ("12",), Decimal(4)),),
    candidates=(),
)
PICTURE = cv2.imencode(".png", np.full((30, 200), 200, np.uint8))[1].tobytes()
GROUPS = (
    GroupRow("17", "12", "12", 2, "right", None),
    GroupRow("17", "=1", "=1", 1, "wrong", Decimal("1.5")),
)
ANSWERS = (
    GroupedAnswer("17", "12", "12", 0.99, None, "aa-0", PICTURE),
    GroupedAnswer("17", "12", "12", 0.97, None, "bb-0", PICTURE),
    GroupedAnswer("17", "=1", "=1", 0.96, Decimal("1.5"), "cc-0", b""),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "groups.xlsx"
    write_answer_groups(GROUPS, ANSWERS, path, "en")
    return path


def enter(path: Path, sheet: str, cells: dict[str, object]) -> None:
    book = load_workbook(path)
    table = book[sheet]
    assert isinstance(table, Worksheet)
    for place, value in cells.items():
        table[place] = value
        if isinstance(value, str):
            table[place].data_type = "s"  # the cells are formatted as text
    book.save(path)


def load(path: Path) -> tuple[PlacedAnswer, ...]:
    return load_answer_groups(path, EXAM)


def test_what_is_not_filled_in_says_nothing(path: Path) -> None:
    assert load(path) == (
        PlacedAnswer("17", "12", False, None, "", "aa-0"),
        PlacedAnswer("17", "12", False, None, "", "bb-0"),
        PlacedAnswer("17", "=1", False, Decimal("1.5"), "", "cc-0"),
    )


def test_points_of_a_group_are_those_of_its_answers(path: Path) -> None:
    enter(path, "groups", {"F2": 4, "H2": "as in the key"})
    first, second, _ = load(path)
    assert (first.points, second.points) == (Decimal(4), Decimal(4))
    assert first.note == "as in the key"


def test_splitting_and_merging(path: Path) -> None:
    enter(path, "groups", {"F3": 2, "G2": "=1"})
    assert [(a.group, a.moved, a.points) for a in load(path)] == [
        ("=1", True, Decimal(2)),
        ("=1", True, Decimal(2)),
        ("=1", False, Decimal(2)),
    ]
    enter(path, "groups", {"F2": 4, "G2": None})
    enter(path, "answers", {"B3": "another"})
    assert [(a.group, a.moved, a.points) for a in load(path)] == [
        ("12", False, Decimal(4)),
        ("another", True, None),
        ("=1", False, Decimal(2)),
    ]


def test_the_workbook_shows_every_answer_and_computes_nothing(path: Path) -> None:
    book = load_workbook(path)
    answers = book["answers"]
    assert len(answers._images) == 2
    assert answers["B4"].value == "=1"
    assert answers["B4"].data_type == "s"
    assert "Candidate" not in {cell.value for cell in answers[1]}, "whose it is, stays unsaid"


@pytest.mark.parametrize(
    ("sheet", "cells", "message"),
    [
        ("groups", {"F2": 5}, "from 0 to 4"),
        ("groups", {"F2": "many"}, "no number of points"),
        ("groups", {"F2": 0.125}, "two decimals"),
        ("groups", {"G2": "13"}, "no group “13”"),
        ("groups", {"G2": "12"}, "merged itself"),
        ("groups", {"A2": "99"}, "no item “99”"),
        ("groups", {"B3": "12"}, "another row"),
        ("answers", {"B2": None}, "no group"),
        ("answers", {"H3": "aa-0", "B3": "other"}, "two rows"),
        ("groups", {"F1": "?"}, "columns are missing: Points given"),
    ],
)
def test_faults_are_named(path: Path, sheet: str, cells: dict[str, object], message: str) -> None:
    enter(path, sheet, cells)
    with pytest.raises(FaultyFileError, match=message):
        load(path)


def test_another_workbook(tmp_path: Path, path: Path) -> None:
    book = load_workbook(path)
    book["answers"].title = "mine"
    book.save(tmp_path / "other.xlsx")
    with pytest.raises(FaultyFileError, match="no such sheet"):
        load(tmp_path / "other.xlsx")
