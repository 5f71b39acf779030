"""Registration by four marks of one shape, and telling which way round a sheet lies."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn_sheets import draw, place, sheet

from inkmark.errors import LayoutError
from inkmark.geometry import apply_homography
from inkmark.images import Pixels
from inkmark.layouts import AnchorKind, Anchors, MarkShape, PageLayout
from inkmark.omr import RegistrationFailure, read_bubbles, register
from inkmark.readings import Flag, Registration

SCALE = 5.0
SIZE_MM = 9.0
SHAPES = [shape for shape in MarkShape if shape is not MarkShape.ANY]


def marked_page(shape, *, mark_mm=SIZE_MM, n_items=30):
    page = sheet(n_items, width=150.0, height=290.0, candidate_digits=0)
    places = ((12.0, 12.0), (138.0, 12.0), (138.0, 278.0), (12.0, 278.0))
    anchors = Anchors(AnchorKind.MARKS, marks=places, mark_shape=shape, mark_mm=mark_mm)
    return replace(page, anchors=anchors)


def draw_mark(image, shape, number, at):
    x, y = (round(v * SCALE) for v in at)
    half = round(SIZE_MM * SCALE / 2)
    if shape is MarkShape.DISC:
        cv2.circle(image, (x, y), half, 30, -1)
    elif shape is MarkShape.RING:
        cv2.circle(image, (x, y), half - 4, 30, 9)
    elif shape is MarkShape.SQUARE:
        cv2.rectangle(image, (x - half, y - half), (x + half, y + half), 30, -1)
    elif shape is MarkShape.CROSS:
        cv2.line(image, (x - half, y), (x + half, y), 30, 5)
        cv2.line(image, (x, y - half), (x, y + half), 30, 5)
    else:
        right, down = (1, -1, -1, 1)[number], (1, 1, -1, -1)[number]
        for end in ((x + 2 * half * right, y + 4 * down), (x + 4 * right, y + 2 * half * down)):
            cv2.rectangle(image, (x, y), end, 30, -1)


def drawn(page, shape, marks, missing=()):
    image = draw(replace(page, anchors=Anchors(AnchorKind.IMAGE)), marks, scale=SCALE)
    for number, at in enumerate(page.anchors.marks):
        if number not in missing:
            draw_mark(image, shape, number, at)
    return image


@pytest.fixture(scope="module")
def marks():
    rng = np.random.default_rng(3)
    return {(f"Q{k + 1}", int(rng.integers(0, 4))): 0.75 for k in range(30)}


def assert_read(image, page, marks):
    pixels = Pixels.of(np.ascontiguousarray(image))
    registration = register(pixels, page)
    assert isinstance(registration, Registration), registration
    readings = read_bubbles(pixels, page, registration)
    expected = dict.fromkeys((field.name for field in page.fields), "")
    for name, option in marks:
        expected[name] += "ABCD"[option]
    assert {r.field: r.value for r in readings} == expected
    assert {r.flag for r in readings} == {Flag.OK}
    return registration


@pytest.mark.parametrize("turn_deg", [0.0, 30.0, 90.0, 178.0, 250.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_marks_are_found_in_any_rotation(marks, shape, turn_deg):
    page = marked_page(shape)
    image, matrix = place(drawn(page, shape, marks), turn_deg=turn_deg)
    registration = assert_read(image, page, marks)
    points = np.array([(10.0, 10.0), (140.0, 20.0), (75.0, 280.0)])
    expected = apply_homography(matrix, (points + 0.5 / SCALE) * SCALE - 0.5)
    assert np.abs(registration.to_px(points) - expected).max() < 0.6 * SCALE
    assert (registration.anchors_found, registration.anchors_expected) == (4, 4)
    assert registration.orientation_deg == round(turn_deg / 90) * 90 % 360


@pytest.mark.parametrize("shape", SHAPES)
def test_the_shape_need_not_be_known(marks, shape):
    page = marked_page(MarkShape.ANY, mark_mm=0.0)
    image, _ = place(drawn(page, shape, marks), turn_deg=184.0)
    assert assert_read(image, page, marks).orientation_deg == 180


@pytest.mark.parametrize("shape", [MarkShape.DISC, MarkShape.BRACKET])
def test_marks_of_a_perspective_photo(marks, shape):
    page = marked_page(shape)
    image = drawn(page, shape, marks)
    height, width = image.shape
    source = np.float32([(0, 0), (width, 0), (width, height), (0, height)])
    target = np.float32([(200, 120), (900, 220), (980, 1600), (90, 1500)])
    matrix = cv2.getPerspectiveTransform(source, target)
    photo = cv2.warpPerspective(image, matrix, (1100, 1750), borderValue=60)
    assert_read(photo, page, marks)


@pytest.mark.parametrize("missing", [0, 1, 2, 3])
@pytest.mark.parametrize("shape", [MarkShape.RING, MarkShape.BRACKET])
def test_three_marks_of_a_flat_sheet_are_enough(marks, shape, missing):
    page = marked_page(shape)
    image, _ = place(drawn(page, shape, marks, {missing}), turn_deg=181.5)
    assert assert_read(image, page, marks).anchors_found == 3


def test_two_marks_are_not_enough(marks):
    page = marked_page(MarkShape.DISC)
    outcome = register(Pixels.of(drawn(page, MarkShape.DISC, marks, {1, 2})), page)
    assert isinstance(outcome, RegistrationFailure)


def test_marks_of_another_sheet_are_refused(marks):
    page = marked_page(MarkShape.DISC)
    empty = replace(page, fields=())
    outcome = register(Pixels.of(drawn(empty, MarkShape.DISC, {})), page)
    assert isinstance(outcome, RegistrationFailure)
    assert "bubbles" in outcome.reason


def test_a_page_without_bubbles_is_placed_by_its_marks_alone():
    page = replace(marked_page(MarkShape.DISC), fields=())
    registration = register(Pixels.of(drawn(page, MarkShape.DISC, {})), page)
    assert isinstance(registration, Registration)


@pytest.mark.parametrize("fill", [0, 255])
def test_an_image_without_anything_is_refused(fill):
    outcome = register(
        Pixels.of(np.full((700, 500), fill, np.uint8)), marked_page(MarkShape.ANY, mark_mm=0.0)
    )
    assert isinstance(outcome, RegistrationFailure)


def test_four_places_are_needed():
    page = PageLayout(100.0, 100.0, Anchors(AnchorKind.MARKS, marks=((1.0, 1.0),)))
    with pytest.raises(LayoutError, match="four"):
        register(Pixels.of(np.zeros((50, 50), np.uint8)), page)


# -- which way round -------------------------------------------------------------------


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_an_image_is_turned_to_where_its_bubbles_are(marks, quarters):
    page = replace(marked_page(MarkShape.DISC), anchors=Anchors(AnchorKind.IMAGE))
    image = draw(page, marks, scale=SCALE)
    registration = assert_read(np.rot90(image, -quarters), page, marks)
    assert registration.orientation_deg == 90 * quarters


def test_a_sheet_photographed_upside_down(marks):
    page = replace(marked_page(MarkShape.DISC), anchors=Anchors(AnchorKind.SHEET_EDGES))
    image, _ = place(draw(page, marks, scale=SCALE), turn_deg=185.0, shape=(1900, 1400), border=20)
    assert assert_read(image, page, marks).orientation_deg == 180


def test_bubbles_that_look_the_same_turned_round_are_taken_for_upright(marks):
    page = replace(sheet(25, width=82.5, height=376.0, candidate_digits=0))
    page = replace(page, anchors=Anchors(AnchorKind.IMAGE))
    centres = np.concatenate([field.centres() for field in page.fields])
    np.testing.assert_allclose(centres.min(axis=0) + centres.max(axis=0), (82.5, 376.0))
    few = {key: value for key, value in marks.items() if int(key[0][1:]) <= 25}
    registration = assert_read(draw(page, few, scale=SCALE), page, few)
    assert registration.orientation_deg == 0


def test_sheets_that_could_lie_both_ways_are_refused(marks):
    page = marked_page(MarkShape.DISC, n_items=30)
    page = replace(page, anchors=Anchors(AnchorKind.IMAGE))
    upright = draw(page, marks, scale=SCALE)
    both = np.minimum(upright, np.rot90(upright, 2))
    outcome = register(Pixels.of(np.ascontiguousarray(both)), page)
    assert isinstance(outcome, RegistrationFailure)
    assert "two ways round" in outcome.reason
