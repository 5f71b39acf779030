"""QR codes and barcodes, decoded by zxing-cpp in the region where the layout has them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray

from inkmark.errors import LayoutError
from inkmark.geometry import Box, bounds
from inkmark.images import Pixels
from inkmark.layouts import CodeField, PageLayout, Role
from inkmark.readings import CodeReading, Registration

__all__ = ["find_codes", "read_codes"]

GreyImage = NDArray[np.uint8]

_FORMATS = {
    "QRCode": zxingcpp.BarcodeFormat.QRCode,
    "DataMatrix": zxingcpp.BarcodeFormat.DataMatrix,
    "Code128": zxingcpp.BarcodeFormat.Code128,
    "PDF417": zxingcpp.BarcodeFormat.PDF417,
}

_MARGIN = 0.25
"""Added on each side of a code before it is cut out, as a share of its longer side: the
quiet zone and what registration may be off."""
_GLUED_MM = 6.0
"""Added besides for a code that does not name the page: it may be a label, glued askew."""
_SOFT = 0.007
"""Spread that fills in the dots of dithering but not the modules, as a share of the side
of a square as large as the code: a module is a twentieth to a fortieth."""
_COARSE = 0.018
"""The same for codes of few modules, as labels have."""
_AROUND = 0.2
"""Side of the neighbourhood that is the limit between black and white, as such a share:
it holds a finder pattern."""
_PAPER = 6
"""By so much darker than around it is what is not paper."""


def read_codes(
    pixels: Pixels, page: PageLayout, registration: Registration
) -> tuple[CodeReading, ...]:
    """Decode every code field of a registered page.

    Only the region of each field is looked at, and only for the field's formats. A region
    that does not decode as it is, is tried again without fine lines, softened, at other
    sizes, in black and white, and sharpened.

    Parameters
    ----------
    pixels : Pixels
    page : PageLayout
    registration : Registration

    Returns
    -------
    tuple of CodeReading
        One for each field whose code could be decoded.

    Raises
    ------
    LayoutError
        Where the layout asks for a format that is not supported.
    """
    readings = []
    for field in page.fields:
        if isinstance(field, CodeField):
            reading = _read_field(pixels, field, registration)
            if reading is not None:
                readings.append(reading)
    return tuple(readings)


def find_codes(pixels: Pixels) -> tuple[CodeReading, ...]:
    """Look for QR codes anywhere in an image, for pages that do not register.

    Parameters
    ----------
    pixels : Pixels

    Returns
    -------
    tuple of CodeReading
        `field` is empty.
    """
    found = zxingcpp.read_barcodes(
        pixels.whole(), formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    )
    return tuple(
        CodeReading("", code.text, "QRCode", _position_box(code.position)) for code in found
    )


def _read_field(pixels: Pixels, field: CodeField, registration: Registration) -> CodeReading | None:
    unknown = [name for name in field.formats if name not in _FORMATS]
    if unknown:
        raise LayoutError(
            f"code field {field.name!r} asks for the format {unknown[0]!r}; "
            f"use one of {', '.join(_FORMATS)}."
        )
    formats = zxingcpp.BarcodeFormats([_FORMATS[name] for name in field.formats])
    margin = _MARGIN * max(field.box.w, field.box.h)
    margin += 0.0 if field.role is Role.PAGE else _GLUED_MM
    corners = np.vstack([field.box.corners(), field.box.grown(margin).corners()])
    corners_px = registration.to_px(corners)
    box_px, region = bounds(corners_px[:4]), bounds(corners_px[4:])
    height, width = pixels.shape
    x0, y0 = max(0, round(region.x)), max(0, round(region.y))
    x1, y1 = min(width, round(region.right)), min(height, round(region.bottom))
    if x1 - x0 < 8 or y1 - y0 < 8:
        return None
    seen = pixels.at(np.array([[x0, y0, x1, y1]]))
    side_px = math.sqrt(box_px.w * box_px.h)
    for attempt in _attempts(seen[y0:y1, x0:x1], side_px):
        codes = zxingcpp.read_barcodes(attempt, formats=formats, try_invert=False)
        if codes:
            name = next(n for n, f in _FORMATS.items() if codes[0].format == f)
            return CodeReading(field.name, codes[0].text, name, box_px)
    return None


def _attempts(region: GreyImage, side_px: float) -> Iterator[GreyImage]:
    """Yield the region as it is, then changed in ways that mend what spoils codes.

    Dust on a scanner's glass draws lines along the page, which cut the finder patterns;
    dithering leaves holes in them; shadows hide them from one limit for all.
    """
    yield np.ascontiguousarray(region)
    closed = cv2.morphologyEx(region, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    yield np.asarray(closed, dtype=np.uint8)
    softened = cv2.GaussianBlur(region, (0, 0), max(_SOFT * side_px, 0.5))
    yield np.asarray(softened, dtype=np.uint8)
    coarse = cv2.GaussianBlur(region, (0, 0), max(_COARSE * side_px, 0.5))
    yield np.asarray(coarse, dtype=np.uint8)
    halved = cv2.resize(region, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    yield np.asarray(halved, dtype=np.uint8)
    doubled = cv2.resize(region, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    yield np.asarray(doubled, dtype=np.uint8)
    around = 2 * round(_AROUND * side_px / 2) + 3
    limited = cv2.adaptiveThreshold(
        softened, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, around, _PAPER
    )
    yield np.asarray(limited, dtype=np.uint8)
    trebled = cv2.resize(region, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    blurred = cv2.GaussianBlur(trebled, (0, 0), 4.0)
    yield np.asarray(cv2.addWeighted(trebled, 4.0, blurred, -3.0, 0.0), dtype=np.uint8)


def _position_box(position: zxingcpp.Position) -> Box:
    corners = (
        position.top_left,
        position.top_right,
        position.bottom_right,
        position.bottom_left,
    )
    return bounds(np.array([(p.x, p.y) for p in corners], dtype=np.float64))
