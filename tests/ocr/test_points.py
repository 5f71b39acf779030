"""Points that markers wrote: told from other inks, read, and flagged where in doubt."""

import cv2
import numpy as np
import pytest

from inkmark.geometry import Box
from inkmark.images import PageImage, Pixels
from inkmark.layouts import (
    AnchorKind,
    Anchors,
    AreaField,
    BoxFrame,
    PageLayout,
    Role,
    WritingField,
)
from inkmark.ocr.points import PointsOptions, read_points
from inkmark.readings import Flag, PageSource, Registration

PX_PER_MM = 8.0
RED, BLUE, BLACK, GREEN = (40, 30, 215), (150, 60, 40), (30, 30, 30), (60, 120, 30)
BOX = Box(10.0, 10.0, 14.0, 9.0)


def page_of(*fields):
    return PageLayout(80.0, 40.0, Anchors(AnchorKind.IMAGE), fields)


def points_field(name="P1", box=BOX, n_boxes=1, role=Role.POINTS):
    return WritingField(name, box, n_boxes, box.w, "points", role, name[1:])


def paper(page, tint=(250, 252, 248)):
    image = np.empty(
        (round(page.height_mm * PX_PER_MM), round(page.width_mm * PX_PER_MM), 3), np.uint8
    )
    image[:] = tint
    for field in page.fields:
        for box in field.boxes() if isinstance(field, WritingField) else [field.box]:
            frame(image, box)
    return image


def frame(image, box, ink=BLACK):
    corners = np.rint(box.corners() * PX_PER_MM).astype(np.int32)
    cv2.polylines(image, [corners], True, ink, 2, cv2.LINE_AA)


def write(image, text, at_mm, ink=RED, *, size=1.6, pen=3):
    x, y = (round(v * PX_PER_MM) for v in at_mm)
    cv2.putText(image, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size, ink, pen, cv2.LINE_AA)


def line(image, start_mm, end_mm, ink, pen=3):
    start, end = (tuple(round(v * PX_PER_MM) for v in p) for p in (start_mm, end_mm))
    cv2.line(image, start, end, ink, pen, cv2.LINE_AA)


def read(image, page, options=None):
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    scan = PageImage(PageSource("a.png", 0, "0"), Pixels.of(grey), 203.2, lambda: image)
    scale = (PX_PER_MM, 0, -0.5, 0, PX_PER_MM, -0.5, 0, 0, 1.0)
    registration = Registration(0, scale, 0.0, 4, 4)
    return read_points(scan, page, registration, options)


@pytest.mark.parametrize("ink", [RED, BLUE, GREEN, BLACK], ids=["red", "blue", "green", "black"])
@pytest.mark.parametrize("text", ["7", "12", "9"])
def test_a_number_in_any_ink_is_read(ink, text):
    page = page_of(points_field())
    image = paper(page)
    write(image, text, (12, 17.5), ink)
    (reading,) = read(image, page)
    assert (reading.value, reading.flag) == (text, Flag.OK)
    assert reading.choices[0][0][0] == text


def test_print_and_the_candidates_pen_do_not_disturb_red_ink():
    page = page_of(points_field())
    image = paper(page)
    write(image, "ANSWER", (2, 16), BLUE, size=1.0, pen=2)
    line(image, (9, 12), (26, 17), BLUE)
    write(image, "/12", (17, 18.4), BLACK, size=0.6, pen=1)
    write(image, "8", (13, 17.5), RED, size=1.8)
    (reading,) = read(image, page)
    assert (reading.value, reading.flag) == ("8", Flag.OK)


def test_without_colours_the_same_is_flagged_or_read_right():
    page = page_of(points_field())
    image = paper(page)
    line(image, (9, 12), (26, 17), BLUE)
    write(image, "8", (13, 17.5), RED, size=1.8)
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    (reading,) = read(grey, page)
    assert reading.value == "8" or reading.flag is Flag.DOUBTFUL


def test_half_a_mark_by_a_point():
    page = page_of(points_field(box=Box(10, 10, 18, 9)))
    image = paper(page)
    write(image, "7", (11.5, 17.5))
    cv2.circle(image, (int(16.6 * PX_PER_MM), int(17.3 * PX_PER_MM)), 2, RED, -1, cv2.LINE_AA)
    write(image, "5", (18, 17.5))
    (reading,) = read(image, page)
    assert (reading.value, reading.flag) == ("7.5", Flag.OK)


@pytest.mark.parametrize("foot", [14.0, 17.8], ids=["raised", "lowered"])
def test_half_a_mark_by_a_small_five(foot):
    page = page_of(points_field(box=Box(10, 10, 18, 9)))
    image = paper(page)
    write(image, "7", (11.5, 17.8), size=1.9)
    write(image, "5", (17.5, foot), size=0.85, pen=2)
    (reading,) = read(image, page)
    assert reading.value == "7.5"


def test_half_a_mark_by_a_fraction():
    page = page_of(points_field(box=Box(10, 10, 20, 9)))
    image = paper(page)
    write(image, "7", (11.5, 18), size=1.9)
    write(image, "1", (16.5, 14.5), size=0.9, pen=2)
    line(image, (19.2, 18), (22.2, 11), RED, 2)
    write(image, "2", (21.7, 18), size=0.9, pen=2)
    (reading,) = read(image, page)
    allowed = [
        text for text, _ in reading.choices[0] if text not in ("", "?") and float(text) <= 20
    ]
    assert allowed[0] == "7.5"


def test_one_digit_a_box():
    page = page_of(points_field(box=Box(10, 10, 7, 9), n_boxes=2))
    image = paper(page)
    write(image, "1", (11.5, 17.5))
    write(image, "2", (18.5, 17.5))
    (reading,) = read(image, page)
    assert (reading.value, reading.flag) == ("12", Flag.OK)


@pytest.mark.parametrize("ink", [BLUE, BLACK, GREEN], ids=["blue", "black", "green"])
def test_points_in_another_ink_than_the_others_are_no_empty_box(ink):
    page = page_of(points_field("P1"), points_field("P2", Box(40, 10, 14, 9)))
    image = paper(page)
    write(image, "6", (43, 17.5))
    write(image, "1", (13, 17.5), ink, pen=2)
    first, second = read(image, page)
    assert (first.value, first.flag) == ("", Flag.DOUBTFUL)
    assert (second.value, second.flag) == ("6", Flag.OK)


def test_a_box_filled_with_another_ink_is_flagged():
    page = page_of(points_field("P1"), points_field("P2", Box(40, 10, 14, 9)))
    image = paper(page)
    write(image, "6", (43, 17.5))
    cv2.rectangle(image, (80, 80), (192, 152), BLACK, -1)
    assert read(image, page)[0].flag is Flag.DOUBTFUL


def test_a_box_into_which_the_candidate_wrote_may_hide_points():
    page = page_of(points_field("P1"), points_field("P2", Box(40, 10, 14, 9)))
    image = paper(page)
    write(image, "6", (43, 17.5))
    line(image, (5, 12), (30, 16), BLUE)
    first, second = read(image, page)
    assert (first.value, first.flag) == ("", Flag.DOUBTFUL)
    assert second.value == "6"


def test_specks_leave_a_box_empty():
    page = page_of(points_field("P1"), points_field("P2", Box(40, 10, 14, 9)))
    image = paper(page)
    write(image, "6", (43, 17.5))
    for x in (110, 150):
        cv2.circle(image, (x, 110), 1, BLACK, -1)
    first, _ = read(image, page)
    assert (first.value, first.flag) == ("", Flag.OK)


def test_what_is_struck_out_is_flagged():
    page = page_of(points_field())
    image = paper(page)
    write(image, "6", (12.5, 17.5))
    for k in range(3):
        line(image, (11.5, 12 + 2 * k), (18.5, 13 + 1.5 * k), RED)
    (reading,) = read(image, page)
    assert reading.flag is Flag.DOUBTFUL


def test_a_scribble_is_flagged():
    page = page_of(points_field())
    image = paper(page)
    rng = np.random.default_rng(0)
    for _ in range(14):
        line(image, *(rng.uniform((11, 11), (23, 18), (2, 2)).tolist()), RED)
    (reading,) = read(image, page)
    assert reading.flag is Flag.DOUBTFUL


def test_a_field_beyond_the_image_is_unreadable():
    page = page_of(points_field(), points_field("P2", Box(75, 10, 14, 9)))
    image = paper(page_of(points_field()))
    write(image, "6", (12.5, 17.5))
    first, second = read(image, page)
    assert (first.value, second.flag) == ("6", Flag.UNREADABLE)


@pytest.mark.parametrize("entry", [np.nan, np.inf, 1e12, -1e12])
def test_a_broken_registration_is_no_error(entry):
    page = page_of(points_field())
    image = paper(page)
    scan = PageImage(PageSource("a", 0, "0"), Pixels.of(image[:, :, 0].copy()), None)
    registration = Registration(0, (entry, 0, 0, 0, 8.0, 0, 0, 0, 1.0), 0.0, 4, 4)
    with np.errstate(all="ignore"):
        (reading,) = read_points(scan, page, registration)
    assert reading.flag is Flag.UNREADABLE


def test_the_certainty_asked_for_decides_what_is_flagged():
    page = page_of(points_field())
    image = paper(page)
    write(image, "7", (12, 17.5))
    (reading,) = read(image, page, PointsOptions(certainty=1.01))
    assert (reading.value, reading.flag) == ("7", Flag.DOUBTFUL)


def test_pages_without_such_fields_are_not_decoded_in_colour():
    def refuse():
        raise AssertionError("decoded in colour")

    page = page_of(WritingField("W1", BOX, frame=BoxFrame.DARK))
    scan = PageImage(
        PageSource("a", 0, "0"), Pixels.of(np.full((9, 9), 255, np.uint8)), None, refuse
    )
    assert (
        read_points(scan, page, Registration(0, (8.0, 0, 0, 0, 8.0, 0, 0, 0, 1.0), 0, 4, 4)) == ()
    )


def ticks_field(n_marks=3):
    return AreaField("T1", Box(5, 5, 60, 25), Role.POINTS, "1", n_marks)


def put(image, shape, x, y):
    """A tick, half a tick or a cross of about 6 mm."""
    if shape == "x":
        line(image, (x, y), (x + 5, y + 6), RED)
        line(image, (x + 5, y), (x, y + 6), RED)
        return
    line(image, (x, y + 3), (x + 1.8, y + 6), RED)
    line(image, (x + 1.6, y + 6), (x + 6.5, y), RED)
    if shape == "half":
        line(image, (x + 2.6, y + 1.4), (x + 5.6, y + 4.4), RED)


@pytest.mark.parametrize(
    ("shapes", "value"),
    [
        (("v", "v", "v"), "3"),
        (("v", "x", "v"), "2"),
        (("x", "x", "x"), "0"),
        (("v", "half", "x"), "1.5"),
    ],
)
def test_ticks_are_counted_and_crosses_count_nothing(shapes, value):
    page = page_of(ticks_field())
    image = paper(page)
    write(image, "so it is", (10, 28.5), BLUE)
    for k, shape in enumerate(shapes):
        put(image, shape, 10 + 18 * k, 12)
    (reading,) = read(image, page)
    assert (reading.value, reading.flag) == (value, Flag.OK)


def test_another_number_of_marks_than_expected_is_flagged():
    page = page_of(ticks_field(n_marks=2))
    image = paper(page)
    put(image, "v", 10, 12)
    (reading,) = read(image, page)
    assert (reading.value, reading.flag) == ("", Flag.DOUBTFUL)


def test_a_word_is_no_tick():
    page = page_of(ticks_field(n_marks=1))
    image = paper(page)
    write(image, "8", (10, 20), size=2.0)
    (reading,) = read(image, page)
    assert reading.flag is Flag.DOUBTFUL


def test_an_area_without_marks_is_blank():
    page = page_of(ticks_field(), points_field("P2", Box(40, 32, 14, 7)))
    image = paper(page)
    write(image, "so it is", (10, 28.5), BLUE)
    write(image, "5", (44, 38), size=1.2)
    area, _ = read(image, page)
    assert (area.value, area.flag) == ("", Flag.OK)


def test_an_empty_pale_box_beside_print_with_coloured_edges_is_blank():
    field = WritingField("P1", BOX, 1, BOX.w, "points", Role.POINTS, "1", BoxFrame.PALE)
    page = page_of(field)
    image = np.full_like(paper(page), 250)
    frame(image, BOX, (200, 200, 200))
    # Scanned pale lines are now just dark enough for ink, now not.
    line(image, (BOX.x, BOX.bottom), (BOX.right, BOX.bottom), (170, 170, 170), 2)
    write(image, "points", (1, 15), BLACK, size=0.6, pen=2)
    line(image, (2, 7.6), (30, 7.6), BLACK, 2)
    line(image, (2, 8), (20, 8), (90, 170, 240), 1)  # where the scanner's colours lie apart
    (reading,) = read(image, page)
    assert (reading.value, reading.flag) == ("", Flag.OK)
