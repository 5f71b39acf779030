"""Where a printed QR code lies, from its finder patterns: evidence of how a sheet lies."""

from __future__ import annotations

import cv2
import numpy as np

from inkmark.geometry import Box, apply_homography
from inkmark.images import Pixels
from inkmark.layouts import CodeField, PageLayout
from inkmark.omr._transform import FloatArray, GreyImage

__all__ = ["find_code"]

_PX_PER_MM = 8
_REACH_MM = 2.5
"""How far a finder pattern may be off its place."""
_SOFT_PX = 1.2
"""Spread that fills in the dots of dithering."""
_SIZES = range(21, 46, 4)
"""Modules along a side: versions 1 to 7 (ISO/IEC 18004, 6.3)."""
_MIN_LIKENESS = 0.75
"""Correlation with each of the finder patterns; other print has 0.5 and less."""
_AGREE_MM = 1.0
"""The three are shifted alike but for this, which a bulge of the paper makes of it."""


def find_code(
    pixels: Pixels, page: PageLayout, homography: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    """Find a QR code of a page near where a homography puts it.

    Three of a code's corners have a finder pattern and the fourth has none, so that a code
    is not found where the sheet lies otherwise.

    Parameters
    ----------
    pixels : Pixels
    page : PageLayout
    homography : (3, 3) float64
        Sheet mm to pixels.

    Returns
    -------
    tuple of (2,) float64 or None
        Middle of the code on the sheet, and how far off it is, in mm.
    """
    for field in page.fields:
        if isinstance(field, CodeField) and "QRCode" in field.formats:
            patch = _cut(pixels, field.box.grown(_REACH_MM + 1.0), homography)
            shifts = None if patch is None else _finders(patch, min(field.box.w, field.box.h))
            if shifts is not None:
                return np.array(field.box.centre), shifts.mean(axis=0)
    return None


def _cut(pixels: Pixels, box: Box, homography: FloatArray) -> GreyImage | None:
    """A part of the sheet, upright; None where it is not in the image."""
    corners = apply_homography(homography, box.corners())
    low, high = np.floor(corners.min(axis=0)) - 2, np.ceil(corners.max(axis=0)) + 2
    height, width = pixels.shape
    if (high <= 0).any() or (low >= (width, height)).any():
        return None
    canvas = pixels.at(np.array([[*low, *high]], dtype=np.int64))
    step = 1 / _PX_PER_MM
    to_sheet = np.array([[step, 0, box.x], [0, step, box.y], [0, 0, 1.0]])
    patch = cv2.warpPerspective(
        canvas,
        homography @ to_sheet,
        (round(box.w * _PX_PER_MM), round(box.h * _PX_PER_MM)),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderValue=255,
    )
    return np.asarray(cv2.GaussianBlur(patch, (0, 0), _SOFT_PX), np.uint8)


def _finders(patch: GreyImage, side_mm: float) -> FloatArray | None:
    """Shifts of the three finder patterns (3, 2) in mm, for the number of modules that fits."""
    best, found = _MIN_LIKENESS, None
    for n in _SIZES:
        module = side_mm / n
        pattern = _pattern(module)
        half = (len(pattern) - 1) / 2
        near, far = 3.5 * module, side_mm - 3.5 * module
        reach = round(_REACH_MM * _PX_PER_MM)
        shifts, likeness = [], 1.0
        for corner in ((near, near), (far, near), (near, far)):
            middle = (np.array(corner) + _REACH_MM + 1.0) * _PX_PER_MM - 0.5
            first = np.maximum(np.rint(middle - half - reach).astype(int), 0)
            last = first + len(pattern) + 2 * reach
            window = patch[first[1] : last[1], first[0] : last[0]]
            if min(window.shape) < len(pattern):
                return None
            like = cv2.matchTemplate(window, pattern, cv2.TM_CCOEFF_NORMED)
            _, peak, _, at = cv2.minMaxLoc(like)
            likeness = min(likeness, peak)
            shifts.append((first + at + half - middle) / _PX_PER_MM)
        if likeness > best and np.ptp(shifts, axis=0).max() < _AGREE_MM:
            best, found = likeness, np.array(shifts)
    return found


def _pattern(module_mm: float) -> GreyImage:
    """A finder pattern with a light module around it."""
    rings = np.full((9, 9), 255, np.uint8)
    rings[1:8, 1:8] = 0
    rings[2:7, 2:7] = 255
    rings[3:6, 3:6] = 0
    side = round(9 * module_mm * _PX_PER_MM)
    pattern = cv2.resize(rings, (side, side), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.GaussianBlur(pattern, (0, 0), _SOFT_PX), np.uint8)
