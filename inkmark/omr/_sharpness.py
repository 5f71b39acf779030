"""How sharp a page is, by the edges of what is printed and marked."""

from __future__ import annotations

import numpy as np

from inkmark.images import Pixels
from inkmark.layouts import PageLayout
from inkmark.omr import _sharpness_kernels
from inkmark.omr._cache import once_for_each
from inkmark.omr._plan import bubble_plan
from inkmark.omr._transform import FloatArray, Transform
from inkmark.readings import Registration

__all__ = ["edge_width_mm"]

_MOST_LOOKED_AT = 12
_BESIDE_MM = 0.5


def edge_width_mm(pixels: Pixels, page: PageLayout, registration: Registration) -> float | None:
    """Measure over which distance the edges at the bubbles of a page go from light to dark.

    It is the median over some bubbles all over the page, filled or not. A thin line that
    grows wide and faint with blur is told from a dark one as well as a wide edge, as only
    the slope in relation to the contrast counts.

    Parameters
    ----------
    pixels : Pixels
    page : PageLayout
    registration : Registration

    Returns
    -------
    float or None
        As much as was looked at where no edges are seen; None for a page without bubbles.
    """
    corners_mm, diagonals_mm = _looked_at(page)
    if not len(diagonals_mm):
        return None
    corners = Transform.of(registration).to_px(corners_mm).reshape(4, -1, 2)
    boxes = np.concatenate([np.floor(corners.min(0)), np.ceil(corners.max(0)) + 1], axis=1)
    boxes = boxes.astype(np.int64)
    widths = np.empty(len(diagonals_mm))
    _sharpness_kernels.edge_widths(pixels.at(boxes), boxes, widths)
    seen = widths > 0
    if not seen.any():
        return float(np.median(diagonals_mm))
    mm_per_px = diagonals_mm / np.linalg.norm(corners[1] - corners[0], axis=1)
    return float(np.median((widths * mm_per_px)[seen]))


@once_for_each
def _looked_at(page: PageLayout) -> tuple[FloatArray, FloatArray]:
    """Corners of the boxes around some bubbles, (4 n, 2) mm, and their diagonals, (n,) mm."""
    bubbles = bubble_plan(page).bubbles
    some = bubbles[np.linspace(0, len(bubbles) - 1, min(len(bubbles), _MOST_LOOKED_AT)).astype(int)]
    reach = some[:, 2:] + _BESIDE_MM
    low, high = some[:, :2] - reach, some[:, :2] + reach
    corners = np.stack([low, high, np.c_[low[:, 0], high[:, 1]], np.c_[high[:, 0], low[:, 1]]])
    return corners.reshape(-1, 2), 2 * np.linalg.norm(reach, axis=1)
