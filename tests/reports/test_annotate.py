"""Annotated pages: marks at their items whichever way the page was scanned."""

import io
from dataclasses import replace

import numpy as np
import pypdfium2
import pytest
from PIL import Image
from sample_results import make_results

from inkmark.errors import ImageError
from inkmark.geometry import Box
from inkmark.layouts import (
    AnswerForm,
    AreaField,
    BubbleField,
    Role,
    SheetOptions,
    WritingField,
    build_layout,
)
from inkmark.readings import PageSource, Registration, SheetReading
from inkmark.reports import ScannedPage, write_annotated_pages
from inkmark.reports.model import Outcome
from inkmark.reports.words import words

DPI = 60
PX_PER_MM = DPI / 25.4


@pytest.fixture(scope="module")
def results():
    return make_results(m=20)


@pytest.fixture(scope="module")
def layout(results):
    return build_layout(results.exam)


def scanned(page, turn_deg, *, candidate, kind="PNG", content=None):
    """A blank page, dark in its top left corner, turned clockwise by `turn_deg`."""
    width, height = round(page.width_mm * PX_PER_MM), round(page.height_mm * PX_PER_MM)
    upright = np.full((height, width), 255, np.uint8)
    upright[: height // 8, : width // 8] = 0
    turned = np.rot90(upright, -turn_deg // 90)
    to_px = np.array([[PX_PER_MM, 0, -0.5], [0, PX_PER_MM, -0.5], [0, 0, 1]])
    turn = {
        0: np.eye(3),
        90: np.array([[0, -1, height - 1], [1, 0, 0], [0, 0, 1]]),
        180: np.array([[-1, 0, width - 1], [0, -1, height - 1], [0, 0, 1]]),
        270: np.array([[0, 1, 0], [-1, 0, width - 1], [0, 0, 1]]),
    }[turn_deg]
    homography = tuple((turn @ to_px).ravel().tolist())
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(turned)).save(buffer, kind)
    reading = SheetReading(
        source=PageSource("scans/a.png", 0, "00"),
        width_px=turned.shape[1],
        height_px=turned.shape[0],
        dpi=DPI,
        page_number=0,
        registration=Registration(turn_deg, homography, 0.05, 4, 4),
        fields=(),
        codes=(),
    )
    picture = buffer.getvalue() if content is None else content
    return ScannedPage(candidate, reading, lambda: picture)


def rendered(path):
    """The text of the first page, and the page as (height, width, 3) uint8."""
    document = pypdfium2.PdfDocument(path)
    page = document[0]
    text = page.get_textpage()
    words_on_it = " ".join(text.get_text_bounded().split())
    pixels = np.asarray(page.render(scale=2).to_pil().convert("RGB"))
    size = page.get_size()
    text.close()
    page.close()
    document.close()
    return words_on_it, pixels, size


def is_red(pixels):
    red = pixels.astype(int)
    return (red[..., 0] > 150) & (red[..., 1] < 110) & (red[..., 2] < 110)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("turn_deg", [0, 90, 180, 270])
def test_the_page_is_put_upright_and_marks_stand_at_their_items(
    results, layout, turn_deg, kind, tmp_path
):
    report = results.report()
    student = next(s for s in report.students if s.score is not None)
    page = layout.pages[0]
    path = tmp_path / "p.pdf"
    one = scanned(page, turn_deg, candidate=student.candidate, kind=kind)
    write_annotated_pages(report, layout, [one], path)
    text, pixels, size = rendered(path)
    height, width = pixels.shape[:2]
    assert size[0] == pytest.approx(page.width_mm / 25.4 * 72, abs=1.5)
    assert size[1] == pytest.approx(page.height_mm / 25.4 * 72, abs=1.5)
    # The dark corner is at the top left again, and nowhere else.
    assert pixels[height // 16, width // 16].max() < 60
    for y, x in ((0.94, 0.06), (0.06, 0.94), (0.94, 0.94)):
        assert pixels[int(height * y), int(width * x)].min() > 200
    assert f"{words('zh')['total']} {student.score} / {report.head.full}" in text
    px_per_mm = width / page.width_mm
    red = is_red(pixels)
    items = {item.number: item for item in student.items}
    fields = [f for f in page.fields if isinstance(f, BubbleField) and f.item]
    assert len(fields) > 10
    for field in fields:
        item = items[field.item]
        box = field.box
        beside = red[
            int(box.y * px_per_mm) : int(box.bottom * px_per_mm),
            int(box.right * px_per_mm) : int((box.right + 5) * px_per_mm),
        ]
        assert beside.any(), field.item
        for option, (x, y) in zip(field.options, field.centres(), strict=True):
            reach = field.bubble_w / 2 + 0.5
            ring = red[
                int((y - 0.4) * px_per_mm) : int((y + 0.4) * px_per_mm) + 1,
                int((x - reach - 0.3) * px_per_mm) : int((x - reach + 0.3) * px_per_mm) + 1,
            ]
            expected = option in item.keyed and item.outcome is not Outcome.FULL
            assert ring.any() == expected, (field.item, option)


def test_marks_stay_inside_the_frame_around_the_items(tmp_path):
    """Also points with decimals, in columns that leave little room beside the bubbles."""
    results = make_results(m=40, negative=True)
    layout, report = build_layout(results.exam, SheetOptions(columns=3)), results.report()
    page = layout.pages[0]
    tight = {
        f.item: column
        for f in page.fields
        for column in page.columns
        if isinstance(f, BubbleField) and f.item and 0 < column.right - f.box.right < 6
    }
    students = [
        s
        for s in report.students
        if any(i.number in tight and i.points is not None and i.points % 1 for i in s.items)
    ]
    assert len(students) > 3
    path = tmp_path / "p.pdf"
    for student in students[:4]:
        write_annotated_pages(report, layout, [scanned(page, 0, candidate=student.candidate)], path)
        _, pixels, _ = rendered(path)
        px_per_mm = pixels.shape[1] / page.width_mm
        red = is_red(pixels)
        for f in page.fields:
            if isinstance(f, BubbleField) and f.item in tight:
                right = tight[f.item].right
                rows = slice(
                    int((f.box.y - 1.4) * px_per_mm), int((f.box.bottom + 1.4) * px_per_mm)
                )
                at = [int(x * px_per_mm) for x in (f.box.right, right - 0.4, right + 3)]
                assert red[rows, at[0] : at[1]].any(), f.item
                assert not red[rows, at[1] : at[2]].any(), f.item


def red_in(pixels, page, box):
    """Whether anything red is in a box of an upright page, in mm."""
    scale = pixels.shape[1] / page.width_mm
    x0, y0, x1, y1 = (round(mm * scale) for mm in (box.x, box.y, box.right, box.bottom))
    return is_red(pixels[y0:y1, x0:x1]).any()


def by_hand():
    """Sheets on which letters, answers and points are written."""
    results = make_results(m=20)
    options = SheetOptions(answers=AnswerForm.LETTERS, marker_boxes=True)
    return results.report(), build_layout(results.exam, options)


def annotated(report, layout, number, tmp_path):
    """The pages of that number of some candidates."""
    for student in [s for s in report.students if s.score is not None][:5]:
        page = scanned(layout.pages[number], 0, candidate=student.candidate)
        page = replace(page, reading=replace(page.reading, page_number=number))
        path = tmp_path / f"{student.candidate}.pdf"
        write_annotated_pages(report, layout, [page], path)
        yield student, rendered(path)[1]


def test_marks_of_letters_stand_below_their_boxes_and_cover_no_number(tmp_path):
    report, layout = by_hand()
    page = layout.pages[0]
    boxes = [f for f in page.fields if isinstance(f, WritingField) and f.name[0] == "Q"]
    assert len(boxes) > 10
    for _, pixels in annotated(report, layout, 0, tmp_path):
        for field in boxes:
            box = field.box
            assert red_in(pixels, page, Box(box.x, box.bottom + 0.1, box.w, 2.5)), field.item
            assert not red_in(pixels, page, box.grown(-0.1)), field.item
            label = Box(box.x - 7.6, box.y, 7.5, box.h)
            assert not red_in(pixels, page, label), field.item


def test_marks_of_answers_leave_the_left_half_of_the_box_to_them(tmp_path):
    report, layout = by_hand()
    found = 0
    for number, page in enumerate(layout.pages):
        for student, pixels in annotated(report, layout, number, tmp_path):
            items = {item.number: item for item in student.items}
            for field in page.fields:
                if isinstance(field, WritingField) and field.name[0] == "W":
                    box = field.box
                    assert red_in(pixels, page, box)
                    assert not red_in(pixels, page, replace(box, w=box.w / 2 - 2.0)), field.item
                    found += items[field.item].lost
    assert found, "where the key is written, too"


def test_nothing_is_drawn_over_boxes_of_markers(tmp_path):
    report, layout = by_hand()
    found = 0
    for number, page in enumerate(layout.pages):
        for _, pixels in annotated(report, layout, number, tmp_path):
            for field in page.fields:
                if field.role.is_of_marker:
                    assert not red_in(pixels, page, field.box), field.name
                    found += field.role is Role.POINTS
                elif isinstance(field, AreaField) and field.role is Role.ITEM:
                    assert red_in(pixels, page, field.box), field.name
    assert found > 6


def test_nothing_is_drawn_over_what_a_marker_wrote(results, layout, tmp_path):
    report, first = results.report(), layout.pages[0]
    item = next(f.item for f in first.fields if isinstance(f, BubbleField) and f.item)
    own = WritingField("P", Box(170.0, 275.0, 15.0, 8.0), 1, 0.0, "points", Role.POINTS, item)
    marked = replace(layout, pages=(replace(first, fields=(*first.fields, own)), *layout.pages[1:]))
    student = next(s for s in report.students if s.score is not None)
    page = scanned(first, 0, candidate=student.candidate)
    write_annotated_pages(report, marked, [page], tmp_path / "p.pdf")
    _, pixels, _ = rendered(tmp_path / "p.pdf")
    x0, y0, x1, y1 = (
        int(mm * pixels.shape[1] / first.width_mm) for mm in (165.0, 272.0, 195.0, 286.0)
    )
    assert is_red(pixels).any()
    assert not is_red(pixels)[y0:y1, x0:x1].any()


def test_a_lost_scan_is_named_in_its_place(results, layout, tmp_path):
    report = results.report()
    path = tmp_path / "p.pdf"
    whole = scanned(layout.pages[0], 0, candidate=report.students[0].candidate)
    lost = ScannedPage(whole.candidate, whole.reading, lambda: None)
    write_annotated_pages(report, layout, [lost], path)
    text, pixels, _ = rendered(path)
    assert words("zh")["lost scan"].format(source="scans/a.png") in text
    assert whole.candidate in text
    assert pixels[pixels.shape[0] // 16, pixels.shape[1] // 16].min() > 200


def test_an_absent_candidate_gets_no_marks(results, layout, tmp_path):
    report = results.report()
    absent = next(s for s in report.students if s.standing.name == "ABSENT")
    path = tmp_path / "p.pdf"
    write_annotated_pages(
        report, layout, [scanned(layout.pages[0], 0, candidate=absent.candidate)], path
    )
    text, pixels, _ = rendered(path)
    assert absent.candidate in text
    assert not is_red(pixels)[pixels.shape[0] // 10 :].any()


def test_a_picture_that_is_none_is_told_and_leaves_no_file(results, layout, tmp_path):
    report = results.report()
    path = tmp_path / "p.pdf"
    broken = scanned(
        layout.pages[0], 0, candidate=report.students[0].candidate, content=b"not a picture"
    )
    with pytest.raises(ImageError, match=r"scans/a\.png"):
        write_annotated_pages(report, layout, [broken], path)
    assert list(tmp_path.iterdir()) == []


def test_pictures_are_asked_for_one_after_the_other(results, layout, tmp_path):
    report = results.report()
    asked = []

    def pages():
        for number, student in enumerate(report.students[:3]):
            page = scanned(layout.pages[0], 0, candidate=student.candidate)
            asked.append(number)
            yield page

    write_annotated_pages(report, layout, pages(), tmp_path / "p.pdf")
    assert asked == [0, 1, 2]
    assert len(pypdfium2.PdfDocument(tmp_path / "p.pdf")) == 3
