"""Lines through a number that cross it out."""

from __future__ import annotations

import cv2
import numpy as np

from inkmark.ocr.boxes import PAPER, SCALE, CutField

__all__ = ["is_struck_out"]

_INK = 0.3
_LEAST_INK = 22
_LONG_MM = 6.0
"""No stroke of a digit is straight and level for so long,"""
_LONG = 1.4
"""nor for so many heights of the number."""
_ASIDE = 0.2
"""Ink lies so many heights above and below: it is neither the foot of a 2 nor the bar of a 7."""
_STEEPEST = 0.36
_SLOPES = 17
_GAP_MM = 0.5
"""Pens leave gaps so long in a line."""


def is_struck_out(cut: CutField) -> bool:
    """Whether a long line, level or nearly so, runs through what is written in a field.

    Parameters
    ----------
    cut : CutField

    Returns
    -------
    bool
    """
    limit = max(round(_INK * cut.ink), _LEAST_INK)
    inked = ((cut.owner >= 0) & (cut.strip <= PAPER - limit)).astype(np.uint8)
    if np.count_nonzero(inked.any(axis=0)) < _LONG_MM * SCALE:
        return False
    _, _, stats, _ = cv2.connectedComponentsWithStats(inked, connectivity=8)
    widths, heights = stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT]
    if not len(widths) or widths.max() < _LONG_MM * SCALE:
        return False
    least = max(_LONG_MM * SCALE, _LONG * int(heights.max()))
    aside = _ASIDE * int(heights.max())
    gap = round(_GAP_MM * SCALE)
    height, width = inked.shape
    x, y = np.arange(width), np.arange(height)[:, None]
    for slope in np.linspace(-_STEEPEST, _STEEPEST, _SLOPES):
        rows = np.rint(y + slope * (x - width / 2)).astype(np.int64)
        along = np.where((rows >= 0) & (rows < height), inked[rows.clip(0, height - 1), x], 0)
        along = cv2.morphologyEx(along, cv2.MORPH_CLOSE, np.ones((1, gap), np.uint8))
        lines = cv2.erode(along, np.ones((1, int(least)), np.uint8), borderValue=0)
        for at in np.flatnonzero(lines.any(axis=1)).tolist():
            middles = np.flatnonzero(lines[at])
            first = max(int(middles[0] - least / 2), 0)
            beside = along[:, first : int(middles[-1] + least / 2)]
            inked_rows = np.flatnonzero(beside.any(axis=1))
            if inked_rows[0] < at - aside and inked_rows[-1] > at + aside:
                return True
    return False
