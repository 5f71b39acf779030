"""A page flattened: upright, in a fixed number of pixels a millimetre."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.geometry import MM_PER_INCH, Box, apply_homography, fit_homography
from inkmark.images import Pixels
from inkmark.layouts import AnchorKind, Anchors, PageLayout
from inkmark.learning._shapes import FloatArray
from inkmark.omr import register
from inkmark.readings import Registration

__all__ = ["Flat", "flatten"]

_PX_PER_MM = 8.0
_PAPERS_MM = ((210.0, 297.0), (297.0, 420.0), (148.0, 210.0), (215.9, 279.4), (215.9, 355.6))
_LONG_MM = 297.0
_SIDES_MM = (60.0, 600.0)
_SNAP = 0.02
_SNAP_PHOTO = 0.1
_DARKER = 0.8
"""What lies around a photographed sheet is darker than this share of the sheet."""
_PHOTO_SHARE = (0.1, 0.93)
_MAX_PX = 4200


@dataclass(frozen=True, slots=True, eq=False)
class Flat:
    """A flattened page.

    Attributes
    ----------
    pixels : (H, W) uint8
    to_image : (3, 3) float64
        From sheet millimetres to pixels of the image that was given.
    width_mm, height_mm : float
    size_known : bool
        Whether the size was told by the file or the caller, and not assumed.
    photo : bool
        Whether the sheet was cut out of a picture that shows more.
    px_per_mm : float
    """

    pixels: NDArray[np.uint8]
    to_image: FloatArray
    width_mm: float
    height_mm: float
    size_known: bool
    photo: bool
    px_per_mm: float


def flatten(
    pixels: NDArray[np.uint8], dpi: float | None, width_mm: float | None, skew_deg: float = 0.0
) -> Flat:
    """Cut the sheet out of a picture, or take the picture for the sheet.

    Parameters
    ----------
    pixels : (H, W) uint8
    dpi : float or None
        Pixels an inch, where the file tells.
    width_mm : float or None
        Width of the paper where the caller knows it.
    skew_deg : float
        Clockwise turn of the print on the sheet, which is taken back.
    """
    corners = _photographed(pixels)
    photo = corners is not None
    if corners is None:
        corners = Box(-0.5, -0.5, pixels.shape[1], pixels.shape[0]).corners()
    size, known = _size_mm(corners, None if photo else dpi, width_mm, photo=photo)
    page = Box(0.0, 0.0, *size)
    to_image = fit_homography(page.corners(), corners)
    if skew_deg:
        turn = cv2.getRotationMatrix2D(page.centre, -skew_deg, 1.0)
        to_image = to_image @ np.vstack([turn, (0.0, 0.0, 1.0)])
    scale = min(_PX_PER_MM, _MAX_PX / max(size))
    # The centre of the first pixel is (0, 0); the page begins at its edge.
    to_mm = np.array([[1 / scale, 0, 0.5 / scale], [0, 1 / scale, 0.5 / scale], [0, 0, 1.0]])
    shape = (round(size[0] * scale), round(size[1] * scale))
    # Reduction by sampling alone would lose thin outlines.
    zoom = float(np.sqrt(cv2.contourArea(corners.astype(np.float32)) / (shape[0] * shape[1])))
    source = pixels if zoom < 1.3 else cv2.GaussianBlur(pixels, (0, 0), 0.4 * zoom)
    flat = cv2.warpPerspective(
        source,
        to_image @ to_mm,
        shape,
        flags=cv2.WARP_INVERSE_MAP | (cv2.INTER_CUBIC if zoom < 1 else cv2.INTER_LINEAR),
        borderMode=cv2.BORDER_REPLICATE,
    )
    return Flat(np.asarray(flat, dtype=np.uint8), to_image, size[0], size[1], known, photo, scale)


def _photographed(pixels: NDArray[np.uint8]) -> FloatArray | None:
    """Corners of a sheet that lies on something darker; None where the picture is the sheet."""
    edges = PageLayout(210.0, 297.0, Anchors(AnchorKind.SHEET_EDGES))
    found = register(Pixels.of(pixels), edges)
    if not isinstance(found, Registration):
        return None
    corners = apply_homography(
        np.array(found.homography).reshape(3, 3), Box(0.0, 0.0, 210.0, 297.0).corners()
    )
    share = cv2.contourArea(corners.astype(np.float32)) / pixels.size
    if not _PHOTO_SHARE[0] <= share <= _PHOTO_SHARE[1]:
        return None
    small = cv2.resize(pixels, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    inside = np.zeros(small.shape, np.uint8)
    cv2.fillPoly(inside, [np.rint(corners / 8).astype(np.int32)], 1)
    sheet, rest = (np.median(small[inside == k]) for k in (1, 0))
    return corners if rest < _DARKER * sheet else None


def _size_mm(
    corners: FloatArray, dpi: float | None, width_mm: float | None, *, photo: bool
) -> tuple[tuple[float, float], bool]:
    sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
    width, height = (sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2
    snap = _SNAP_PHOTO if photo else _SNAP
    if width_mm is not None:
        return _standard((width_mm, width_mm * height / width), snap), True
    if dpi:
        size = (width * MM_PER_INCH / dpi, height * MM_PER_INCH / dpi)
        if _SIDES_MM[0] <= min(size) and max(size) <= _SIDES_MM[1]:
            return _standard(size, snap), True
    mm = _LONG_MM / max(width, height)
    return _standard((width * mm, height * mm), snap), False


def _standard(size: tuple[float, float], snap: float) -> tuple[float, float]:
    """Give the standard paper of about this size, else the size itself."""
    for paper in (*_PAPERS_MM, *(p[::-1] for p in _PAPERS_MM)):
        if all(abs(a / b - 1) < snap for a, b in zip(size, paper, strict=True)):
            return paper
    return round(float(size[0]), 2), round(float(size[1]), 2)
