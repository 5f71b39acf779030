"""Codes are decoded in their region, whichever way the page lies."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import zxingcpp

from inkmark.errors import LayoutError
from inkmark.geometry import Box, fit_homography
from inkmark.images import Pixels
from inkmark.layouts import AnchorKind, Anchors, CodeField, PageLayout, Role
from inkmark.ocr import find_codes, read_codes
from inkmark.readings import Registration

TEXT = "IM1:EXAM2026:2026010101:1:8F3A2B1C"
PX_PER_MM = 200 / 25.4


def page_with(*fields: CodeField) -> PageLayout:
    return PageLayout(105.0, 74.0, Anchors(AnchorKind.IMAGE), fields)


def draw(text: str, box: Box, fmt: zxingcpp.BarcodeFormat, page: PageLayout) -> np.ndarray:
    pixels = np.full(
        (round(page.height_mm * PX_PER_MM), round(page.width_mm * PX_PER_MM)), 255, np.uint8
    )
    symbol = np.asarray(zxingcpp.create_barcode(text, fmt).to_image(add_quiet_zones=False))
    x0, y0 = round(box.x * PX_PER_MM), round(box.y * PX_PER_MM)
    x1, y1 = round(box.right * PX_PER_MM), round(box.bottom * PX_PER_MM)
    pixels[y0:y1, x0:x1] = cv2.resize(symbol, (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST)
    return pixels


def registration(homography: np.ndarray, orientation_deg: int = 0) -> Registration:
    return Registration(orientation_deg, tuple(homography.ravel()), 0.0, 4, 4)


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
def test_reads_a_qr_code_in_each_orientation(quarter_turns: int) -> None:
    field = CodeField("page", Box(70.0, 10.0, 18.0, 18.0))
    page = page_with(field)
    upright = draw(TEXT, field.box, zxingcpp.BarcodeFormat.QRCode, page)
    height, width = upright.shape
    corners_mm = Box(0, 0, page.width_mm, page.height_mm).corners()
    corners_px = Box(0, 0, width, height).corners()
    turned = np.ascontiguousarray(np.rot90(upright, -quarter_turns))
    for _ in range(quarter_turns):  # clockwise: (x, y) -> (height - y, x)
        corners_px = np.column_stack([height - corners_px[:, 1], corners_px[:, 0]])
        height, width = width, height
    homography = fit_homography(corners_mm, corners_px)
    (code,) = read_codes(Pixels.of(turned), page, registration(homography, 90 * quarter_turns))
    assert (code.field, code.text, code.format) == ("page", TEXT, "QRCode")
    assert code.box_px.w == pytest.approx(18.0 * PX_PER_MM, abs=2)


@pytest.mark.parametrize(
    ("name", "box"),
    [
        ("DataMatrix", Box(10.0, 10.0, 14.0, 14.0)),
        ("Code128", Box(10.0, 10.0, 70.0, 12.0)),
        ("PDF417", Box(10.0, 10.0, 60.0, 20.0)),
    ],
)
def test_reads_other_formats_only_where_asked(name: str, box: Box) -> None:
    page = page_with(CodeField("label", box, (name,)))
    pixels = draw("2026010101", box, getattr(zxingcpp.BarcodeFormat, name), page)
    homography = np.diag([PX_PER_MM, PX_PER_MM, 1.0])
    assert [c.text for c in read_codes(Pixels.of(pixels), page, registration(homography))] == [
        "2026010101"
    ]
    as_qr = page_with(CodeField("label", box))
    assert read_codes(Pixels.of(pixels), as_qr, registration(homography)) == ()


@pytest.mark.parametrize(("scale", "sigma"), [(0.5, 1.0), (0.4, 1.0), (0.3, 0.6), (0.26, 0.0)])
def test_a_small_blurred_code_is_tried_again(scale: float, sigma: float) -> None:
    field = CodeField("page", Box(70.0, 10.0, 14.0, 14.0))
    page = page_with(field)
    pixels = draw(TEXT, field.box, zxingcpp.BarcodeFormat.QRCode, page)
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if sigma:
        small = cv2.GaussianBlur(small, (0, 0), sigma)
    assert zxingcpp.read_barcodes(small) == [], "the picture must be too hard for one attempt"
    homography = np.diag([PX_PER_MM * scale, PX_PER_MM * scale, 1.0])
    (code,) = read_codes(Pixels.of(small), page, registration(homography))
    assert code.text == TEXT


def test_a_line_of_dust_through_the_finder_patterns_does_no_harm() -> None:
    field = CodeField("page", Box(70.0, 10.0, 20.0, 20.0))
    page = page_with(field)
    pixels = draw(TEXT, field.box, zxingcpp.BarcodeFormat.QRCode, page)
    x = round(72.4 * PX_PER_MM)
    pixels[:, x : x + 2] = 0
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    assert zxingcpp.read_barcodes(pixels, formats=formats) == [], "the picture must be hard"
    (code,) = read_codes(
        Pixels.of(pixels), page, registration(np.diag([PX_PER_MM, PX_PER_MM, 1.0]))
    )
    assert code.text == TEXT


@pytest.mark.parametrize("angle_deg", [-8.0, 8.0])
def test_a_label_that_was_glued_askew(angle_deg: float) -> None:
    box = Box(20.0, 30.0, 14.0, 14.0)
    fields = [
        CodeField("label", box, ("DataMatrix",), role) for role in (Role.PAGE, Role.CANDIDATE)
    ]
    printed, glued = (page_with(field) for field in fields)
    straight = draw("2026010101", box, zxingcpp.BarcodeFormat.DataMatrix, glued)
    turn = cv2.getRotationMatrix2D((27 * PX_PER_MM, 37 * PX_PER_MM), angle_deg, 1.0)
    turn[:, 2] += 5.0 * PX_PER_MM
    askew = cv2.warpAffine(straight, turn, straight.shape[::-1], borderValue=255)
    place = registration(np.diag([PX_PER_MM, PX_PER_MM, 1.0]))
    assert read_codes(Pixels.of(askew), printed, place) == (), "the field must be too small"
    assert [c.text for c in read_codes(Pixels.of(askew), glued, place)] == ["2026010101"]


@pytest.mark.parametrize("fmt", ["Code128", "PDF417", "DataMatrix", "QRCode"])
def test_a_shadow_over_a_code(fmt: str) -> None:
    box = Box(20.0, 25.0, 60.0, 12.0) if fmt == "Code128" else Box(30.0, 20.0, 24.0, 24.0)
    page = page_with(CodeField("label", box, (fmt,), Role.CANDIDATE))
    pixels = draw("2026010101", box, getattr(zxingcpp.BarcodeFormat, fmt), page)
    shaded = (pixels * np.linspace(0.3, 1.0, pixels.shape[1])).astype(np.uint8)
    place = registration(np.diag([PX_PER_MM, PX_PER_MM, 1.0]))
    assert [c.text for c in read_codes(Pixels.of(shaded), page, place)] == ["2026010101"]


def diffused(pixels: np.ndarray) -> np.ndarray:
    """Black and white dots whose mean is the picture (Floyd and Steinberg 1976)."""
    left = pixels.astype(np.float64)
    height, width = left.shape
    for y in range(height):
        for x in range(width):
            dot = 255.0 if left[y, x] >= 128 else 0.0
            error, left[y, x] = left[y, x] - dot, dot
            for dx, dy, share in ((1, 0, 7), (-1, 1, 3), (0, 1, 5), (1, 1, 1)):
                if 0 <= x + dx < width and y + dy < height:
                    left[y + dy, x + dx] += error * share / 16
    return left.astype(np.uint8)


@pytest.mark.parametrize(("black", "white"), [(60, 240), (90, 220)])
def test_a_dithered_code(black: int, white: int) -> None:
    field = CodeField("page", Box(3.0, 3.0, 20.0, 20.0))
    page = PageLayout(26.0, 26.0, Anchors(AnchorKind.IMAGE), (field,))
    grey = draw(TEXT, field.box, zxingcpp.BarcodeFormat.QRCode, page)
    pixels = diffused(black + grey / 255.0 * (white - black))
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    assert zxingcpp.read_barcodes(pixels, formats=formats) == [], "the picture must be hard"
    (code,) = read_codes(
        Pixels.of(pixels), page, registration(np.diag([PX_PER_MM, PX_PER_MM, 1.0]))
    )
    assert code.text == TEXT


def test_a_field_outside_the_image_is_not_decoded() -> None:
    page = page_with(CodeField("page", Box(70.0, 10.0, 18.0, 18.0)))
    homography = np.array([[PX_PER_MM, 0, 5000.0], [0, PX_PER_MM, 0], [0, 0, 1.0]])
    assert (
        read_codes(Pixels.of(np.full((500, 500), 255, np.uint8)), page, registration(homography))
        == ()
    )


def test_an_unknown_format_is_refused() -> None:
    page = page_with(CodeField("page", Box(10.0, 10.0, 18.0, 18.0), ("Morse",)))
    with pytest.raises(LayoutError, match="Morse"):
        read_codes(Pixels.of(np.zeros((99, 99), np.uint8)), page, registration(np.eye(3)))


def test_find_codes_looks_everywhere() -> None:
    page = page_with()
    pixels = draw(TEXT, Box(40.0, 30.0, 20.0, 20.0), zxingcpp.BarcodeFormat.QRCode, page)
    (code,) = find_codes(Pixels.of(np.rot90(pixels, 2).copy()))
    assert code.text == TEXT
    assert find_codes(Pixels.of(np.full((300, 300), 255, np.uint8))) == ()
