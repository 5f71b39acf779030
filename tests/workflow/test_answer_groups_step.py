"""Handwritten answers in groups: from the scans to a workbook and back into scores."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest
from exam_steps import run_command
from numpy.typing import NDArray
from small_exams import small_exam

from inkmark.errors import InkmarkError
from inkmark.exam import ExamFolder, Item, ItemType, save_exam
from inkmark.layouts import (
    AnswerField,
    SheetLayout,
    WritingField,
    build_layout,
    load_layout,
    print_sheets,
    save_layout,
)
from inkmark.marking import ResponseStatus, settle_reading
from inkmark.readings import FieldReading
from inkmark.simulator import encode_scan, render_pages
from inkmark.store import ExamStore
from inkmark.workflow import group_exam, groups, read, score

DPI = 150.0
WRITTEN = ("12", "12", "12", "70", "70", "")
NUMBERS = tuple(f"26010{k}" for k in range(len(WRITTEN)))


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> ExamFolder:
    """Six sheets on which somebody with a very plain hand wrote."""
    folder = ExamFolder(tmp_path_factory.mktemp("groups") / "exam")
    folder.scans.mkdir(parents=True)
    answer = Item("17", ItemType.FILL_IN, (), ("12",), Decimal(4))
    exam = small_exam([answer], NUMBERS, id="GROUPS")
    save_exam(exam, folder.workbook)
    layout = build_layout(exam)
    save_layout(layout, folder.layout)
    printed = folder.root / "printed.pdf"
    print_sheets(layout, exam, printed, exam.candidates)
    for number, text, page in zip(NUMBERS, WRITTEN, render_pages(printed, DPI), strict=True):
        sheet = np.ascontiguousarray(page)
        write(sheet, layout, text)
        encode_scan(sheet, folder.scans / f"{number}.png", DPI)
    printed.unlink()
    read(folder.root)
    return folder


def write(sheet: NDArray[np.uint8], layout: SheetLayout, text: str, *, shift_px: int = 0) -> None:
    (field,) = (f for f in layout.fields() if isinstance(f, WritingField) and f.item)
    px = DPI / 25.4
    x, y = round((field.box.x + 8) * px) + shift_px, round((field.box.bottom - 2) * px)
    cv2.putText(sheet, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 30, 3, cv2.LINE_AA)


@pytest.fixture
def folder(scanned: ExamFolder, tmp_path: Path) -> ExamFolder:
    copy = ExamFolder(tmp_path / "exam")
    shutil.copytree(scanned.root, copy.root)
    return copy


def column(sheet: openpyxl.worksheet.worksheet.Worksheet, title: str) -> int:
    return next(c.column for c in sheet[1] if c.value == title)


def enter(folder: ExamFolder, sheet: str, of: str, title: str, value: object) -> None:
    """Enter a value in the rows of a group."""
    path = folder.out / "groups.xlsx"
    book = openpyxl.load_workbook(path)
    table = book[sheet]
    for row in range(2, table.max_row + 1):
        if table.cell(row, column(table, "Answer group")).value == of:
            table.cell(row, column(table, title)).value = value
    book.save(path)


def shown(folder: ExamFolder, *titles: str) -> list[tuple[object, ...]]:
    table = openpyxl.load_workbook(folder.out / "groups.xlsx")["groups"]
    columns = [column(table, title) for title in titles]
    return [tuple(table.cell(r, c).value for c in columns) for r in range(2, table.max_row + 1)]


def points(folder: ExamFolder) -> dict[str, Decimal | None]:
    with ExamStore.open(folder.database, "GROUPS") as store:
        return {s.record.candidate: s.record.points for s in store.scores()}


def test_answers_are_shown_group_by_group(folder: ExamFolder) -> None:
    summary = group_exam(folder.root)
    (item,) = summary.items
    assert (item.item, item.answers, item.groups, item.in_largest) == ("17", 6, 3, 6)
    assert shown(folder, "Answer group", "Answers", "By the key") == [
        ("12", 3, "right"),
        ("70", 2, "wrong"),
        ("(blank)", 1, "wrong"),
    ]
    answers = openpyxl.load_workbook(folder.out / "groups.xlsx")["answers"]
    assert len(answers._images) == 6


def test_nothing_is_proposed_that_scoring_is_not_sure_of(
    folder: ExamFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settle(item: Item, field: AnswerField, reading: FieldReading) -> tuple[str, ResponseStatus]:
        value, status = settle_reading(item, field, reading)
        return value, ResponseStatus.PENDING if value == "70" else status

    monkeypatch.setattr(groups, "settle_reading", settle)
    group_exam(folder.root)
    assert shown(folder, "Answer group", "By the key") == [
        ("12", "right"),
        ("70", None),
        ("(blank)", "wrong"),
    ]


def test_points_of_a_group_score_its_answers_and_no_others(folder: ExamFolder) -> None:
    score(folder.root)
    before = points(folder)
    group_exam(folder.root)
    enter(folder, "groups", "70", "Points given", 1.5)
    assert score(folder.root, decided_by="marker").decisions == 2
    after = points(folder)
    assert [after[n] for n in NUMBERS[3:5]] == [Decimal("1.5")] * 2
    assert {n: p for n, p in after.items() if n not in NUMBERS[3:5]} == {
        n: p for n, p in before.items() if n not in NUMBERS[3:5]
    }
    assert score(folder.root).decisions == 0, "what was said once is not new again"


def test_an_answer_that_was_moved_stays_where_it_was_put(folder: ExamFolder) -> None:
    group_exam(folder.root)
    enter(folder, "answers", "70", "Answer group", "half right")
    assert group_exam(folder.root, decided_by="marker").placements == 2
    assert ("half right", 2, None) in shown(folder, "Answer group", "Answers", "Points given")
    enter(folder, "groups", "half right", "Points given", 2)
    assert score(folder.root).decisions == 2
    assert [points(folder)[n] for n in NUMBERS[3:5]] == [Decimal(2)] * 2


def test_points_of_a_group_can_be_taken_back(folder: ExamFolder) -> None:
    score(folder.root)
    before = points(folder)
    group_exam(folder.root)
    enter(folder, "groups", "70", "Points given", 1.5)
    group_exam(folder.root)
    enter(folder, "groups", "70", "Points given", None)
    assert group_exam(folder.root).placements == 2
    assert ("70", 2, None) in shown(folder, "Answer group", "Answers", "Points given")
    score(folder.root)
    assert points(folder) == before


def test_a_new_answer_does_not_get_the_points_of_a_group_unseen(folder: ExamFolder) -> None:
    late = folder.scans / f"{NUMBERS[2]}.png"
    kept = late.read_bytes()
    late.unlink()
    read(folder.root)
    group_exam(folder.root)
    enter(folder, "groups", "12", "Points given", 3)
    assert group_exam(folder.root).placements == 2
    late.write_bytes(kept)
    read(folder.root)
    group_exam(folder.root)
    assert group_exam(folder.root).placements == 0
    assert {row[0]: row[1:] for row in shown(folder, "Answer group", "Answers", "Points given")}[
        "12 (new)"
    ] == (1, None)


def test_points_stay_with_an_answer_that_is_scanned_again(folder: ExamFolder) -> None:
    group_exam(folder.root)
    enter(folder, "groups", "12", "Points given", 3)
    group_exam(folder.root)
    for number in NUMBERS[:2]:
        page = cv2.imread(str(folder.scans / f"{number}.png"), cv2.IMREAD_GRAYSCALE)
        assert page is not None
        sheet = np.ascontiguousarray(page, dtype=np.uint8)
        if number == NUMBERS[1]:  # somebody wrote more before it was scanned again
            write(sheet, load_layout(folder.layout), "5", shift_px=50)
        encode_scan(sheet, folder.scans / f"{number}-again.png", DPI)
        (folder.scans / f"{number}.png").unlink()
    read(folder.root)
    (folder.out / "groups.xlsx").unlink()
    score(folder.root)
    found = points(folder)
    assert found[NUMBERS[0]] == Decimal(3), "the same answer on another image"
    assert found[NUMBERS[1]] is None, "another answer: somebody has to look at it"
    assert found[NUMBERS[2]] == Decimal(3)


def test_points_in_the_table_of_points_go_before(folder: ExamFolder) -> None:
    group_exam(folder.root)
    enter(folder, "groups", "12", "Points given", 3)
    table = f"candidate,item,points\n{NUMBERS[0]},17,1\n"
    (folder.root / "points.csv").write_text(table, "utf-8")
    score(folder.root)
    assert [points(folder)[n] for n in NUMBERS[:2]] == [Decimal(1), Decimal(3)]


def test_an_answer_looked_at_on_another_image_is_said(folder: ExamFolder) -> None:
    group_exam(folder.root)
    enter(folder, "groups", "12", "Points given", 3)
    enter(folder, "answers", "12", "Image", "0123456789abcdef-0")
    summary = group_exam(folder.root)
    assert (summary.placements, summary.outdated) == (0, ("0123456789abcdef-0",))


def test_the_command(folder: ExamFolder) -> None:
    done = run_command("groups", folder.root, "--item", "17")
    assert done.exit_code == 10
    assert "Item 17: 6 answers in 3 groups" in done.output
    wrong = run_command("groups", folder.root, "--item", "18")
    assert wrong.exit_code == 1
    assert "Choose among: 17" in wrong.output
    with pytest.raises(InkmarkError, match="item 18 has no handwritten answers"):
        group_exam(folder.root, items=["18"])
