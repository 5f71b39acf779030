import datetime as dt
import io
import re
from pathlib import Path

import openpyxl
import pytest
from PIL import Image

from inkmark.errors import FaultyFileError
from inkmark.geometry import Box
from inkmark.layouts import (
    AnchorKind,
    Anchors,
    AreaField,
    BubbleField,
    PageLayout,
    Role,
    SheetLayout,
    WritingField,
)
from inkmark.reports import ReviewDecision, ReviewRow, review_fields, write_review
from inkmark.reports import load_review as load
from inkmark.reports.words import words

CANDIDATES = {f"26000{n}" for n in range(1, 10)}


def bubbles(name, options, *, multiple=False, role=Role.ITEM):
    return BubbleField(
        name, options, (10.0, 10.0), (7.5, 0.0), 5.0, 3.0, multiple=multiple, role=role
    )


LAYOUT = SheetLayout(
    "0" * 8,
    "",
    (
        PageLayout(
            210.0,
            297.0,
            Anchors(AnchorKind.IMAGE),
            (
                *(bubbles(f"Q{n}", tuple("ABCD"), multiple=n == 2) for n in range(1, 6)),
                bubbles("Q6", ("甲", "乙丙"), multiple=True),
                bubbles("Q7", ("√", "×")),
                bubbles("absent", ("absent",), role=Role.ABSENT),
                bubbles("candidate", tuple("0123456789"), role=Role.CANDIDATE),
                WritingField("W8", Box(10.0, 80.0, 60.0, 9.0), role=Role.ITEM),
                WritingField("L9", Box(10.0, 95.0, 9.0, 9.0), charset="ABCD", role=Role.ITEM),
                WritingField("written", Box(10.0, 120.0, 8.0, 9.0), 6, 9.0, role=Role.CANDIDATE),
            ),
        ),
    ),
)


def load_review(path):
    return load(path, LAYOUT, CANDIDATES)


def picture(w=300, h=40):
    buffer = io.BytesIO()
    Image.new("L", (w, h), 200).save(buffer, "PNG")
    return buffer.getvalue()


IMAGE = "0123456789abcdef-0"


def row(number=1, **changes):
    values = {
        "candidate": f"26000{number}",
        "name": f"学生{number}",
        "field": f"Q{number}",
        "item": str(number),
        "value": "B",
        "confidence": 0.61,
        "reason": "涂得不清楚",
        "source": "scans/a.jpg",
        "image": IMAGE,
        "options": tuple("ABCD"),
        "multiple": False,
        "picture": picture(),
    }
    return ReviewRow(**(values | changes))


def decide(path, decisions, key="decision", language="zh"):
    """Type texts into a column of the review workbook, as a person does."""
    book = openpyxl.load_workbook(path)
    sheet = book.active
    column = [cell.value for cell in sheet[1]].index(words(language)[key]) + 1
    for line, text in decisions.items():
        sheet.cell(line, column).value = text
    book.save(path)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_decisions_come_back(language, tmp_path):
    path = tmp_path / "review.xlsx"
    rows = [
        row(1),
        row(2, multiple=True),
        row(3),
        row(4, options=("absent",), field="absent", item=""),
        row(5),
        row(6, options=("甲", "乙丙"), multiple=True),
    ]
    write_review(rows, path, language)
    typed = {2: "c", 3: "D, a", 4: None, 5: "Absent", 6: "-", 7: "乙丙、甲"}
    decide(path, typed, language=language)
    decide(path, {2: "看得清"}, key="note", language=language)
    assert load_review(path) == (
        ReviewDecision("260001", "Q1", "C", "看得清", IMAGE),
        ReviewDecision("260002", "Q2", "AD", "", IMAGE),
        ReviewDecision("260004", "absent", "absent", "", IMAGE),
        ReviewDecision("260005", "Q5", "", "", IMAGE),
        ReviewDecision("260006", "Q6", "甲|乙丙", "", IMAGE),
    )


@pytest.mark.parametrize("blank", ["-", "空", "blank", " BLANK ", "－"])
def test_blank_can_be_decided_in_several_ways(blank, tmp_path):
    path = tmp_path / "review.xlsx"
    write_review([row()], path, "zh")
    decide(path, {2: blank})
    assert [d.value for d in load_review(path)] == [""]


def test_a_double_mark_on_a_single_item_can_be_confirmed(tmp_path):
    path = tmp_path / "review.xlsx"
    write_review([row(1, value="AB")], path, "zh")
    decide(path, {2: "b, A"})
    assert [d.value for d in load_review(path)] == ["AB"]


@pytest.mark.parametrize(("text", "value"), [("对", "√"), ("T", "√"), ("错", "×"), ("错对", "√×")])
def test_true_and_false_are_decided_in_any_word(text, value, tmp_path):
    path = tmp_path / "review.xlsx"
    write_review([row(7, options=("对", "错"), value="")], path, "zh")
    decide(path, {2: text})
    assert [d.value for d in load_review(path)] == [value]


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("W8", " 1 1/2  m ", "1 1/2 m"),
        ("W8", "三分之一", "三分之一"),
        ("W8", "－", ""),
        ("L9", "ｃ", "C"),
        ("L9", "c a", "AC"),
    ],
)
def test_what_is_written_by_hand_is_decided_by_typing_it(field, text, value, tmp_path):
    path = tmp_path / "review.xlsx"
    write_review([row(1, field=field, options=())], path, "en")
    decide(path, {2: text}, language="en")
    assert [(d.field, d.value) for d in load_review(path)] == [(field, value)]


@pytest.mark.parametrize(("field", "value"), [("L9", "E"), ("W8", "x" * 201)])
def test_what_cannot_be_written_in_a_field_is_refused(field, value, tmp_path):
    path = tmp_path / "review.xlsx"
    write_review([row(1, field=field, options=())], path, "en")
    decide(path, {2: value}, language="en")
    with pytest.raises(FaultyFileError):
        load_review(path)


def test_a_fraction_that_excel_took_for_a_date_is_refused(tmp_path):
    path = tmp_path / "review.xlsx"
    write_review([row(1, field="W8", options=())], path, "en")
    decide(path, {2: dt.date(2026, 1, 2)}, language="en")
    with pytest.raises(FaultyFileError, match="made a date of it"):
        load_review(path)


def test_nothing_is_decided_by_an_empty_workbook(tmp_path):
    path = tmp_path / "review.xlsx"
    write_review([row(1), row(2)], path, "en")
    assert load_review(path) == ()


def test_all_faults_are_told_at_once_with_their_places(tmp_path):
    path = tmp_path / "review.xlsx"
    write_review([row(1), row(3), row(5), row(4), row(4)], path, "zh")
    decide(path, {2: "E", 3: "AA", 4: "A", 5: "B", 6: "C"})
    decide(path, {4: None}, key="candidate")
    with pytest.raises(FaultyFileError) as error:
        load_review(path)
    assert [fault.place for fault in error.value.faults] == [
        "review!E2",
        "review!E3",
        "review!E4",
        "review!E6",
    ]


def test_unknown_candidates_and_fields_are_faults_and_only_where_decided(tmp_path):
    path = tmp_path / "review.xlsx"
    rows = [
        row(1, candidate="999999"),
        row(2, field="Q77"),
        row(3, field="candidate", item=""),
        row(4, field="Q8"),
        row(5),
    ]
    write_review(rows, path, "zh")
    decide(path, {2: "A", 3: "A", 4: "1", 6: "A"})
    with pytest.raises(FaultyFileError) as error:
        load_review(path)
    assert [fault.place for fault in error.value.faults] == ["review!A2", "review!L3", "review!L4"]
    assert "999999" in error.value.faults[0].message
    assert "Q77" in error.value.faults[1].message


def test_options_are_those_of_the_sheet_and_not_of_an_edited_workbook(tmp_path):
    path = tmp_path / "review.xlsx"
    write_review([row(1)], path, "zh")
    decide(path, {2: "A / B / Z"}, key="choices")
    decide(path, {2: "Z"})
    with pytest.raises(FaultyFileError, match="E2"):
        load_review(path)


def test_items_and_absent_marks_may_be_decided_and_nothing_else():
    assert set(review_fields(LAYOUT)) == {*(f"Q{n}" for n in range(1, 8)), "absent", "W8", "L9"}


def points_layout():
    box = Box(0, 0, 10, 8)
    fields = (
        WritingField("P5", box, charset="points", role=Role.POINTS, item="5"),
        AreaField("T6", box, Role.POINTS, "6", 4),
        WritingField("total", box, charset="points", role=Role.TOTAL),
    )
    return SheetLayout("v", "t", (PageLayout(210, 297, Anchors(AnchorKind.IMAGE), fields),))


def test_points_of_markers_are_decided_by_a_number(tmp_path):
    layout = points_layout()
    assert set(review_fields(layout)) == {"P5", "T6", "total"}
    path = tmp_path / "review.xlsx"
    rows = [row(field=name, item="", options=()) for name in ("P5", "T6", "total")]
    write_review(rows, path, "zh")
    decide(path, {2: "7.5", 3: "3", 4: "-"})
    assert [d.value for d in load(path, layout, CANDIDATES)] == ["7.5", "3", ""]
    decide(path, {2: "seven", 3: "-1", 4: "3"})
    with pytest.raises(FaultyFileError) as caught:
        load(path, layout, CANDIDATES)
    assert len(caught.value.faults) == 2


def test_the_same_decision_twice_is_no_fault(tmp_path):
    path = tmp_path / "review.xlsx"
    write_review([row(4), row(4)], path, "zh")
    decide(path, {2: "A", 3: "a"})
    assert [d.value for d in load_review(path)] == ["A"]


def test_rows_can_be_sorted_and_columns_moved(tmp_path):
    path = tmp_path / "review.xlsx"
    write_review([row(1), row(2)], path, "zh")
    decide(path, {2: "A", 3: "B"})
    book = openpyxl.load_workbook(path)
    lines = [[cell.value for cell in line] for line in book.active.iter_rows()]
    other = openpyxl.Workbook()
    other.active.title = "review"
    for line in (lines[0], lines[2], lines[1]):
        other.active.append(line[::-1])
    other.save(path)
    found = {(d.candidate, d.value) for d in load_review(path)}
    assert found == {("260001", "A"), ("260002", "B")}


def test_a_workbook_without_the_columns_is_refused(tmp_path):
    path = tmp_path / "review.xlsx"
    openpyxl.Workbook().save(path)
    with pytest.raises(FaultyFileError, match="Decision"):
        load_review(path)
    path.write_bytes(b"no workbook")
    with pytest.raises(FaultyFileError):
        load_review(path)


def test_what_a_person_sees(tmp_path):
    path = tmp_path / "review.xlsx"
    rows = [row(1, name="=1+1"), row(2, multiple=True), row(3, picture=b"")]
    write_review(rows, path, "en")
    sheet = openpyxl.load_workbook(path).active
    header = [cell.value for cell in sheet[1]]
    assert header[:5] == ["Candidate", "Name", "Item", "Picture", "Decision"]
    assert sheet["B2"].data_type == "s"
    assert len(sheet._images) == 2
    for image in sheet._images:
        extent = image.anchor.ext  # in EMU, 9525 a pixel
        assert (extent.width / 9525, extent.height / 9525) == (270, 36)
    assert sheet.row_dimensions[2].height >= 30
    (check,) = sheet.data_validations.dataValidation
    assert check.formula1 == '"A,B,C,D,-"'
    assert "E2" in check.sqref
    assert "E3" not in check.sqref
    assert check.errorStyle == "warning", "a double mark may be confirmed"
    assert sheet["E2"].number_format == "@"


def test_equal_rows_give_equal_bytes(tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        write_review([row(1), row(2)], tmp_path / name, "zh")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_every_column_is_documented_in_both_languages(tmp_path):
    page = Path(__file__).parents[2] / "docs" / "formats" / "review.md"
    documented = re.findall(r"^\| (.+?) \| (.+?) \|", page.read_text("utf-8"), re.MULTILINE)
    header = {}
    for language in ("en", "zh"):
        write_review([], tmp_path / "r.xlsx", language)
        sheet = openpyxl.load_workbook(tmp_path / "r.xlsx").active
        header[language] = [cell.value for cell in sheet[1]]
    assert documented[1:] == list(zip(header["en"], header["zh"], strict=True))
