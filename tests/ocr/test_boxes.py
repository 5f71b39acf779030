"""Boxes cut out of drawn pages, and what is left of their frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from inkmark.geometry import Box
from inkmark.images import Pixels
from inkmark.layouts import WritingField
from inkmark.ocr import _box_kernels as kernels
from inkmark.ocr._piece_kernels import share_out
from inkmark.ocr.boxes import PAPER, SCALE, CutField, cut_fields
from inkmark.readings import Registration

DPI = 200
PX_PER_MM = DPI / 25.4
ROW = WritingField("number", Box(20.0, 30.0, 7.0, 7.0), 6, 7.0, "digits")


def area(length_mm, width_mm=0.6):
    """What is darker than a third of a stroke is wider than the stroke by its blurred edges."""
    return length_mm * (width_mm + 0.15) + width_mm**2


def registration(dx_mm=0.0, dy_mm=0.0, turn_deg=0.0):
    """Where a page drawn at `DPI` is said to lie."""
    turn = np.deg2rad(turn_deg)
    c, s = PX_PER_MM * np.cos(turn), PX_PER_MM * np.sin(turn)
    shift = (PX_PER_MM * dx_mm - 0.5, PX_PER_MM * dy_mm - 0.5)
    return Registration(0, (c, -s, shift[0], s, c, shift[1], 0.0, 0.0, 1.0), 0.0, 0, 0)


def page(field=ROW, *, grey=70, line_mm=0.2, paper=240, draw=None, blur_mm=0.05):
    """Boxes, and what `draw` puts on a fine picture of the page in mm."""
    fine = 4
    scale = fine * PX_PER_MM
    image = np.full((round(60 * scale), round(110 * scale)), paper, np.uint8)
    thick = max(1, round(line_mm * scale))
    for box in field.boxes():
        corners = [np.rint(np.array(p) * scale).astype(int).tolist() for p in box.corners()]
        cv2.rectangle(image, corners[0], corners[2], int(grey), thick)
    if draw is not None:
        draw(image, scale)
    image = cv2.GaussianBlur(image, (0, 0), blur_mm * scale)
    size = (image.shape[1] // fine, image.shape[0] // fine)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def stroke(*points_mm, width_mm=0.6, grey=40):
    def draw(image, scale):
        points = np.rint(np.array(points_mm) * scale).astype(np.int32)
        cv2.polylines(image, [points], False, grey, round(width_mm * scale), cv2.LINE_AA)

    return draw


def cut(image, field=ROW, **place) -> CutField:
    (found,) = cut_fields(Pixels.of(image), [field], registration(**place))
    return found


@pytest.mark.parametrize("grey", [20, 70, 190, 235])
@pytest.mark.parametrize("place", [(0.0, 0.0), (0.2, -0.2), (-0.3, 0.15)])
def test_frames_leave_no_ink(grey, place):
    found = cut(page(grey=grey), dx_mm=place[0], dy_mm=place[1])
    assert (found.measures == 0).all()
    assert (found.strip > PAPER - 40).all()


def test_black_and_white_frames_leave_next_to_nothing():
    rng = np.random.default_rng(3)
    image = page(grey=60, line_mm=0.15).astype(float) + rng.normal(0, 12, page().shape)
    found = cut(np.where(image > 150, 255, 0).astype(np.uint8), dx_mm=0.1)
    assert found.measures[:, 0].max() < 0.3


def test_a_stroke_across_a_dark_frame_stays_whole():
    crossing = stroke((30.0, 29.4), (31.0, 37.4))
    (bare,) = cut_fields(Pixels.of(page(draw=crossing, grey=240)), [ROW], registration())
    framed = cut(page(draw=crossing, grey=60))
    assert framed.measures[1, 0] == pytest.approx(bare.measures[1, 0], rel=0.15)
    assert (framed.measures[[0, 2, 3, 4, 5], 0] == 0).all()
    n_pieces, _ = cv2.connectedComponents((framed.crop(1) < PAPER - 60).astype(np.uint8))
    assert n_pieces == 2  # paper, and one stroke


def test_a_stroke_on_a_pale_frame_stays():
    along = stroke((27.0, 31.0), (27.0, 36.0))
    found = cut(page(draw=along, grey=200))
    assert found.measures[:2, 0].sum() == pytest.approx(area(5.0), rel=0.25)


def test_a_long_stroke_beside_the_frame_is_not_taken_for_it():
    beside = stroke((27.7, 30.6), (27.7, 36.4), width_mm=0.5)
    found = cut(page(draw=beside, grey=90))
    assert found.measures[1, 0] == pytest.approx(area(5.8, 0.5), rel=0.25)


def test_strokes_that_leave_their_box_belong_to_it():
    tail = stroke((29.0, 31.0), (33.0, 31.2), (35.0, 33.0))
    found = cut(page(draw=tail, grey=200))
    assert found.measures[2, 0] == 0
    assert found.measures[1, 0] == pytest.approx(area(6.8), rel=0.2)
    assert found.measures[1, 2] == pytest.approx(1.5 / 6.7, abs=0.1)
    assert found.measures[2, 3] == 1.0
    assert (found.crop(2) == PAPER).mean() > 0.1
    assert found.crop(2).min() > PAPER - 60


def test_a_stroke_through_two_boxes_is_cut_between_them():
    through = stroke((28.0, 33.5), (40.0, 33.5))
    found = cut(page(draw=through, grey=200))
    assert found.measures[1, 0] == pytest.approx(found.measures[2, 0], rel=0.15)
    assert found.measures[1, 0] > 2.5


def test_writing_outside_of_all_boxes_belongs_to_none():
    above = stroke((22.0, 29.2), (25.0, 29.2), width_mm=0.4)
    found = cut(page(draw=above))
    assert (found.measures[:, 0] == 0).all()
    below = stroke((22.0, 38.4), (25.0, 38.4), width_mm=0.4)
    found = cut(page(draw=below))
    assert (found.measures[:, 0] == 0).all()
    assert found.measures[0, 4] == pytest.approx(area(3.0, 0.4), rel=0.5)
    assert (found.measures[1:, 4] == 0).all()


def test_a_black_box_is_all_ink():
    def draw(image, scale):
        a, b = (np.rint(np.array(p) * scale).astype(int).tolist() for p in ((27, 30), (34, 37)))
        cv2.rectangle(image, a, b, 30, -1)

    found = cut(page(draw=draw))
    assert found.measures[1, 1] > 0.85
    assert (found.measures[[0, 2, 3, 4, 5], 0] < 0.3).all()


def test_boxes_with_gaps_and_single_boxes():
    apart = WritingField("x", Box(20.0, 30.0, 8.0, 8.0), 3, 12.0, "ABCD")
    single = WritingField("y", Box(20.0, 30.0, 8.0, 8.0), 1, 0.0, "ABCD")
    for field in (apart, single):
        last = field.boxes()[-1]
        inside = stroke((last.x + 2, last.y + 2), (last.x + 6, last.y + 6))
        found = cut(page(field, draw=inside, grey=60), field)
        assert found.measures[:-1].sum() == 0
        assert found.measures[-1, 0] == pytest.approx(area(np.hypot(4, 4)), rel=0.2)


def test_a_wide_box():
    wide = WritingField("w", Box(12.0, 30.0, 80.0, 9.0))
    writing = stroke((30.0, 32.0), (33.0, 37.0), (36.0, 32.0))
    found = cut(page(wide, draw=writing, grey=60), wide, dy_mm=0.2)
    assert found.measures[0, 0] == pytest.approx(area(2 * np.hypot(3, 5)), rel=0.2)
    clean = cut(page(wide, grey=60), wide, dy_mm=0.2, turn_deg=0.15)
    assert clean.measures[0, 0] == 0


@pytest.mark.parametrize("turn_deg", [0.0, 2.0])
def test_streaks_of_a_dirty_scanner_are_no_ink(turn_deg):
    """They run along the image's columns, however the sheet lies in it."""
    image = page(draw=stroke((35.0, 32.0), (39.0, 35.0)))
    turn = cv2.getRotationMatrix2D((0.0, 0.0), -turn_deg, 1.0)
    image = cv2.warpAffine(image, turn, image.shape[::-1], borderValue=240)
    found = cut(image, turn_deg=turn_deg)
    for x_mm in (24.0, 37.0, 48.0):
        column = round(registration(turn_deg=turn_deg).to_px([(x_mm, 33.5)])[0, 0])
        image[:, column : column + 2] = np.minimum(image[:, column : column + 2], 90)
    streaked = cut(image, turn_deg=turn_deg)
    assert streaked.measures[:, 0] == pytest.approx(found.measures[:, 0], abs=0.35)


def test_shade_is_no_ink():
    shade = np.linspace(1.0, 0.55, page().shape[1])
    found = cut((page(grey=80) * shade).astype(np.uint8))
    assert (found.measures[:, 0] == 0).all()


def test_only_the_windows_of_the_fields_are_looked_at():
    class Watched(Pixels):
        asked = None

        def at(self, boxes):
            self.asked = boxes
            return super().at(boxes)

    image = page(draw=stroke((22.0, 32.0), (25.0, 35.0)))
    pixels = Watched(image)
    (found,) = cut_fields(pixels, [ROW], registration())
    seen = np.zeros(image.shape, bool)
    for x0, y0, x1, y1 in pixels.asked.tolist():
        seen[max(y0, 0) : y1, max(x0, 0) : x1] = True
    assert seen.mean() < 0.25
    (again,) = cut_fields(Pixels.of(np.where(seen, image, 0)), [ROW], registration())
    np.testing.assert_array_equal(again.strip, found.strip)


@pytest.mark.parametrize("dx_mm", [-25.0, 100.0, 1e9, float("nan")])
def test_a_field_outside_of_the_image_is_said_to_be(dx_mm):
    found = cut(page(), dx_mm=dx_mm)
    assert not found.in_image


def test_cut_strip_equals_sampling_in_numpy():
    rng = np.random.default_rng(1)
    image = cv2.GaussianBlur(rng.integers(0, 256, (90, 120)).astype(np.uint8), (0, 0), 2.0)
    knots = np.empty((2, 3, 2))
    knots[..., 0] = [[10, 50, 92], [8, 49, 90]]
    knots[..., 1] = [[12, 10, 9], [50, 51, 49]]
    out = np.empty((38, 77), np.uint8)
    papers = np.empty(2)
    ends = np.array([0, 40, 77])
    assert kernels.cut_strip(image, knots, 40.0, papers, ends, out) == 0
    u, v = (np.arange(77) + 0.5) / 40.0, (np.arange(38)[:, None] + 0.5) / 40.0
    column = np.minimum(u.astype(int), 1)
    u = u - column
    x, y = (
        (1 - v) * ((1 - u) * knots[0, column, k] + u * knots[0, column + 1, k])
        + v * ((1 - u) * knots[1, column, k] + u * knots[1, column + 1, k])
        for k in (0, 1)
    )
    grey = cv2.remap(
        image.astype(np.float32),
        x.astype(np.float32),
        y.astype(np.float32),
        cv2.INTER_LINEAR,
    )
    for k in (0, 1):
        part = grey[:, ends[k] : ends[k + 1]]
        assert papers[k] == pytest.approx(np.quantile(part, 0.9), abs=2.0)
    level = np.interp(np.arange(77), [20.0, 58.5], papers)
    np.testing.assert_allclose(out, np.minimum(grey * PAPER / level, 255), atol=3.0)


@pytest.mark.parametrize("share", [0.7, 0.2])
def test_share_out_equals_connected_components_of_opencv(share):
    rng = np.random.default_rng(4)
    light = cv2.GaussianBlur(rng.integers(0, 256, (60, 150)).astype(np.uint8), (0, 0), 2.5)
    strip = np.clip((light.astype(int) - 100) * 8, 0, PAPER).astype(np.uint8)
    boxes = np.array([[10, 10, 60, 50], [70, 10, 120, 50]])
    owner = np.empty(strip.shape, np.int64)
    measures = np.empty((2, 5))
    share_out(strip, boxes, 3, 60, share, owner, measures)
    dark = PAPER - strip.astype(int)
    n, labels = cv2.connectedComponents((dark > 60).astype(np.uint8), connectivity=8)
    home = np.full(strip.shape, -1)
    for k, (x0, y0, x1, y1) in enumerate(boxes):
        home[y0:y1, x0:x1] = k
    expected = home.copy()
    for label in range(1, n):
        piece = labels == label
        mass = np.array([dark[piece & (home == k)].sum() for k in (0, 1, -1)])
        best = int(mass[:2].argmax())
        y, x = np.nonzero(piece)
        x0, y0, x1, y1 = boxes[best]
        along = np.ptp(x) < 3 and (x.max() < x0 + 3 or x.min() >= x1 - 3)
        along |= np.ptp(y) < 3 and (y.max() < y0 + 3 or y.min() >= y1 - 3)
        if along:
            expected[piece] = -1
        elif mass[best] >= share * mass.sum():
            expected[piece] = best
        elif mass[2] >= 0.5 * mass.sum():
            expected[piece] = -1
    np.testing.assert_array_equal(owner, expected)
    for k in (0, 1):
        mine = (owner == k) & (labels > 0)
        assert measures[k, 0] == mine.sum()
        assert measures[k, 2] == pytest.approx((mine & (home != k)).sum() / mine.sum())


LINE = WritingField("line", Box(20.0, 30.0, 60.0, 9.0), 1, 0.0, "text")


def hanging(image, scale):
    """A letter of which two thirds hang below the box, on the frame of the next."""
    stroke((40.0, 38.2), (40.0, 40.9))(image, scale)
    stroke((20.0, 40.8), (80.0, 40.8), width_mm=0.2, grey=70)(image, scale)


def test_a_letter_that_hangs_out_of_a_line_belongs_to_it():
    found = cut(page(LINE, draw=hanging), LINE)
    assert found.measures[0, 0] == pytest.approx(area(2.4), rel=0.2)
    assert found.measures[0, 4] == 0, "frames of neighbours are no ink"


def test_what_stands_below_a_line_is_seen():
    found = cut(page(LINE, draw=stroke((40.0, 39.8), (40.0, 40.4))), LINE)
    assert found.measures[0, 0] == 0
    assert found.measures[0, 4] > 0.3


def test_scale_is_what_measures_are_in():
    found = cut(page(grey=240, draw=stroke((23.5, 31.0), (23.5, 36.0), width_mm=1.0)))
    assert found.measures[0, 0] == pytest.approx(area(5.0, 1.0), rel=0.15)
    assert found.strip.shape == (round(10.25 * SCALE), round(44.5 * SCALE))
