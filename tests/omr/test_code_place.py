"""A QR code is found by its finder patterns, and bears out where a cut-off sheet lies."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import zxingcpp
from drawn_sheets import PX_PER_MM, draw, place, sheet

from inkmark.geometry import Box, apply_homography
from inkmark.images import Pixels
from inkmark.layouts import CodeField
from inkmark.omr import RegistrationFailure, register
from inkmark.omr._code_place import find_code
from inkmark.readings import Registration

CODE = Box(173.0, 17.5, 20.0, 20.0)
TRUE = np.diag([PX_PER_MM, PX_PER_MM, 1.0])


@pytest.fixture(scope="module")
def page():
    plain = sheet()
    return replace(plain, fields=(*plain.fields, CodeField("page", CODE)))


@pytest.fixture(scope="module")
def printed():
    image = draw(sheet())
    code = zxingcpp.create_barcode(
        "IM1:EXAM2026:2026010101:1:8F3A2B1C", zxingcpp.BarcodeFormat.QRCode
    )
    symbol = np.asarray(code.to_image(add_quiet_zones=False))
    x0, y0, x1, y1 = (round(v * PX_PER_MM) for v in (CODE.x, CODE.y, CODE.right, CODE.bottom))
    symbol = cv2.resize(symbol, (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)
    image[y0:y1, x0:x1] = np.minimum(image[y0:y1, x0:x1], symbol)
    return image


@pytest.mark.parametrize("shift", [(0.0, 0.0), (1.5, -0.8), (-2.0, 2.0)])
def test_a_code_near_its_place(page, printed, shift):
    moved = TRUE.copy()
    moved[:2, 2] = -np.array(shift) * PX_PER_MM
    found = find_code(Pixels.of(printed), page, moved)
    assert found is not None
    assert found[0] == pytest.approx(CODE.centre)
    assert found[1] == pytest.approx(shift, abs=0.15)


def test_no_code_where_the_sheet_lies_otherwise(page, printed):
    far = TRUE.copy()
    far[0, 2] = 5 * PX_PER_MM
    assert find_code(Pixels.of(printed), page, far) is None
    upside_down = np.ascontiguousarray(printed[::-1, ::-1])
    assert find_code(Pixels.of(upside_down), page, TRUE) is None
    x, y = (round(v * PX_PER_MM) for v in (CODE.x, CODE.y))
    side = round(20.0 * PX_PER_MM)
    for k in range(1, 4):  # the code itself turned: its corner without a pattern is elsewhere
        turned = printed.copy()
        turned[y : y + side, x : x + side] = np.rot90(printed[y : y + side, x : x + side], k)
        assert find_code(Pixels.of(turned), page, TRUE) is None
    assert find_code(Pixels.of(printed), sheet(), TRUE) is None
    away = TRUE.copy()
    away[0, 2] = 5000.0
    assert find_code(Pixels.of(printed), page, away) is None


@pytest.mark.parametrize("turn_deg", [0.0, 0.3, -0.3])
@pytest.mark.parametrize("width", [0.995, 1.0, 1.005])
@pytest.mark.parametrize("turned", [False, True])
def test_a_sheet_with_the_side_cut_off_that_the_code_is_on(page, printed, turned, width, turn_deg):
    image, matrix = place(printed, turn_deg=turn_deg, shape=printed.shape)
    image = cv2.resize(image, None, fx=width, fy=1.0)[:, : -round(13.0 * PX_PER_MM)]
    matrix = np.diag([width, 1.0, 1.0]) @ matrix
    if turned:
        height, cut_width = image.shape
        image = image[::-1, ::-1]
        matrix = np.array([[-1, 0, cut_width - 1], [0, -1, height - 1], [0, 0, 1.0]]) @ matrix
    found = register(Pixels.of(np.ascontiguousarray(image)), page)
    assert isinstance(found, Registration)
    assert found.orientation_deg == 180 * turned
    bubbles = np.concatenate([f.centres() for f in sheet().fields])
    off_px = found.to_px(bubbles) - apply_homography(matrix, bubbles * PX_PER_MM)
    assert np.hypot(*off_px.T).max() < 0.3 * PX_PER_MM


@pytest.mark.parametrize("turn_deg", [1.5, -1.5])
@pytest.mark.parametrize("shift_mm", [9.0, 11.0, -9.0, -11.0])
def test_a_slanting_sheet_of_which_a_corner_of_the_side_cut_off_is_inside(
    page, printed, shift_mm, turn_deg
):
    image, matrix = place(
        printed, turn_deg=turn_deg, shape=printed.shape, shift=(shift_mm * PX_PER_MM, 0)
    )
    found = register(Pixels.of(image), page)
    assert isinstance(found, Registration)
    assert found.anchors_found < 0.75 * found.anchors_expected
    bubbles = np.concatenate([f.centres() for f in sheet().fields])
    off_px = found.to_px(bubbles) - apply_homography(matrix, bubbles * PX_PER_MM)
    assert np.hypot(*off_px.T).max() < 0.2 * PX_PER_MM


@pytest.mark.parametrize("turn_deg", [1.5, -1.5])
def test_without_the_code_it_is_refused(page, turn_deg):
    shift = (11.0 * PX_PER_MM, 0)
    image, _ = place(draw(sheet()), turn_deg=turn_deg, shape=(2339, 1654), shift=shift)
    assert isinstance(register(Pixels.of(image), page), RegistrationFailure)


def dark_edge(image):
    image[: round(12 * PX_PER_MM)] = 25
    return image


def end_cut_off(image):
    return image[round(11 * PX_PER_MM) :]


def corner_torn_off(image):
    corner = np.array([(0, 0), (45, 0), (0, 30)]) * PX_PER_MM
    cv2.fillPoly(image, [corner.astype(np.int32)], 255)
    return image


@pytest.mark.parametrize("turn_deg", [0.0, 91.0, 181.0])
@pytest.mark.parametrize("hide", [dark_edge, end_cut_off, corner_torn_off])
def test_where_the_key_mark_is_hidden_the_code_tells_which_way_up_a_sheet_is(
    page, printed, hide, turn_deg
):
    image, _ = place(hide(printed.copy()), turn_deg=turn_deg)
    found = register(Pixels.of(image), page)
    assert isinstance(found, Registration)
    assert found.orientation_deg == round(turn_deg / 90) * 90
    without, _ = place(hide(draw(sheet())), turn_deg=turn_deg)
    refused = register(Pixels.of(without), page)
    assert isinstance(refused, RegistrationFailure)
    assert "which way up" in refused.reason
