"""Handwritten answers from stored readings to scores, and those that wait for a person."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from inkmark.ctc import Choices, join_opinions
from inkmark.exam import Exam, ExamFolder, Item, ItemType, save_exam
from inkmark.exam.example import example_exam
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


def page(candidate: str, letter: FieldReading, answer: FieldReading) -> PageRecord:
    source = PageSource(f"scans/{candidate}.png", 0, f"{candidate:0>64}")
    reading = SheetReading(source, 1680, 2376, 203.2, 0, PLACE, (letter, answer), ())
    return PageRecord(source, None, "", candidate, 0, reading, layout_version=LAYOUT.version)


def letter(value: str, flag: Flag = Flag.OK) -> FieldReading:
    return FieldReading("L1", value, 0.99, flag, (), BOX, (((value or "", 1.0),),))


def answer(value: str, choices: Choices = (), flag: Flag = Flag.OK) -> FieldReading:
    return FieldReading("W2", value, 0.9, flag, (), Box(160, 320, 400, 72), choices)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = ExamFolder(tmp_path)
    save_exam(EXAM, folder.workbook)
    save_layout(LAYOUT, folder.layout)
    pages = [
        page("070101", letter("B"), answer("1/2", seen("1/2"))),
        page("070102", letter("?", Flag.DOUBTFUL), answer("3", seen("3"), Flag.DOUBTFUL)),
        page("070103", letter("A"), answer("0.5", seen("0.5", 0.3))),
        page("070104", letter(""), answer("?", flag=Flag.DOUBTFUL)),
    ]
    with ExamStore.open(folder.database, EXAM.id) as store:
        store.put_exam(EXAM)
        facts = Facts(LAYOUT.version, {0: {}}, None)
        store.add_pages(map(page_rows, pages), facts)
    return tmp_path


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
