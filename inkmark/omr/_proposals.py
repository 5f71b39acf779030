"""Where a sheet may lie: dark squares in a reduced picture that fit its corner squares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from inkmark.geometry import Box
from inkmark.images import Pixels
from inkmark.omr import _placing_kernels
from inkmark.omr._anchors import AnchorPlan
from inkmark.omr._transform import FloatArray, GreyImage

__all__ = ["Level", "levels", "searches"]

_BLOCK_PX = 8
_MIN_SQUARE_PX = 4.0
_MAX_SQUARE_PX = 12.0
"""Side of a corner square in the reduced picture, where the sheet fills the image."""
_DARKER = 0.78
"""A square printed at half contrast is still darker than this share of a neighbourhood of
which it covers a tenth; noise of reduced paper is not."""
_SQUARE = 1.6
"""Largest ratio of length to width of a square's blob, in so coarse a picture,"""
_FORESHORTENED = 2.2
"""and where it is seen aslant."""
_MAX_BLOBS = 400
_MAX_QUAD_BLOBS = 64
_SIZE_TOLERANCE = 1.4
"""How much a blob's side may differ from the one predicted, as a factor,"""
_SIDE_SIZE_TOLERANCE = 1.2
"""and where only two squares are known."""
_PLACE_TOLERANCE = 0.05
"""How far a predicted square may be from a blob, as a share of the diagonal."""
_MIN_DIAGONAL = 0.6
"""Share of the image's diagonal that the sheet's has in the first search."""
_MIN_QUAD_SHARE = 0.12
"""Share of the image that a sheet in perspective covers at least."""
_MAX_WAYS = 24
_MAX_QUAD_WAYS = 150
"""So many of the places proposed are measured; one that is wrong takes a few microseconds."""
_OVERHANG = 0.06
_MIN_FILL = 0.7
"""By two squares a sheet must lie in the image but for this share, and fill this share of it."""


@dataclass(frozen=True)
class Level:
    """A reduced picture of a page.

    Attributes
    ----------
    grey : (h, w) uint8
    factor : int
        How many pixels of the page one of its pixels is the mean of, along a side.
    square_px : float
        Side of a corner square in it if the sheet fills the image.
    pixels : Pixels
        The page.
    """

    grey: GreyImage
    factor: int
    square_px: float
    pixels: Pixels

    @property
    def to_page(self) -> FloatArray:
        """Homography (3, 3) from its pixels to those of the page."""
        k = self.factor
        return np.array([[k, 0, (k - 1) / 2], [0, k, (k - 1) / 2], [0, 0, 1.0]])


def levels(pixels: Pixels, plan: AnchorPlan) -> Iterator[Level]:
    """The coarsest picture that shows the squares, and one twice as fine."""
    side_px = plan.side_mm * max(pixels.shape) / max(plan.page.width_mm, plan.page.height_mm)
    factor = _BLOCK_PX
    while side_px / factor > _MAX_SQUARE_PX:
        factor *= 2
    while factor > 1 and side_px / factor < _MIN_SQUARE_PX:
        factor //= 2
    while True:
        yield Level(_reduced(pixels, factor), factor, side_px / factor, pixels)
        if factor == 1 or side_px / factor > _MAX_SQUARE_PX:
            return
        factor //= 2


def _reduced(pixels: Pixels, factor: int) -> GreyImage:
    if factor == 1:
        return pixels.whole()
    grey, steps = (
        (pixels.whole(), factor) if factor < _BLOCK_PX else (pixels.coarse(), factor // _BLOCK_PX)
    )
    if steps == 1:
        return grey
    height, width = (max(size // steps, 1) for size in grey.shape)
    grey = grey[: height * steps, : width * steps]
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _find_blobs(level: Level, longest: float) -> FloatArray:
    """Centre x, y and side of the dark squares of a picture, in its pixels: (n, 3)."""
    reach = 2 * round(3.5 * level.square_px) + 1
    limit = cv2.blur(level.grey, (reach, reach))
    limit = cv2.convertScaleAbs(limit, alpha=_DARKER)
    dark = np.asarray(cv2.compare(level.grey, limit, cv2.CMP_LT), np.uint8)
    out = np.empty((_MAX_BLOBS, 3))
    largest = (2 * level.square_px) ** 2
    n = _placing_kernels.find_solids(dark, 5, int(largest), longest, out)
    return out[:n]


def searches(plan: AnchorPlan, level: Level) -> Iterator[FloatArray]:
    """Homographies (3, 3) from sheet mm to the picture, likely ones first."""
    ways = np.empty((_MAX_WAYS, 5))
    blobs = _find_blobs(level, _SQUARE)
    for share in (_MIN_DIAGONAL, 0.0):
        length = share * float(np.hypot(*level.grey.shape))
        n = _placing_kernels.place_sheet(
            blobs, plan.squares, length, _SIZE_TOLERANCE, _PLACE_TOLERANCE, ways
        )
        yield from _through_squares(ways[:n], blobs, plan)
    blobs = _find_blobs(level, _FORESHORTENED)
    likely = blobs[np.argsort(-blobs[:, 2], kind="stable")[:_MAX_QUAD_BLOBS]]
    ways = np.empty((_MAX_QUAD_WAYS, 5))
    least = _MIN_QUAD_SHARE * level.grey.size
    n = _placing_kernels.place_quads(likely, plan.squares, least, _SIZE_TOLERANCE, ways)
    yield from _through_squares(ways[:n], likely, plan)
    yield from _by_side(blobs, plan, level.grey.shape)


def _through_squares(ways: FloatArray, blobs: FloatArray, plan: AnchorPlan) -> Iterator[FloatArray]:
    for way in ways[:, 1:].astype(np.int64):
        target = blobs[way, :2]
        for k in np.flatnonzero(way < 0):  # the fourth corner of a parallelogram
            target[k] = target[k - 1] + target[(k + 1) % 4] - target[k - 2]
        homography = np.empty((3, 3))
        if _placing_kernels.four_points(plan.squares, target, homography):
            yield homography


def _by_side(blobs: FloatArray, plan: AnchorPlan, shape: tuple[int, ...]) -> FloatArray:
    """The ways the sheet may lie by two squares of one side, if it fills the image."""
    page = plan.page
    places = plan.squares[:, :2] @ (1, 1j)
    side_mm = plan.squares[:, 2]
    at = blobs[:, 0] + 1j * blobs[:, 1]
    outer = Box(0.0, 0.0, page.width_mm, page.height_mm).corners() @ (1, 1j)
    found: list[tuple[float, complex, complex]] = []
    for one, two in ((0, 1), (1, 2), (2, 3), (3, 0)):
        turn = (at[None, :] - at[:, None]) / (places[two] - places[one])
        with np.errstate(divide="ignore"):
            error = np.abs(np.log(np.abs(turn) * side_mm[one] / blobs[:, None, 2]))
            error = np.maximum(
                error, np.abs(np.log(np.abs(turn) * side_mm[two] / blobs[None, :, 2]))
            )
        error[np.abs(turn) * max(page.width_mm, page.height_mm) < _MIN_FILL * max(shape)] = np.inf
        i, j = np.nonzero(error < np.log(_SIDE_SIZE_TOLERANCE))
        a = turn[i, j]
        b = at[i] - a * places[one]
        corners = a[:, None] * outer + b[:, None]
        x, y = corners.real, corners.imag
        over = _OVERHANG * max(shape)
        inside = (np.minimum(x, y) >= -over) & (x <= shape[1] + over) & (y <= shape[0] + over)
        good = inside.all(axis=1)
        found += zip(error[i, j][good].tolist(), a[good].tolist(), b[good].tolist(), strict=True)
    found.sort(key=lambda p: p[0])
    return np.array(
        [
            [[a.real, -a.imag, b.real], [a.imag, a.real, b.imag], [0, 0, 1.0]]
            for _, a, b in found[: 2 * _MAX_WAYS]
        ]
    )
