"""Lines through a number that cross it out, and small crosses over its digits."""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.ocr._piece_kernels import crosses_strip, crossing_lines, level_line
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

_TALL = 0.6
"""Pieces of such a share of the highest one's height may be digits."""
_OBLIQUE = np.tan(np.radians(np.arange(15.0, 66.0, 5.0)))
"""Slopes of a cross's strokes, off the upright,"""
_WIDEST = float(np.cos(np.radians(55)))
"""which meet at no smaller angle,"""
_MIDDLE = 0.25
"""no nearer to an end than this share of their lengths,"""
_BREAK = 1
"""and are interrupted for no more pixels."""
_ARM, _BETWEEN = 0.88, 0.82
"""What the arms' ink counts for a cross, and ink between the upper and between the lower ends
against it; its length in heights of the piece counts 1. From a logistic regression on
simulated crosses over digits of training writers, as is"""
_CROSS = 1.66
"""how much makes a cross."""
_ON_ARMS = np.array([(a, 0.0) for a in np.linspace(-1, 1, 11)])
_ON_ARMS = np.vstack([_ON_ARMS, _ON_ARMS[:, ::-1]]).T
_BETWEEN_ENDS = np.array(
    [ab for ab in product((0.4, 0.6, 0.8, 1.0, 1.2), repeat=2) if max(ab) > 0.7]
)
_BETWEEN_ENDS = np.vstack([_BETWEEN_ENDS, -_BETWEEN_ENDS]).T
"""Places, (2, n), in half lengths of the strokes."""


def is_struck_out(cut: CutField) -> bool:
    """Whether a long line runs through what is written in a field, or a cross lies over it.

    The line is level or nearly so, or it comes from above the field and goes on below it. A
    cross over a digit strikes it out as well, unless it is much smaller.

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
    n, labels, stats, _ = cv2.connectedComponentsWithStats(inked, connectivity=8)
    if n < 2:
        return False
    tall = int(stats[1:, cv2.CC_STAT_HEIGHT].max())
    if stats[1:, cv2.CC_STAT_WIDTH].max() >= _LONG_MM * SCALE:
        least = round(max(_LONG_MM * SCALE, _LONG * tall))
        gap = round(_GAP_MM * SCALE)
        if level_line(inked, least, gap, _ASIDE * tall, _STEEPEST, _SLOPES):
            return True
    for label, (x, y, w, h, _) in enumerate(stats[1:].tolist(), start=1):
        if h >= _TALL * tall and _is_crossed(labels[y : y + h, x : x + w] == label):
            return True
    return False


def _is_crossed(piece: NDArray[np.bool_]) -> bool:
    """Whether two straight strokes cross over a digit.

    An 8 has such strokes as well: they are shorter, and its arcs lie between their ends.
    """
    height = len(piece)
    lines = np.empty((2, 5))
    length = crossing_lines(
        piece.view(np.uint8), _OBLIQUE, (_CROSS - _ARM) * height, _BREAK, _MIDDLE, _WIDEST, lines
    )
    if length == 0:
        return False
    one, other = lines
    along, across = (line[2:4] - line[:2] for line in lines)
    share = np.linalg.solve(np.stack([along, -across], axis=1), other[:2] - one[:2])[0]
    centre = one[:2] + share * along
    arms = 0.5 * length * np.stack([along / one[4], across / other[4]], axis=1)
    at = (centre[:, None] + arms @ np.hstack([_ON_ARMS, _BETWEEN_ENDS])).astype(np.float32)
    ink = cv2.remap(piece.astype(np.float32), at[0], at[1], cv2.INTER_LINEAR).ravel()
    n = _ON_ARMS.shape[1]
    seen = length / height + _ARM * ink[:n].mean() - _BETWEEN * ink[n:].mean()
    return bool(seen > _CROSS)
