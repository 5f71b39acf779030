"""Registration of sheets without printed squares, and reading them where they lie."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn_sheets import draw, place, sheet

from inkmark.errors import LayoutError
from inkmark.geometry import Box, apply_homography
from inkmark.images import Pixels
from inkmark.layouts import AnchorKind, Anchors, BubbleShape, PageLayout
from inkmark.omr import RegistrationFailure, read_bubbles, register
from inkmark.readings import Flag, Registration

SCALE = 5.0


def png(picture):
    return cv2.imencode(".png", picture)[1].tobytes()


@pytest.fixture(scope="module")
def plain():
    """A page of 30 rows without any anchors of ours."""
    page = sheet(30, width=150.0, height=290.0, candidate_digits=0)
    return replace(page, anchors=Anchors(AnchorKind.IMAGE))


@pytest.fixture(scope="module")
def marks(plain):
    rng = np.random.default_rng(3)
    return {(field.name, int(rng.integers(0, 4))): 0.75 for field in plain.fields}


def truth(page, marks):
    values = dict.fromkeys((field.name for field in page.fields), "")
    for name, option in marks:
        values[name] += "ABCD"[option]
    return values


def read(image, page):
    registration = register(Pixels.of(image), page)
    assert isinstance(registration, Registration), registration
    return {r.field: r for r in read_bubbles(Pixels.of(image), page, registration)}


def assert_all_right(readings, expected):
    assert {name: r.value for name, r in readings.items()} == expected
    assert {r.flag for r in readings.values()} == {Flag.OK}


def with_anchors(page, kind, **parts):
    return replace(page, anchors=Anchors(kind, **parts))


def test_an_image_that_is_the_page_may_have_two_scales(plain, marks):
    image = draw(plain, marks, scale=SCALE)
    image = cv2.resize(image, None, fx=1.2, fy=0.9, interpolation=cv2.INTER_AREA)
    registration = register(Pixels.of(image), plain)
    corners = registration.to_px([(0.0, 0.0), (plain.width_mm, plain.height_mm)])
    edges = [(-0.5, -0.5), (image.shape[1] - 0.5, image.shape[0] - 0.5)]
    np.testing.assert_allclose(corners, edges)
    assert_all_right(read(image, plain), truth(plain, marks))


@pytest.mark.parametrize(("x_mm", "y_mm"), [(0.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.8, 0.8)])
def test_the_residual_is_how_far_the_print_is_off(plain, marks, x_mm, y_mm):
    image = draw(plain, marks, scale=SCALE)
    image = np.roll(image, (round(y_mm * SCALE), round(x_mm * SCALE)), axis=(0, 1))
    found = register(Pixels.of(image), plain)
    assert found.residual_mm == pytest.approx(np.hypot(x_mm, y_mm), abs=0.25)


def nothing_silently_wrong(image, page, expected):
    registration = register(Pixels.of(image), page)
    if not isinstance(registration, Registration):
        return True
    readings = read_bubbles(Pixels.of(image), page, registration)
    return all(r.value == expected[r.field] for r in readings if r.flag is Flag.OK)


@pytest.mark.parametrize("rows", [-3, -2, -1, 1, 2, 3])
@pytest.mark.parametrize("axis", [0, 1])
def test_an_image_off_by_whole_steps_is_never_read_silently(plain, marks, axis, rows):
    """Nothing but its print says that the page lies a row or an option further on."""
    step_mm = (6.5, 7.5)[axis]
    image = np.roll(draw(plain, marks, scale=SCALE), round(rows * step_mm * SCALE), axis=axis)
    assert nothing_silently_wrong(image, plain, truth(plain, marks))


@pytest.mark.parametrize("share", [0.01, 0.02, 0.03, 0.05, 0.08])
@pytest.mark.parametrize("side", ["top", "bottom", "left", "right", "all"])
def test_an_image_that_is_cut_off_is_never_read_silently(plain, marks, side, share):
    image = draw(plain, marks, scale=SCALE)
    height, width = image.shape
    y, x = round(share * height), round(share * width)
    top, bottom, left, right = (
        n * (side in (s, "all"))
        for n, s in zip((y, y, x, x), ("top", "bottom", "left", "right"), strict=True)
    )
    cut = np.ascontiguousarray(image[top : height - bottom, left : width - right])
    assert nothing_silently_wrong(cut, plain, truth(plain, marks))


@pytest.mark.parametrize("background", [20, 150])
@pytest.mark.parametrize("turn_deg", [0.0, 7.0, -12.0])
def test_the_paper_outline_of_a_photo(plain, marks, turn_deg, background):
    page = with_anchors(plain, AnchorKind.SHEET_EDGES)
    image, matrix = place(
        draw(plain, marks, scale=SCALE),
        turn_deg=turn_deg,
        shape=(1900, 1400),
        shift=(40.0, -30.0),
        border=background,
    )
    registration = register(Pixels.of(image), page)
    assert isinstance(registration, Registration)
    points = np.array([(10.0, 10.0), (140.0, 20.0), (75.0, 280.0)])
    expected = apply_homography(matrix, points * SCALE)
    assert np.abs(registration.to_px(points) - expected).max() < 1.0 * SCALE
    assert_all_right(read(image, page), truth(plain, marks))


def test_an_outline_whose_surroundings_are_partly_as_light(plain, marks):
    page = with_anchors(plain, AnchorKind.SHEET_EDGES)
    image, _ = place(draw(plain, marks, scale=SCALE), turn_deg=4.0, shape=(1900, 1400), border=120)
    image[900:1300, :360] = np.maximum(image[900:1300, :360], 250)  # a lamp on the table
    assert_all_right(read(image, page), truth(plain, marks))


def test_a_perspective_photo(plain, marks):
    page = with_anchors(plain, AnchorKind.SHEET_EDGES)
    drawn = draw(plain, marks, scale=SCALE)
    height, width = drawn.shape
    source = np.float32([(0, 0), (width, 0), (width, height), (0, height)])
    target = np.float32([(200, 120), (900, 220), (980, 1600), (90, 1500)])
    matrix = cv2.getPerspectiveTransform(source, target)
    image = cv2.warpPerspective(drawn, matrix, (1100, 1750), borderValue=30)
    assert_all_right(read(image, page), truth(plain, marks))


def test_no_outline_is_refused(plain):
    page = with_anchors(plain, AnchorKind.SHEET_EDGES)
    noise = np.random.default_rng(1).integers(0, 255, (900, 700)).astype(np.uint8)
    for image in (np.full((900, 700), 255, np.uint8), np.zeros((900, 700), np.uint8), noise):
        outcome = register(Pixels.of(image), page)
        assert isinstance(outcome, RegistrationFailure)
        assert "outline" in outcome.reason


@pytest.fixture(scope="module")
def target():
    picture = np.full((120, 120), 255, np.uint8)
    for radius, value in ((55, 0), (38, 255), (20, 0)):
        cv2.circle(picture, (60, 60), radius, value, -1)
    return picture


@pytest.fixture(scope="module")
def pictured(plain, target):
    """The page between the centres of four pictures, as OMRChecker crops it."""
    corners = Box(8.0, 60.0, 134.0, 222.0).corners()
    boxes = tuple(Box(x - 5.0, y - 5.0, 10.0, 10.0) for x, y in corners)
    return with_anchors(plain, AnchorKind.PICTURES, picture_png=png(target), picture_boxes=boxes)


def draw_pictured(page, target, marks):
    image = draw(page, marks, scale=SCALE)
    for box in page.anchors.picture_boxes:
        x, y, side = round(box.x * SCALE), round(box.y * SCALE), round(box.w * SCALE)
        small = cv2.resize(target, (side, side), interpolation=cv2.INTER_AREA)
        image[y : y + side, x : x + side] = small
    return image


@pytest.mark.parametrize(("turn_deg", "scale"), [(0.0, 1.0), (4.0, 0.7), (-8.0, 1.3)])
def test_pictures_in_the_corners(pictured, target, marks, turn_deg, scale):
    drawn = draw_pictured(pictured, target, marks)
    image, matrix = place(drawn, turn_deg=turn_deg, scale=scale, border=200)
    registration = register(Pixels.of(image), pictured)
    assert isinstance(registration, Registration)
    points = np.array([box.centre for box in pictured.anchors.picture_boxes])
    expected = apply_homography(matrix, points * SCALE)
    assert np.abs(registration.to_px(points) - expected).max() < 2.5
    assert_all_right(read(image, pictured), truth(pictured, marks))


def test_pictures_that_are_not_there_are_refused(pictured, marks):
    outcome = register(Pixels.of(draw(pictured, marks, scale=SCALE)), pictured)
    assert isinstance(outcome, RegistrationFailure)
    assert "pictures" in outcome.reason


def reference_page(plain):
    """A page with enough print of its own to be recognised by."""
    blank = draw(plain, scale=SCALE)
    rng = np.random.default_rng(9)
    for line in range(14):
        words = " ".join("".join(rng.choice(list("aeinorst"), 6)) for _ in range(7))
        at = (round(12 * SCALE), round((8 + 6 * line) * SCALE))
        cv2.putText(blank, words, at, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 10, 1, cv2.LINE_AA)
    return blank


@pytest.mark.parametrize("turn_deg", [0.0, 3.0, 90.0, 180.0])
def test_a_reference_picture_is_found_in_any_orientation(plain, turn_deg):
    blank = reference_page(plain)
    page = with_anchors(
        plain,
        AnchorKind.REFERENCE,
        picture_png=png(blank),
        picture_boxes=(Box(0.0, 0.0, plain.width_mm, plain.height_mm),),
    )
    filled = blank.copy()
    expected = dict.fromkeys((field.name for field in plain.fields), "")
    for k, field in enumerate(plain.fields):
        x, y = np.rint(field.centres()[k % 4] * SCALE).astype(int)
        cv2.ellipse(filled, (int(x), int(y)), (12, 7), 0, 0, 360, 60, -1)
        expected[field.name] = "ABCD"[k % 4]
    image, _ = place(filled, turn_deg=turn_deg, border=255)
    registration = register(Pixels.of(image), page)
    assert isinstance(registration, Registration)
    assert registration.orientation_deg == round(turn_deg / 90) * 90
    assert registration.residual_mm < 0.5
    assert_all_right(read(image, page), expected)
    assert register(Pixels.of(image), page) == registration


def test_a_page_that_is_not_the_reference_is_refused(plain):
    page = with_anchors(
        plain,
        AnchorKind.REFERENCE,
        picture_png=png(reference_page(plain)),
        picture_boxes=(Box(0.0, 0.0, plain.width_mm, plain.height_mm),),
    )
    for image in (
        np.full((900, 700), 255, np.uint8),
        np.random.default_rng(1).integers(0, 255, (900, 700)).astype(np.uint8),
    ):
        assert isinstance(register(Pixels.of(image), page), RegistrationFailure)


@pytest.mark.parametrize("kind", [AnchorKind.PICTURES, AnchorKind.REFERENCE])
def test_anchors_without_a_picture_are_a_faulty_layout(plain, kind):
    image = np.full((900, 700), 255, np.uint8)
    with pytest.raises(LayoutError, match="cannot be decoded"):
        register(Pixels.of(image), with_anchors(plain, kind))
    with pytest.raises(LayoutError, match="Give"):
        register(Pixels.of(image), with_anchors(plain, kind, picture_png=png(image)))


# -- following the outlines ------------------------------------------------------------


def moved(page: PageLayout, change) -> PageLayout:
    """A template that places each field where `change` says."""
    return replace(page, fields=tuple(change(k, field) for k, field in enumerate(page.fields)))


@pytest.mark.parametrize("filled", [True, False])
def test_blocks_are_moved_to_their_outlines(plain, marks, filled):
    def change(k, field):
        x, y = field.origin
        off = (1.3, -1.6) if k < 25 else (-1.2, 1.4)
        step = field.option_step[0] * (1.02 if k < 25 else 0.985)
        return replace(
            field,
            origin=(x + off[0], y + off[1] + 0.03 * (k % 25)),
            option_step=(step, 0.0),
        )

    image = draw(plain, marks if filled else {}, scale=SCALE)
    readings = read(image, moved(plain, change))
    assert_all_right(readings, truth(plain, marks if filled else {}))
    for field in plain.fields:
        box = readings[field.name].box_px
        assert box.centre == pytest.approx(
            tuple(SCALE * c for c in field.box.centre), abs=0.35 * SCALE
        )


@pytest.mark.parametrize("factor", [0.75, 1.2])
def test_bubbles_are_resized_to_their_print(plain, marks, factor):
    page = moved(
        plain,
        lambda _, field: replace(
            field, bubble_w=field.bubble_w / factor, bubble_h=field.bubble_h / factor
        ),
    )
    assert_all_right(read(draw(plain, marks, scale=SCALE), page), truth(plain, marks))


def test_a_page_without_the_print_is_never_read_silently(plain):
    image = np.full((1450, 750), 235, np.uint8)
    cv2.rectangle(image, (100, 300), (600, 900), 40, 3)
    readings = read(image, plain)
    assert Flag.OK not in {reading.flag for reading in readings.values()}


def test_rectangles_are_followed_too(plain, marks):
    page = moved(plain, lambda _, field: replace(field, shape=BubbleShape.RECTANGLE))
    shifted = moved(
        page, lambda _, field: replace(field, origin=(field.origin[0] + 1, field.origin[1] - 1))
    )
    assert_all_right(read(draw(page, marks, scale=SCALE), shifted), truth(plain, marks))
