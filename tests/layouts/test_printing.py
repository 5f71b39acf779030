from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pytest
import zxingcpp
from invented_exams import invented_exam, mixed_exam
from rendered_sheets import PX_PER_MM, WRITTEN, Pixels, crop, printed, text_of

from inkmark.errors import LayoutError
from inkmark.exam import Candidate, Item, ItemType
from inkmark.geometry import Box
from inkmark.layouts import (
    AreaField,
    BubbleField,
    BubbleShape,
    PageLayout,
    SheetCode,
    SheetOptions,
    WritingField,
    build_layout,
    print_sheets,
)


def bubble_boxes(page: PageLayout) -> Iterator[tuple[BubbleField, Box]]:
    for field in page.fields:
        if isinstance(field, BubbleField):
            w, h = field.bubble_w, field.bubble_h
            for x, y in field.centres().tolist():
                yield field, Box(x - w / 2, y - h / 2, w, h)


def assert_printed_as_laid_out(page: PageLayout, pixels: Pixels) -> None:
    assert pixels.shape[1] == pytest.approx(page.width_mm * PX_PER_MM, abs=1.5)
    assert pixels.shape[0] == pytest.approx(page.height_mm * PX_PER_MM, abs=1.5)
    anchors = page.anchors
    assert anchors.key_mark is not None
    for mark in (*anchors.squares, *anchors.timing, anchors.key_mark):
        assert crop(pixels, mark.grown(-0.2)).max() < 40
        ring = crop(pixels, mark.grown(0.8)).copy()
        depth = round(0.6 * PX_PER_MM)
        ring[depth:-depth, depth:-depth] = 255
        assert ring.min() > 215
    for field, box in bubble_boxes(page):
        # White around, an outline on the box, and a light letter inside.
        outside = crop(pixels, box.grown(0.6)).astype(float)
        outside[3:-3, 3:-3] = 255
        assert outside.min() > 215, field.name
        for side in (
            Box(box.x - 0.2, box.y + box.h / 2 - 0.2, 0.4, 0.4),
            Box(box.right - 0.2, box.y + box.h / 2 - 0.2, 0.4, 0.4),
            Box(box.x + box.w / 2 - 0.2, box.y - 0.2, 0.4, 0.4),
            Box(box.x + box.w / 2 - 0.2, box.bottom - 0.2, 0.4, 0.4),
        ):
            assert crop(pixels, side).min() < 190, field.name
        inside = crop(pixels, Box(box.x + 0.9, box.y + 0.5, box.w - 1.8, box.h - 1.0))
        assert inside.mean() > 205, field.name
        assert inside.min() > 100, field.name
        if field.name != "absent":
            assert inside.min() < 200, field.name


def code_in(pixels: Pixels, box: Box) -> str:
    """The text of the code; its corners are within half a millimetre of the box."""
    around = box.grown(3.2)
    found = zxingcpp.read_barcodes(crop(pixels, around), formats=zxingcpp.BarcodeFormat.QRCode)
    assert len(found) == 1
    corners = found[0].position
    for point, (x, y) in zip(
        (corners.top_left, corners.top_right, corners.bottom_right, corners.bottom_left),
        box.corners().tolist(),
        strict=True,
    ):
        assert point.x / PX_PER_MM + around.x == pytest.approx(x, abs=0.5)
        assert point.y / PX_PER_MM + around.y == pytest.approx(y, abs=0.5)
    return str(found[0].text)


@pytest.mark.parametrize("paper", ["A4", "A3"])
@pytest.mark.parametrize("columns", [None, 3])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_everything_stands_where_the_layout_says(
    tmp_path: Path, paper: str, columns: int | None, language: str
) -> None:
    shape = BubbleShape.OVAL if columns is None else BubbleShape.RECTANGLE
    options = SheetOptions(paper, 1 if paper == "A3" else 2, columns, shape)
    layout, pages = printed(tmp_path, mixed_exam(language), options)
    assert len(pages) == len(layout.pages)
    for index, (page, pixels) in enumerate(zip(layout.pages, pages, strict=True)):
        assert_printed_as_laid_out(page, pixels)
        code = next(f for f in page.fields if f.name == "page")
        expected = SheetCode("DEMO-2025", "", index, layout.version)
        assert SheetCode.parse(code_in(pixels, code.box)) == expected


def test_each_candidate_has_a_sheet(tmp_path: Path) -> None:
    exam = mixed_exam()
    layout, pages = printed(tmp_path, exam, SheetOptions(), named=True)
    assert len(layout.pages) > 1
    assert len(pages) == len(exam.candidates) * len(layout.pages)
    copies = itertools.product(exam.candidates, enumerate(layout.pages))
    for (candidate, (index, page)), pixels in zip(copies, pages, strict=True):
        code = next(f for f in page.fields if f.name == "page")
        assert SheetCode.parse(code_in(pixels, code.box)) == SheetCode(
            exam.id, candidate.number, index, layout.version
        )


def test_name_class_and_number_stand_in_their_boxes(tmp_path: Path) -> None:
    exam = mixed_exam()
    layout = build_layout(exam)
    path = tmp_path / "sheets.pdf"
    print_sheets(layout, exam, path, exam.candidates)
    first = layout.pages[0]
    name = next(f for f in first.fields if f.name == "name").box
    below = Box(name.x, name.bottom + 1.0, name.w, name.h + 2.0)
    written = next(f for f in first.fields if f.name == "candidate_written")
    assert isinstance(written, WritingField)
    for number, candidate in enumerate(exam.candidates):
        page = number * len(layout.pages)
        assert text_of(path, page, name, first) == candidate.name
        assert candidate.class_name in text_of(path, page, below, first)
        box = written.box
        row = Box(box.x, box.y, box.w * written.n_boxes, box.h)
        assert "".join(text_of(path, page, row, first).split()) == candidate.number
        head = text_of(path, page + 1, Box(17.0, 28.0, 140.0, 8.0), layout.pages[1])
        assert candidate.name in head
        assert candidate.number in head


@pytest.mark.parametrize("options", [SheetOptions(), SheetOptions("A3"), SheetOptions(columns=3)])
@pytest.mark.parametrize(
    ("school", "class_name"),
    [
        ("市第一中学", "八（12）班"),
        ("某某市某某区第一实验中学高中部新校区", "高一（12）班"),
        ("St Mary's Roman Catholic Comprehensive School for Girls", "Year 10, set 12"),
        ("市第一中学", "二〇二六届高中一年级（12）班"),
    ],
)
def test_the_class_is_whole_whatever_the_school_is_called(
    tmp_path: Path, options: SheetOptions, school: str, class_name: str
) -> None:
    people = [Candidate("20250101", "张小明", class_name, school)]
    exam = invented_exam([(ItemType.SINGLE, 20)], candidates=people)
    layout = build_layout(exam, options)
    path = tmp_path / "sheets.pdf"
    print_sheets(layout, exam, path, people)
    first = layout.pages[0]
    name = next(f for f in first.fields if f.name == "name").box
    below = Box(name.x, name.bottom + 1.0, name.w, name.h + 2.0)
    text = "".join(text_of(path, 0, below, first).split())
    assert text.startswith("".join(class_name.split()))
    assert "".join(school.split())[:4] in text


def text_boxes(path: Path, page_index: int) -> list[tuple[float, float, float, float]]:
    """Left, bottom, right and top of each piece of text with ink, in points."""
    document = pdfium.PdfDocument(path)
    try:
        found = [
            item.get_bounds()
            for item in document[page_index].get_objects(max_depth=5)
            if item.type == pdfium.raw.FPDF_PAGEOBJ_TEXT
        ]
    finally:
        document.close()
    return [box for box in found if box[2] > box[0] and box[3] > box[1]]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("paper", ["A4", "A3"])
@pytest.mark.parametrize("columns", [1, 2, 3])
@pytest.mark.parametrize("is_written", [False, True])
def test_no_text_lies_over_other_text(
    tmp_path: Path, language: str, paper: str, columns: int, *, is_written: bool
) -> None:
    exam = mixed_exam(language)
    form = WRITTEN[0] if is_written else SheetOptions()
    layout = build_layout(exam, replace(form, paper=paper, columns=columns))
    path = tmp_path / "sheets.pdf"
    print_sheets(layout, exam, path, exam.candidates[1:2])
    for index in range(len(layout.pages)):
        boxes = np.array(text_boxes(path, index))
        assert len(boxes) > 3
        low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
        high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
        meet = np.triu((high - low > 0.2).all(axis=2), k=1)
        assert not meet.any(), boxes[np.argwhere(meet)[0]] if meet.any() else None


def test_narrow_columns_keep_the_total_of_the_points(tmp_path: Path) -> None:
    exam = mixed_exam("en")
    path = tmp_path / "sheets.pdf"
    for columns, words in ((1, "points: 4 each, 88 in total"), (3, "points: 88")):
        layout = build_layout(exam, SheetOptions(columns=columns))
        print_sheets(layout, exam, path)
        page = layout.pages[0]
        column = page.columns[0]
        heading = Box(column.x, column.y, column.w, 7.0)
        assert " ".join(text_of(path, 0, heading, page).split()) == f"Part 1: Single choice {words}"


def ink_outside(pixels: Pixels, page: PageLayout) -> int:
    """Dark pixels in the unprintable edge."""
    edge = pixels.copy()
    depth = round(6.0 * PX_PER_MM)
    edge[depth:-depth, depth:-depth] = 255
    return int((edge < 200).sum())


LONG = {
    "zh": "某某市某某区二〇二五至二〇二六学年度第一学期高中一年级期中学业质量联合检测与综合评价"
    * 2,
    "en": "Joint Autumn Assessment of Attainment and Progress for All Schools of the District " * 3,
}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "options", [SheetOptions(), SheetOptions(columns=3), SheetOptions("A3"), *WRITTEN]
)
def test_long_titles_and_names_touch_nothing(
    tmp_path: Path, language: str, options: SheetOptions
) -> None:
    person = Candidate("20250101", LONG[language], LONG[language], LONG[language])
    kinds = [(kind, 6) for kind in ItemType]
    exam = replace(
        invented_exam(kinds, language=language, title=LONG[language], candidates=[person]),
        subject=LONG[language],
        grade=LONG[language],
    )
    layout, pages = printed(tmp_path, exam, options, named=True)
    for page, pixels in zip(layout.pages, pages, strict=True):
        assert_printed_as_laid_out(page, pixels)
        assert ink_outside(pixels, page) == 0
        code = next(f for f in page.fields if f.name == "page").box
        code_in(pixels, code)
        around = crop(pixels, code.grown(3.0)).copy()
        inner = round(2.8 * PX_PER_MM)
        around[inner:-inner, inner:-inner] = 255
        assert around.min() > 215
        name = next((f.box for f in page.fields if f.name == "name"), None)
        if name is not None:
            # The name stays inside its frame: white along the inside and the outside of it.
            for edge in (name.grown(0.8), name.grown(-0.5)):
                right = Box(edge.right - 0.2, name.y + 0.5, 0.2, name.h - 1.0)
                assert crop(pixels, right).min() > 215


def test_answer_boxes_are_framed_and_empty(tmp_path: Path) -> None:
    layout, pages = printed(tmp_path, mixed_exam(), SheetOptions())
    seen = 0
    for page, pixels in zip(layout.pages, pages, strict=True):
        for field in page.fields:
            if isinstance(field, AreaField) and field.item:
                # Number and points stand in the first lines.
                inside = Box(
                    field.box.x + 0.5, field.box.y + 8.0, field.box.w - 1.0, field.box.h - 8.5
                )
            elif isinstance(field, WritingField) and field.item:
                inside = field.box.grown(-0.5)
            else:
                continue
            seen += 1
            assert crop(pixels, inside).min() == 255
            bottom = Box(field.box.x + 1, field.box.bottom - 0.2, field.box.w - 2, 0.4)
            assert crop(pixels, bottom).min(axis=0).max() < 190
    assert seen == 8


def test_printed_labels_of_true_and_false_follow_the_language(tmp_path: Path) -> None:
    for language, labels in (("zh", "对错"), ("en", "TF")):
        exam = invented_exam([(ItemType.TRUE_FALSE, 1)], language=language)
        layout = build_layout(exam)
        field = next(f for f in layout.fields() if f.name == "Q1")
        assert isinstance(field, BubbleField)
        assert field.options == ("T", "F")
        path = tmp_path / f"{language}.pdf"
        print_sheets(layout, exam, path)
        text = text_of(path, 0, field.box.grown(0.5), layout.pages[0])
        assert "".join(text.split()) == labels


def test_headings_state_the_points_once_a_section(tmp_path: Path) -> None:
    exam = invented_exam([(ItemType.SINGLE, 300), (ItemType.SUBJECTIVE, 2)], points=Decimal("1.50"))
    layout = build_layout(exam)
    path = tmp_path / "sheets.pdf"
    print_sheets(layout, exam, path)
    everywhere = "".join(
        text_of(path, i, Box(0.0, 0.0, p.width_mm, p.height_mm), p)
        for i, p in enumerate(layout.pages)
    )
    assert everywhere.count("一、单项选择题") == 1
    assert "每题 1.5 分，共 450 分" in everywhere
    assert everywhere.count("二、解答题") == 1


def test_the_pdf_is_reproducible_and_names_nobody_in_its_metadata(tmp_path: Path) -> None:
    exam = mixed_exam()
    layout = build_layout(exam)
    files = [tmp_path / "a.pdf", tmp_path / "b.pdf"]
    for path in files:
        print_sheets(layout, exam, path, exam.candidates)
    assert files[0].read_bytes() == files[1].read_bytes()
    document = pdfium.PdfDocument(files[0])
    try:
        metadata = document.get_metadata_dict()
    finally:
        document.close()
    assert metadata["Title"] == exam.title
    for candidate in exam.candidates:
        assert not any(
            candidate.name in value or candidate.number in value for value in metadata.values()
        )


def test_fonts_are_embedded(tmp_path: Path) -> None:
    exam = mixed_exam("en")
    path = tmp_path / "sheets.pdf"
    print_sheets(build_layout(exam), exam, path)
    data = path.read_bytes()
    assert data.count(b"/FontFile2") >= 2
    # No page text is set in a standard font, which a printer would replace.
    document = pdfium.PdfDocument(path)
    try:
        embedded = [
            pdfium.raw.FPDFFont_GetIsEmbedded(pdfium.raw.FPDFTextObj_GetFont(item))
            for page in document
            for item in page.get_objects(max_depth=5)
            if item.type == pdfium.raw.FPDF_PAGEOBJ_TEXT
        ]
        assert len(embedded) > 100
        assert set(embedded) == {1}
    finally:
        document.close()


def test_a_layout_of_another_exam_is_refused(tmp_path: Path) -> None:
    layout = build_layout(invented_exam([(ItemType.SINGLE, 10)]))
    others = [
        invented_exam([(ItemType.SINGLE, 11)]),
        invented_exam([(ItemType.SINGLE, 10)], options="ABC"),
        invented_exam([(ItemType.SUBJECTIVE, 10)]),
    ]
    for other in others:
        with pytest.raises(LayoutError, match="are not those of exam DEMO-2025"):
            print_sheets(layout, other, tmp_path / "sheets.pdf")
    assert list(tmp_path.iterdir()) == []


def test_a_layout_not_built_by_inkmark_is_refused(tmp_path: Path) -> None:
    exam = invented_exam([(ItemType.SINGLE, 3)])
    layout = build_layout(exam)
    page = layout.pages[0]
    bare = replace(layout, pages=(replace(page, columns=()),))
    nameless = replace(
        layout, pages=(replace(page, fields=tuple(f for f in page.fields if f.name != "name")),)
    )
    moved = replace(layout, pages=(replace(page, columns=(Box(17.0, 250.0, 176.0, 20.0),)),))
    for strange, words in (
        (bare, "not built by inkmark"),
        (nameless, "no field 'name'"),
        (moved, "outside the columns"),
    ):
        with pytest.raises(LayoutError, match=words):
            print_sheets(strange, exam, tmp_path / "sheets.pdf")
    assert list(tmp_path.iterdir()) == []


def test_candidates_that_cannot_be_printed_are_refused(tmp_path: Path) -> None:
    exam = invented_exam([(ItemType.SINGLE, 3)])
    layout = build_layout(exam, SheetOptions(candidate_digits=4))
    with pytest.raises(LayoutError, match="no candidates"):
        print_sheets(layout, exam, tmp_path / "sheets.pdf", [])
    with pytest.raises(LayoutError, match="more than the 4 digits"):
        print_sheets(layout, exam, tmp_path / "sheets.pdf", [Candidate("12345")])
    assert list(tmp_path.iterdir()) == []


def test_the_label_of_a_long_item_number_stays_left_of_its_bubbles(tmp_path: Path) -> None:
    items = tuple(
        Item(f"{n}({k})", ItemType.SINGLE, tuple("ABCD"), ("A",), Decimal(1))
        for n in (21, 22)
        for k in range(1, 7)
    )
    exam = replace(invented_exam([(ItemType.SINGLE, 1)]), items=items)
    layout, pages = printed(tmp_path, exam, SheetOptions())
    assert_printed_as_laid_out(layout.pages[0], pages[0])


def test_importing_the_room_loads_no_reportlab() -> None:
    code = "import sys, inkmark.layouts; sys.exit('reportlab' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
