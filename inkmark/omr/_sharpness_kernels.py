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
        right = min(boxes[k, 2], width) - 1
        bottom = min(boxes[k, 3], height) - 1
        low = 255.0
        high = 0.0
        steepest = 0.0
        for row in range(top, bottom):
            for column in range(left, right):
                value = float(grey[row, column])
                low = min(low, value)
                high = max(high, value)
                across = (float(grey[row, column + 1]) - float(grey[row, column - 1])) / 2
                down = (float(grey[row + 1, column]) - float(grey[row - 1, column])) / 2
                steepest = max(steepest, across * across + down * down)
        out[k] = 0.0
        if high - low >= MIN_CONTRAST and steepest > 0.0:
            out[k] = (high - low) / np.sqrt(steepest)
