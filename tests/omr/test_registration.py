"""Registration by corner squares: orientation, skew, stretch, borders, and refusals."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn_sheets import PX_PER_MM, draw, lying_sheet, place, sheet

from inkmark.errors import LayoutError
from inkmark.geometry import Box, apply_homography, fit_homography
from inkmark.images import Pixels
from inkmark.omr import RegisterOptions, RegistrationFailure, _proposals, _squares, register
from inkmark.readings import Registration


@pytest.fixture(scope="module")
def page():
    return sheet()


@pytest.fixture(scope="module")
def printed(page):
    return draw(page)


def worst_mm(page, registration, true_px):
    """Largest distance between where bubbles are and where they are said to be, in mm."""
    points = np.concatenate([field.centres() for field in page.fields])
    said = registration.to_px(points)
    scale = np.hypot(*np.diff(true_px(np.array([(0, 0), (0, 100)])), axis=0)[0]) / 100
    return np.hypot(*(said - true_px(points)).T).max() / scale


def through(matrix):
    return lambda points: apply_homography(matrix, points * PX_PER_MM)


@pytest.mark.parametrize("border", [255, 0])
@pytest.mark.parametrize("turn_deg", [0, 90, 180, 270, 3, -6, 10, 87, 185, -93])
def test_every_orientation_and_skew(page, printed, turn_deg, border):
    image, matrix = place(printed, turn_deg=turn_deg, border=border)
    found = register(Pixels.of(image), page)
    assert isinstance(found, Registration)
    assert found.orientation_deg == round(turn_deg / 90) * 90 % 360
    assert found.anchors_found == found.anchors_expected
    assert found.residual_mm < 0.05
    assert worst_mm(page, found, through(matrix)) < 0.08


@pytest.mark.parametrize("scale", [0.45, 0.7, 1.5])
def test_every_resolution(page, printed, scale):
    image, matrix = place(printed, turn_deg=2.0, scale=scale)
    found = register(Pixels.of(image), page)
    assert isinstance(found, Registration)
    assert worst_mm(page, found, through(matrix)) < 0.1


def test_a_small_sheet_off_the_middle_of_a_dark_image(page, printed):
    image, matrix = place(
        printed, turn_deg=4.0, scale=0.6, shape=(2339, 1654), shift=(150, -300), border=0
    )
    found = register(Pixels.of(image), page)
    assert isinstance(found, Registration)
    assert worst_mm(page, found, through(matrix)) < 0.1


def test_feeder_stretch_is_followed_between_the_timing_marks(page, printed):
    def stretch(rows):
        return 5 * np.sin(rows / 500), 10 * np.sin(rows / 700)

    image, matrix = place(printed, turn_deg=180.0, stretch=stretch)

    def true_px(points):
        xy = points * PX_PER_MM
        y = xy[:, 1]
        for _ in range(30):  # the row that the stretched image takes from the printed one
            y = xy[:, 1] + stretch(y)[1]
        return apply_homography(matrix, np.column_stack([xy[:, 0] + stretch(y)[0], y]))

    found = register(Pixels.of(image), page)
    assert isinstance(found, Registration)
    assert found.residual_mm < 0.1
    assert np.ptp(found.shifts.dy_mm) > 0.6
    assert worst_mm(page, found, true_px) < 0.15
    flat = replace(found, shifts=None)
    assert worst_mm(page, flat, true_px) > 0.4


@pytest.mark.parametrize("kind", ["noise", "1-bit", "dithered", "faded", "blurred"])
def test_degraded_pages(page, printed, kind):
    image, matrix = place(printed, turn_deg=-3.0)
    rng = np.random.default_rng(5)
    if kind == "noise":
        image = np.clip(image + rng.normal(0, 25, image.shape), 0, 255).astype(np.uint8)
    elif kind == "1-bit":
        image = np.where(image > 128, 255, 0).astype(np.uint8)
    elif kind == "dithered":
        image = np.where(image > rng.integers(40, 230, image.shape), 255, 0).astype(np.uint8)
    elif kind == "faded":
        image = (150 + image * 0.4).astype(np.uint8)
    else:
        image = cv2.GaussianBlur(image, (0, 0), 3)
    found = register(Pixels.of(image), page)
    assert isinstance(found, Registration)
    assert worst_mm(page, found, through(matrix)) < 0.12


@pytest.mark.parametrize("corner", range(4))
def test_three_corner_squares_and_the_timing_marks_suffice(page, printed, corner):
    image = printed.copy()
    box = page.anchors.squares[corner].grown(0.5)
    x, y = round(box.x * PX_PER_MM), round(box.y * PX_PER_MM)
    image[y : y + 60, x : x + 60] = 240
    image, matrix = place(image, turn_deg=2.0)
    found = register(Pixels.of(image), page)
    assert isinstance(found, Registration)
    assert found.anchors_found == found.anchors_expected - 1
    assert worst_mm(page, found, through(matrix)) < 0.1


def test_the_other_end_cut_off(page, printed):
    found = register(Pixels.of(printed[: -round(11 * PX_PER_MM)]), page)
    assert isinstance(found, Registration)
    assert worst_mm(page, found, through(np.eye(3))) < 0.3


def without_left_side(printed, cut_mm):
    """The sheet drawn in off the middle: the squares and marks beside the key mark are cut off."""
    return np.ascontiguousarray(printed[:, round(cut_mm * PX_PER_MM) :])


@pytest.mark.parametrize("cut_mm", [12.0, 13.5])
@pytest.mark.parametrize("turn_deg", [0.0, 0.3, -0.3])
@pytest.mark.parametrize("turned", [False, True])
def test_a_side_cut_off_but_for_the_key_mark(page, printed, turned, turn_deg, cut_mm):
    image, matrix = place(printed, turn_deg=turn_deg, shape=printed.shape)
    image = without_left_side(image, cut_mm)
    matrix = np.array([[1, 0, -round(cut_mm * PX_PER_MM)], [0, 1, 0], [0, 0, 1.0]]) @ matrix
    if turned:
        height, width = image.shape
        image = np.ascontiguousarray(image[::-1, ::-1])
        matrix = np.array([[-1, 0, width - 1], [0, -1, height - 1], [0, 0, 1.0]]) @ matrix
    found = register(Pixels.of(image), page)
    assert isinstance(found, Registration)
    assert found.orientation_deg == 180 * turned
    assert 2 * found.anchors_found < found.anchors_expected + 4
    assert worst_mm(page, found, through(matrix)) < 0.3


@pytest.mark.parametrize("share", [0.97, 0.99, 1.01, 1.03])
def test_a_side_cut_off_from_a_sheet_of_another_width_is_refused_or_right(page, printed, share):
    image = cv2.resize(without_left_side(printed, 13.0), None, fx=share, fy=1.0)
    outcome = register(Pixels.of(image), page)
    if isinstance(outcome, Registration):
        matrix = np.array([[share, 0, -share * round(13.0 * PX_PER_MM)], [0, 1, 0], [0, 0, 1.0]])
        assert worst_mm(page, outcome, through(matrix)) < 0.3
    else:
        assert abs(share - 1) > 0.02


def test_a_side_cut_off_with_the_key_mark_is_refused(page, printed):
    image = without_left_side(printed, 26.5)
    for turned in (image, np.ascontiguousarray(image[::-1, ::-1])):
        assert isinstance(register(Pixels.of(turned), page), RegistrationFailure)


def test_the_other_side_cut_off_is_refused_as_nothing_bears_its_width_out(page, printed):
    image = np.ascontiguousarray(printed[:, : -round(13.0 * PX_PER_MM)])
    outcome = register(Pixels.of(image), page)
    assert isinstance(outcome, RegistrationFailure)
    assert "of one side" in outcome.reason


@pytest.mark.parametrize("shape", [(30, 20_000), (1, 1000), (5, 700), (1, 1)], ids=str)
def test_images_of_fewer_rows_or_columns_than_are_taken_together(page, shape):
    for turned in (shape, shape[::-1]):
        outcome = register(Pixels.of(np.full(turned, 255, np.uint8)), page)
        assert isinstance(outcome, RegistrationFailure)


def test_marks_of_a_side_that_is_not_cut_off_are_not_done_without(page, printed):
    image = printed.copy()
    image[:, round(6 * PX_PER_MM) : round(15 * PX_PER_MM)] = 240
    assert isinstance(register(Pixels.of(image), page), RegistrationFailure)


def seen_aslant(image, tilt_deg, roll_deg, distance_mm=480.0, table=60):
    """A sheet on a table as a camera sees it, and the (3, 3) px map."""
    height, width = image.shape
    tilt, roll = np.radians((tilt_deg, roll_deg))
    c, s = np.cos(roll), np.sin(roll)
    turn = np.array([[c, -s], [s, c], [0, 0]])
    turn = np.array([[1, 0, 0], [0, np.cos(tilt), 0], [0, np.sin(tilt), 1]]) @ turn
    sheet_mm = np.array(
        [[1 / PX_PER_MM, 0, -width / 2 / PX_PER_MM], [0, 1 / PX_PER_MM, -height / 2 / PX_PER_MM]]
    )
    project = turn @ sheet_mm + np.array([[0, 0, 0], [0, 0, 0], [0, 0, distance_mm]])
    camera = np.array([[2700.0, 0, 800], [0, 2700.0, 1070], [0, 0, 1]])
    matrix = camera @ project
    size = (1600, 2140)
    seen = cv2.warpPerspective(image, matrix, size, flags=cv2.INTER_AREA, borderValue=table)
    light = np.linspace(0.75, 1.0, size[0])[None, :] * np.linspace(1.0, 0.8, size[1])[:, None]
    return (seen * light).astype(np.uint8), matrix / matrix[2, 2]


@pytest.mark.parametrize("roll_deg", [0.0, 4.0, 183.0])
@pytest.mark.parametrize("tilt_deg", [10.0, 25.0, -35.0])
def test_a_photo_in_perspective(page, printed, tilt_deg, roll_deg):
    image, matrix = seen_aslant(printed, tilt_deg, roll_deg)
    found = register(Pixels.of(image), page)
    assert isinstance(found, Registration)
    assert worst_mm(page, found, through(matrix)) < 0.25


def test_a_photo_without_the_squares_of_one_side_is_refused_or_right(page, printed):
    image = printed.copy()
    for box in page.anchors.squares[1:3]:
        x, y = round(box.x * PX_PER_MM) - 3, round(box.y * PX_PER_MM) - 3
        image[y : y + 60, x : x + 60] = 240
    for tilt_deg in (15.0, 25.0, 35.0):
        seen, matrix = seen_aslant(image, tilt_deg, 3.0)
        outcome = register(Pixels.of(seen), page)
        if isinstance(outcome, Registration):
            assert worst_mm(page, outcome, through(matrix)) < 0.5


@pytest.mark.parametrize("at_mm", [5.0, 8.0, 10.0, 12.0])
def test_a_dark_border_that_creeps_over_the_marks_of_one_side(page, printed, at_mm):
    image = printed.copy()
    near = np.array([(0, 0), (at_mm + 4, 0), (at_mm - 4, 300), (0, 300)]) * PX_PER_MM
    cv2.fillPoly(image, [near.astype(np.int32)], 45)
    outcome = register(Pixels.of(image), page)
    if isinstance(outcome, Registration):
        assert worst_mm(page, outcome, through(np.eye(3))) < 0.4
    else:
        assert at_mm > 5.0


def test_marks_along_the_long_sides_of_a_lying_sheet_follow_the_feeder():
    page = lying_sheet()
    image = draw(page)

    def late(columns):
        return 6 * np.sin(columns / 900)

    columns = np.arange(image.shape[1], dtype=np.float32)
    grid = np.broadcast_to(columns - late(columns).astype(np.float32), image.shape)
    rows = np.broadcast_to(np.arange(image.shape[0], dtype=np.float32)[:, None], image.shape)
    image = cv2.remap(image, grid.copy(), rows.copy(), cv2.INTER_LINEAR, borderValue=240)

    def true_px(points):
        xy = points * PX_PER_MM
        x = xy[:, 0]
        for _ in range(30):
            x = xy[:, 0] + late(x)
        return np.column_stack([x, xy[:, 1]])

    found = register(Pixels.of(image), page)
    assert isinstance(found, Registration)
    assert worst_mm(page, found, true_px) < 0.15
    assert worst_mm(page, replace(found, shifts=None), true_px) > 0.3


def test_dirt_on_a_timing_mark_does_not_bend_the_page(page, printed):
    image = printed.copy()
    box = page.anchors.timing[7]
    x, y = round(box.x * PX_PER_MM), round(box.bottom * PX_PER_MM)
    image[y : y + 9, x - 4 : x + 40] = 30
    found = register(Pixels.of(image), page)
    assert isinstance(found, Registration)
    assert worst_mm(page, found, through(np.eye(3))) < 0.3


def test_blank_black_and_noisy_pages_are_refused(page):
    shape = (2339, 1654)
    noise = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    for image in (np.full(shape, 255, np.uint8), np.zeros(shape, np.uint8), noise):
        outcome = register(Pixels.of(image), page)
        assert isinstance(outcome, RegistrationFailure)
        assert "corner squares" in outcome.reason


def test_a_sheet_without_its_key_mark_is_refused(page):
    anchors = replace(page.anchors, key_mark=None)
    outcome = register(Pixels.of(draw(replace(page, anchors=anchors))), page)
    assert isinstance(outcome, RegistrationFailure)
    assert "which way up" in outcome.reason


def test_another_sheet_is_refused(page):
    moved = tuple(Box(box.x, box.y + 6.0, box.w, box.h) for box in page.anchors.timing)
    other = replace(page, anchors=replace(page.anchors, timing=moved))
    outcome = register(Pixels.of(draw(other)), page)
    assert isinstance(outcome, RegistrationFailure)
    assert "timing marks" in outcome.reason


def test_the_residual_limit_refuses(page, printed):
    image, _ = place(printed, stretch=lambda rows: (0 * rows, 10 * np.sin(rows / 700)))
    outcome = register(Pixels.of(image), page, RegisterOptions(max_residual_mm=0.01))
    assert isinstance(outcome, RegistrationFailure)
    assert "off the layout" in outcome.reason


PITCH = np.array([0.0, 12.5])
LEFT = np.array([[1], [0], [0], [1]])


@pytest.mark.parametrize(
    "moved",
    [
        np.tile(PITCH, (4, 1)),
        np.tile(-PITCH, (4, 1)),
        LEFT * PITCH,
        LEFT * -PITCH,
        (1 - LEFT) * PITCH,
        (1 - LEFT) * -PITCH,
        np.tile((7.5, 0.0), (4, 1)),
    ],
)
@pytest.mark.parametrize("hide", [None, 0, 2])
def test_a_place_off_by_a_pitch_is_refused(page, printed, moved, hide, monkeypatch):
    """The timing marks, or those of one side, are taken for their neighbours."""
    image = printed.copy()
    if hide is not None:
        box = page.anchors.squares[hide].grown(0.5)
        x, y = round(box.x * PX_PER_MM), round(box.y * PX_PER_MM)
        image[y : y + 60, x : x + 60] = 240
    corners = Box(0.0, 0.0, page.width_mm, page.height_mm).corners()
    to_place = fit_homography(corners, corners + moved)

    def searches(plan, level):
        yield np.linalg.inv(level.to_page) @ np.diag([PX_PER_MM, PX_PER_MM, 1.0]) @ to_place

    monkeypatch.setattr(_squares, "searches", searches)
    assert isinstance(register(Pixels.of(image), page), RegistrationFailure)


def test_without_timing_marks_the_key_mark_is_the_held_out_evidence(page):
    bare = replace(page, anchors=replace(page.anchors, timing=()))
    image = draw(bare)
    found = register(Pixels.of(image), bare)
    assert isinstance(found, Registration)
    assert 0 < found.residual_mm < 0.1
    assert worst_mm(page, found, through(np.eye(3))) < 0.1
    key = replace(page.anchors.key_mark, x=page.anchors.key_mark.x + 0.8)
    image = draw(replace(bare, anchors=replace(bare.anchors, key_mark=key)))
    outcome = register(Pixels.of(image), bare)
    assert isinstance(outcome, RegistrationFailure)
    assert "off the layout" in outcome.reason


def test_square_anchors_need_four_squares(page, printed):
    wrong = replace(page, anchors=replace(page.anchors, squares=page.anchors.squares[:3]))
    with pytest.raises(LayoutError, match="four"):
        register(Pixels.of(printed), wrong)


@pytest.mark.parametrize(("side_mm", "least"), [(3.0, 0), (6.0, 1)])
def test_a_page_full_of_squares_is_refused_after_few_tries(
    page, printed, side_mm, least, monkeypatch
):
    image = np.full(printed.shape, 240, np.uint8)
    side, step = round(side_mm * PX_PER_MM), round((side_mm + 1.5) * PX_PER_MM)
    for y in range(10, image.shape[0] - side, step):
        for x in range(10, image.shape[1] - side, step):
            image[y : y + side, x : x + side] = 20
    tried = []
    measure = _squares._measure
    monkeypatch.setattr(
        _squares, "_measure", lambda *arguments: tried.append(1) or measure(*arguments)
    )
    assert isinstance(register(Pixels.of(image), page), RegistrationFailure)
    n_levels, n_searches = 2, 4  # the last, by one side, measures twice as many
    most = n_searches * _proposals._MAX_WAYS + _proposals._MAX_QUAD_WAYS
    assert least <= len(tried) <= n_levels * most
