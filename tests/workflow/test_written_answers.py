"""Handwritten answers from stored readings to scores, and those that wait for a person."""

from __future__ import annotations

import io
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pytest
from PIL import Image

from inkmark.ctc import Choices, join_opinions
from inkmark.exam import Exam, ExamFolder, Item, ItemType, save_exam
from inkmark.exam.example import example_exam
from inkmark.files import file_sha256
from inkmark.geometry import Box
from inkmark.layouts import (
    AnchorKind,
    Anchors,
    PageLayout,
    Role,
    SheetLayout,
    WritingField,
    save_layout,
)
from inkmark.readings import (
    FieldReading,
    Flag,
    IssueKind,
    PageSource,
    Registration,
    SheetReading,
)
from inkmark.session import batch_report
from inkmark.store import ExamStore, Facts, PageRecord, page_rows
from inkmark.workflow import open_exam, score
from inkmark.workflow.scoring import load_records

ITEMS = (
    Item("1", ItemType.SINGLE, ("A", "B", "C", "D"), ("B",), Decimal(3)),
    Item("2", ItemType.FILL_IN, (), ("0.5",), Decimal(4)),
)
EXAM: Exam = replace(example_exam("en"), id="WRITTEN1", items=ITEMS)
BOX = Box(20.0, 20.0, 10.0, 10.0)
FIELDS = (
    WritingField("L1", BOX, charset="ABCD", role=Role.ITEM, item="1"),
    WritingField("W2", Box(20, 40, 50, 9), charset="number", role=Role.ITEM, item="2"),
)
LAYOUT = SheetLayout("0A0A0A0A", "", (PageLayout(210, 297, Anchors(AnchorKind.IMAGE), FIELDS),))
PLACE = Registration(0, (8.0, 0, 0, 0, 8.0, 0, 0, 0, 1.0), 0.05, 4, 4)


def seen(text: str, sure: float = 1.0, other: str = "7") -> Choices:
    """A line that both readers read alike."""
    steps = tuple(
        step
        for sign in text
        for step in (((sign, sure), *([(other, 1 - sure)] if sure < 1 else [])), (("", 1.0),))
    )
    return join_opinions(steps, steps)


def page(candidate: str, *fields: FieldReading) -> PageRecord:
    source = PageSource(f"scans/{candidate}.png", 0, f"{candidate:0>64}")
    reading = SheetReading(source, 1680, 2376, 203.2, 0, PLACE, fields, ())
    return PageRecord(source, None, "", candidate, 0, reading, layout_version=LAYOUT.version)


def letter(value: str, flag: Flag = Flag.OK) -> FieldReading:
    return FieldReading("L1", value, 0.99, flag, (), BOX, (((value or "", 1.0),),))


def answer(value: str, choices: Choices = (), flag: Flag = Flag.OK) -> FieldReading:
    return FieldReading("W2", value, 0.9, flag, (), Box(160, 320, 400, 72), choices)


def of_marker(value: str, sure: float, other: str = "1") -> FieldReading:
    """Points of item 2 that are read as one number, or perhaps another."""
    flag = Flag.OK if sure > 0.9 else Flag.DOUBTFUL
    choices = (((value, sure), (other, 1 - sure)),)
    return FieldReading("P2", value, sure, flag, (), Box(640, 320, 112, 72), choices)


def exam_folder(root: Path, layout: SheetLayout, pages: list[PageRecord]) -> Path:
    folder = ExamFolder(root)
    save_exam(EXAM, folder.workbook)
    save_layout(layout, folder.layout)
    with ExamStore.open(folder.database, EXAM.id) as store:
        store.put_exam(EXAM)
        store.add_pages(map(page_rows, pages), Facts(layout.version, {0: {}}, None))
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    pages = [
        page("070101", letter("B"), answer("1/2", seen("1/2"))),
        page("070102", letter("?", Flag.DOUBTFUL), answer("3", seen("3"), Flag.DOUBTFUL)),
        page("070103", letter("A"), answer("0.5", seen("0.5", 0.3))),
        page("070104", letter(""), answer("?", flag=Flag.DOUBTFUL)),
    ]
    return exam_folder(tmp_path, LAYOUT, pages)


P2 = WritingField("P2", Box(80, 40, 14, 9), charset="points", role=Role.POINTS, item="2")
MARKED = replace(LAYOUT, pages=(replace(LAYOUT.pages[0], fields=(*FIELDS, P2)),))
"""The same with a box for the marker's points of item 2."""


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    """Pages that a marker marked before; every answer to item 2 is right."""
    right = answer("0.5", seen("0.5"))
    boxes = {
        "070101": of_marker("3", 0.6),
        "070102": of_marker("", 0.0, "?"),  # struck out
        "070103": of_marker("", 1.0),
        "070104": of_marker("2", 0.99),
    }
    pages = [page(who, letter("B"), right, box) for who, box in boxes.items()]
    return exam_folder(tmp_path, MARKED, pages)


def points(root: Path) -> dict[tuple[str, str], Decimal | None]:
    with open_exam(root) as opened:
        return {(s.record.candidate, s.record.item): s.record.points for s in opened.store.scores()}


def waiting(root: Path) -> list[tuple[str, str]]:
    sheet = openpyxl.load_workbook(root / "out" / "review.xlsx")["review"]
    heading = {cell.value: cell.column - 1 for cell in sheet[1]}
    return [
        (row[heading["Candidate"]], row[heading["Field"]])
        for row in sheet.iter_rows(min_row=2, values_only=True)
    ]


def decide(root: Path, **values: str) -> None:
    path = root / "out" / "review.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book["review"]
    heading = {cell.value: cell.column for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        candidate = sheet.cell(row, heading["Candidate"]).value
        field = sheet.cell(row, heading["Field"]).value
        if f"{field}_{candidate[-1]}" in values:
            sheet.cell(row, heading["Decision"]).value = values[f"{field}_{candidate[-1]}"]
    book.save(path)


def test_written_answers_are_scored_or_wait_with_their_field(root: Path) -> None:
    summary = score(root)
    assert points(root) == {
        ("070101", "1"): Decimal(3),
        ("070101", "2"): Decimal(4),
        ("070102", "1"): None,
        ("070102", "2"): Decimal(0),
        ("070103", "1"): Decimal(0),
        ("070103", "2"): None,
        ("070104", "1"): Decimal(0),
        ("070104", "2"): None,
    }
    assert waiting(root) == [("070102", "L1"), ("070103", "W2"), ("070104", "W2")]
    assert (summary.to_review, summary.pending, summary.points_waited_for) == (3, 3, ())


def test_what_a_person_types_is_scored_by_the_key(root: Path) -> None:
    score(root)
    decide(root, L1_2="b", W2_3="50%", W2_4="-")
    summary = score(root)
    assert (summary.decisions, summary.to_review, summary.pending) == (3, 0, 0)
    found = points(root)
    assert found["070102", "1"] == Decimal(3)
    assert found["070103", "2"] == Decimal(4)
    assert found["070104", "2"] == Decimal(0)


def test_another_key_judges_stored_readings_anew(root: Path) -> None:
    score(root)
    changed = replace(ITEMS[1], key=("3",))
    save_exam(replace(EXAM, items=(ITEMS[0], changed)), ExamFolder(root).workbook)
    score(root)
    found = points(root)
    assert [found[f"07010{n}", "2"] for n in (1, 2, 3)] == [Decimal(0), Decimal(4), Decimal(0)]
    assert waiting(root) == [("070102", "L1"), ("070104", "W2")]


def test_a_score_leads_back_to_the_picture_of_the_written_answer(root: Path) -> None:
    score(root)
    with open_exam(root) as opened:
        found = {(s.record.candidate, s.record.item): s for s in opened.store.scores()}
    assert found["070101", "2"].box_px == Box(160, 320, 400, 72)


def test_an_answer_that_images_contradict_waits_until_it_has_points(root: Path) -> None:
    folder = ExamFolder(root)
    other = page("070101", letter("B"), answer("3", seen("3")))
    source = replace(other.source, path="scans/again.png", sha256="f" * 64)
    assert other.reading is not None
    other = replace(other, source=source, reading=replace(other.reading, source=source))

    def doubtful() -> list[str]:
        with open_exam(root) as opened:
            report = batch_report(opened.exam, opened.layout, opened.store)
        assert report.doubtful == sum(i.kind is IssueKind.DOUBTFUL for i in report.issues)
        return [i.candidate for i in report.issues if i.kind is IssueKind.DOUBTFUL]

    score(root)
    assert doubtful() == ["070102"]
    with ExamStore.open(folder.database, EXAM.id) as store:
        store.add_pages([page_rows(other)], Facts(LAYOUT.version, {0: {}}, None))
    assert doubtful() == ["070102", "070101"], "scored before, by one of the images"
    score(root)
    assert doubtful() == ["070102", "070101"]
    assert ("070101", "W2") in waiting(root)
    (root / "points.csv").write_text("candidate,item,points\n070101,2,3\n", "utf-8")
    score(root)
    assert points(root)["070101", "2"] == Decimal(3)
    assert doubtful() == ["070102"]
    assert ("070101", "W2") not in waiting(root)
    (root / "points.csv").unlink()
    score(root)
    assert doubtful() == ["070102", "070101"]


def test_what_a_marker_may_have_written_is_above_the_key(marked: Path) -> None:
    summary = score(marked)
    found = points(marked)
    assert [found[f"07010{n}", "2"] for n in (1, 2, 3, 4)] == [None, None, Decimal(4), Decimal(2)]
    assert waiting(marked) == [("070101", "P2"), ("070102", "P2")]
    assert (summary.to_review, summary.pending, summary.points_waited_for) == (2, 2, ())
    with open_exam(marked) as opened:
        assert [r.points for r in load_records(opened)] == [found[place] for place in found]


def test_marker_points_in_doubt_count_once_they_are_decided(marked: Path) -> None:
    score(marked)
    decide(marked, P2_1="1.5", P2_2="-")
    summary = score(marked)
    found = points(marked)
    assert (found["070101", "2"], found["070102", "2"]) == (Decimal("1.5"), Decimal(4))
    assert (summary.decisions, summary.to_review, summary.pending) == (2, 0, 0)


def test_points_in_the_file_settle_what_a_marker_wrote_unclearly(marked: Path) -> None:
    (marked / "points.csv").write_text("candidate,item,points\n070101,2,3\n", "utf-8")
    summary = score(marked)
    assert points(marked)["070101", "2"] == Decimal(3)
    assert (waiting(marked), summary.pending) == ([("070102", "P2")], 1)
    with open_exam(marked) as opened:
        assert load_records(opened)[1].points == Decimal(3)


def test_the_picture_of_a_letter_shows_what_is_written_above_its_box(tmp_path: Path) -> None:
    scan = np.full((2376, 1680), 255, np.uint8)
    scan[11:14, 22:28] = 0  # over BOX, in px
    path = tmp_path / "scans" / "070101.png"
    path.parent.mkdir()
    cv2.imwrite(str(path), scan)
    record = page("070101", letter("?", Flag.DOUBTFUL), answer("0.5", seen("0.5")))
    source = replace(record.source, sha256=file_sha256(path))
    assert record.reading is not None
    record = replace(record, source=source, reading=replace(record.reading, source=source))
    score(exam_folder(tmp_path, LAYOUT, [record]))
    sheet = openpyxl.load_workbook(tmp_path / "out" / "review.xlsx")["review"]
    (picture,) = sheet._images
    pixels = np.asarray(Image.open(io.BytesIO(picture._data())))
    assert (pixels == 0).sum() == 18


def test_what_may_not_have_been_written_is_not_stated_where_a_marker_gave_points(
    tmp_path: Path,
) -> None:
    pages = [
        page("070101", letter("B"), answer("0.5", seen("0.5")), of_marker("2", 0.99)),
        page("070102", letter("B"), answer("0.5", seen("0.5", 0.3)), of_marker("4", 0.99)),
        page("070103", letter("B"), answer("3", seen("3")), of_marker("4", 0.99)),
        page("070104", letter("B"), answer("3", seen("3")), of_marker("0", 0.99)),
    ]
    score(exam_folder(tmp_path, MARKED, pages))
    with open_exam(tmp_path) as opened:
        values = [record.value for record in load_records(opened) if record.item == "2"]
    assert values == ["0.5", "", "", "3"]
