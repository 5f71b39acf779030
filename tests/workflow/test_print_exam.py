"""Printing the sheets of an exam again: what is kept, refused and removed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pytest

from inkmark.errors import LayoutError
from inkmark.exam import Exam, ExamFolder, load_exam, save_exam
from inkmark.images import open_scan
from inkmark.layouts import (
    AnswerForm,
    BoxFrame,
    BubbleField,
    BubbleShape,
    FullBox,
    NumberForm,
    Role,
    load_layout,
)
from inkmark.readings import SheetReading
from inkmark.session import read_page
from inkmark.session.pages import page_code
from inkmark.simulator import MarkStyle, encode_scan, fill_sheet, render_pages
from inkmark.workflow import create_exam, print_exam


def printed_text(path: Path) -> str:
    """The text of a PDF file's first page, without line breaks."""
    with pdfium.PdfDocument(path) as document:
        text = document[0].get_textpage().get_text_bounded()
    return " ".join(text.split())


@pytest.fixture
def folder(tmp_path: Path) -> ExamFolder:
    return create_exam(tmp_path / "exam", language="en")


def shortened(exam: Exam) -> Exam:
    return replace(exam, items=exam.items[:-1])


def test_what_is_not_asked_for_stays_as_it_was(folder: ExamFolder) -> None:
    first = print_exam(folder.root, paper="A3", sides=2, bubble_style=BubbleShape.RECTANGLE)
    before = folder.layout.read_bytes()
    blank = print_exam(folder.root, blank=3)
    assert blank.version == first.version
    assert [path.name for path in blank.files] == ["blank.pdf"]
    assert print_exam(folder.root, sides=2).version == first.version
    assert print_exam(folder.root, marker_boxes=False).version == first.version
    assert print_exam(folder.root, paper="A3", columns=3).removed == ()
    assert folder.layout.read_bytes() == before
    assert all(path.is_file() for path in (*first.files, *blank.files))


@pytest.mark.parametrize(("n", "more", "numbered"), [(3, 0, True), (1, 0, False), (1, 90, True)])
def test_blank_sheets_bear_serial_numbers_unless_one_is_to_be_copied(
    folder: ExamFolder, n: int, more: int, numbered: bool
) -> None:
    exam = load_exam(folder.root)
    added = [replace(exam.items[0], number=f"X{k}") for k in range(more)]
    save_exam(replace(exam, items=(*exam.items, *added)), folder.workbook)
    (path,) = print_exam(folder.root, blank=n).files
    layout = load_layout(folder.layout)
    n_pages = len(layout.pages)
    assert (n_pages > 1) == (more > 0)
    scans = folder.root / "page.png"
    codes = []
    for pixels in render_pages(path, 200.0):
        encode_scan(pixels, scans, 200.0)
        with open_scan(scans) as opened:
            reading = read_page(opened.load(0), layout)
        assert isinstance(reading, SheetReading)
        codes.append(page_code(layout.pages[reading.page_number], reading.codes))
    serials = [code.serial for code in codes if code is not None]
    assert len(serials) == n * n_pages
    assert len(set(serials)) == n
    assert all(serials) == numbered


def test_sheets_to_be_written_on_stay_so(folder: ExamFolder) -> None:
    first = print_exam(
        folder.root,
        number=NumberForm.BOXES,
        answers=AnswerForm.LETTERS,
        frame=BoxFrame.DROPOUT,
        marker_boxes=True,
    )
    assert print_exam(folder.root).version == first.version
    assert print_exam(folder.root, paper="A3", rebuild=True).version != first.version
    fields = load_layout(folder.layout).fields()
    assert {f.role for f in fields} >= {Role.CANDIDATE, Role.POINTS, Role.TOTAL}
    assert not any(isinstance(f, BubbleField) and f.role is Role.CANDIDATE for f in fields)
    with pytest.raises(LayoutError, match="has boxes for markers"):
        print_exam(folder.root, marker_boxes=False)


def test_a_change_that_moves_nothing_keeps_the_layout(folder: ExamFolder) -> None:
    print_exam(folder.root)
    before = folder.layout.read_bytes()
    exam = load_exam(folder.root)
    items = tuple(replace(item, points=item.points + Decimal(1)) for item in exam.items)
    save_exam(replace(exam, title="Another title", items=items), folder.workbook)
    print_exam(folder.root)
    assert folder.layout.read_bytes() == before


def test_a_refusal_says_what_differs_and_changes_nothing(folder: ExamFolder) -> None:
    print_exam(folder.root)
    before = {path: path.read_bytes() for path in folder.root.rglob("*") if path.is_file()}
    with pytest.raises(LayoutError, match=r"its paper is A4, not A3.*undo that.*--rebuild"):
        print_exam(folder.root, paper="A3")
    after = {path: path.read_bytes() for path in folder.root.rglob("*") if path.is_file()}
    assert after == before
    exam = load_exam(folder.root)
    save_exam(shortened(exam), folder.workbook)
    number = exam.items[-1].number
    with pytest.raises(LayoutError, match=f"item {number} is on the sheets, not in the exam"):
        print_exam(folder.root)


def test_rebuilding_keeps_the_form_and_removes_the_old_files(folder: ExamFolder) -> None:
    first = print_exam(folder.root, paper="A3", columns=2)
    blank = print_exam(folder.root, blank=2)
    own = folder.sheets / "seating plan.pdf"
    own.write_bytes(b"%PDF-1.4 of the school")
    save_exam(shortened(load_exam(folder.root)), folder.workbook)
    again = print_exam(folder.root, rebuild=True)
    assert again.version != first.version
    assert set(again.removed) == {*first.files, *blank.files}
    assert set(folder.sheets.iterdir()) == {*again.files, own}
    (page,) = load_layout(folder.layout).pages
    assert (page.width_mm, len(page.columns)) == (420.0, 2)


def test_rebuilding_what_comes_out_the_same_removes_nothing(folder: ExamFolder) -> None:
    print_exam(folder.root, blank=2)
    again = print_exam(folder.root, rebuild=True)
    assert again.removed == ()
    assert (folder.sheets / "blank.pdf").is_file()


def test_columns_are_those_of_the_paper(folder: ExamFolder) -> None:
    print_exam(folder.root, paper="A3", columns=2)
    print_exam(folder.root, paper="A4", rebuild=True)
    assert len(load_layout(folder.layout).pages[0].columns) == 1


def test_a_damaged_layout_can_be_replaced_only_by_rebuilding(folder: ExamFolder) -> None:
    folder.layout.write_text("{}")
    with pytest.raises(LayoutError):
        print_exam(folder.root)
    print_exam(folder.root, rebuild=True)
    assert load_layout(folder.layout).pages


def test_an_exam_without_a_roster_leaves_nothing_behind(folder: ExamFolder) -> None:
    save_exam(replace(load_exam(folder.root), candidates=()), folder.workbook)
    with pytest.raises(LayoutError, match="--blank"):
        print_exam(folder.root)
    assert not folder.layout.exists()
    assert not folder.sheets.exists()


@pytest.mark.parametrize(
    ("language", "instruction"), [("en", "take a cross back, fill"), ("zh", "取消时把该项填满涂黑")]
)
def test_sheets_to_be_crossed_say_so_and_are_read_so(
    tmp_path: Path, language: str, instruction: str
) -> None:
    folder = create_exam(tmp_path / "exam", language=language)
    (path,) = print_exam(folder.root, full_box=FullBox.CANCELLED, blank=1).files
    assert instruction in printed_text(path)
    layout = load_layout(folder.layout)
    page = layout.pages[0]
    items = [f for f in page.fields if isinstance(f, BubbleField) and f.role is Role.ITEM]
    assert {field.full_box for field in items} == {FullBox.CANCELLED}
    assert not any(
        f.full_box is FullBox.CANCELLED
        for f in page.fields
        if isinstance(f, BubbleField) and f.role is not Role.ITEM
    )
    one, two, three = (field for field in items[:3])
    rng = np.random.default_rng(5)
    marks = {
        (one.name, 0): [(0, MarkStyle.CROSS)],
        (two.name, 0): [(0, MarkStyle.FILL), (2, MarkStyle.CROSS)],
        (three.name, 0): [(1, MarkStyle.FILL)],
    }
    (pixels,) = render_pages(path, 200, [0])
    scan = tmp_path / "scan.png"
    encode_scan(fill_sheet(pixels, page, marks, 200, rng), scan, 200.0)
    with open_scan(scan) as opened:
        reading = read_page(opened.load(0), layout)
    assert isinstance(reading, SheetReading)
    values = {field.field: field.value for field in reading.fields}
    read = [values[field.name] for field in (one, two, three)]
    assert read == [one.options[0], two.options[2], ""]
    assert print_exam(folder.root, blank=1).version == layout.version  # what is not given stays
