"""Lines through a number that cross it out."""

from __future__ import annotations

import cv2
import numpy as np

from inkmark.ocr._piece_kernels import crosses_strip, level_line
from inkmark.ocr.boxes import PAPER, SCALE, CutField

__all__ = ["is_struck_out"]

_INK = 0.3
_LEAST_INK = 22
_LONG_MM = 6.0
"""No stroke of a digit is straight and level for so long,"""
_LONG = 1.4
"""nor for so many heights of the number."""
_ASIDE = 0.33
"""Ink lies so many heights above and below: it is neither the foot of a 2 nor the bar of a 7."""
_STEEPEST = 0.36
_SLOPES = 17
_GAP_MM = 0.5
"""Pens leave gaps so long in a line."""
_BEYOND_MM = 0.7
"""A line through several boxes lies so far above and below each,"""
_ASIDE_MM = 8.0
"""goes no further across on its way,"""
_UNBROKEN = 0.85
"""and is inked on such a share of it."""


def is_struck_out(cut: CutField) -> bool:
    """Whether a long line runs through what is written in a field.

    It is level or nearly so, or it comes from above the field and goes on below it.

    Parameters
    ----------
    cut : CutField

    Returns
    -------
    bool
    """
    limit = max(round(_INK * cut.ink), _LEAST_INK)
    every = cut.strip <= PAPER - limit
    beyond = round(_BEYOND_MM * SCALE)
    top, bottom = int(cut.boxes[0, 1]) - beyond, int(cut.boxes[0, 3]) + beyond
    if crosses_strip(every.view(np.uint8), top, bottom, round(_ASIDE_MM * SCALE), _UNBROKEN):
        return True
    inked = (every & (cut.owner >= 0)).view(np.uint8)
    if np.count_nonzero(inked.any(axis=0)) < _LONG_MM * SCALE:
        return False
    _, _, stats, _ = cv2.connectedComponentsWithStats(inked, connectivity=8)
    widths, heights = stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT]
    if not len(widths) or widths.max() < _LONG_MM * SCALE:
        return False
    tall = int(heights.max())
    least = round(max(_LONG_MM * SCALE, _LONG * tall))
    gap = round(_GAP_MM * SCALE)
    return bool(level_line(inked, least, gap, _ASIDE * tall, _STEEPEST, _SLOPES))
