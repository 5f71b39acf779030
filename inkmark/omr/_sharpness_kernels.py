"""A compiled inner loop that measures how sharp a page is; it has a numpy twin in the tests."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["edge_widths"]

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

MIN_CONTRAST = 30
"""A window with less difference between its darkest and lightest pixel shows no edge."""


@njit(cache=True, nogil=True)
def edge_widths(grey: U8, boxes: I64, out: F64) -> None:
    """Measure over how many pixels the steepest edge in each box goes from light to dark.

    It is the difference of the lightest and the darkest pixel of the box, divided by the
    largest slope of the grey values there.

    Parameters
    ----------
    grey : (H, W) uint8
    boxes : (n, 4) int64
        Left, top, right and bottom in pixels, right and bottom excluded; what lies outside of
        the page is left out.
    out : (n,) float64
        Width in pixels; 0 where there is no edge to be seen.
    """
    height, width = grey.shape
    for k in range(len(boxes)):
        left = max(boxes[k, 0], 0) + 1
        top = max(boxes[k, 1], 0) + 1
        right = max(min(boxes[k, 2], width) - 1, left)
        bottom = min(boxes[k, 3], height) - 1
        # In whole numbers and row by row: that is done for many pixels at a time.
        low, high, steepest = np.int32(255), np.int32(0), np.int32(0)
        for row in range(top, bottom):
            above, below = grey[row - 1, left:right], grey[row + 1, left:right]
            here = grey[row, left - 1 : right + 1]
            for i in range(right - left):
                value = np.int32(here[i + 1])
                low = min(low, value)
                high = max(high, value)
                across = np.int32(here[i + 2]) - np.int32(here[i])
                down = np.int32(below[i]) - np.int32(above[i])
                steepest = max(steepest, across * across + down * down)
        out[k] = 0.0
        if high - low >= MIN_CONTRAST and steepest > 0:
            out[k] = (high - low) / np.sqrt(steepest / 4)
