"""Ticks and crosses in an area: which strokes are there, and how many points they make.

A tick goes down to its lowest point and up to the right; a cross joins opposite corners.
Each is drawn through the ends of a piece of ink, and the one that lies on the ink is meant.
A tick of which a further stroke crosses the long arm counts half.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.ocr.boxes import PAPER, SCALE, CutField

__all__ = ["count_ticks"]

F64 = NDArray[np.float64]

_INK = 0.3
_LEAST_INK = 22
_LEAST_MM = 2.0
"""Smaller pieces are no marks."""
_DUST_MM2 = 0.1
_CROSSER = 0.05
"""A cross lies by so much nearer to its strokes, in sizes of the mark, than to a tick's,"""
_STEEP = 0.01
"""within about this much."""
_BESIDE = 0.16
"""Ink further from a tick's strokes, in sizes of the mark, is not the tick's."""
_HALF_INK = 0.02
"""Share of such ink from which a stroke goes through the tick,"""
_CLEAR = 0.0035
"""within about this much."""
_WORST = 0.19
"""Distance of ink and strokes beyond which a mark is neither."""


def count_ticks(cut: CutField, n_marks: int) -> list[tuple[str, float]]:
    """How many ticks stand in an area, likeliest first; the probabilities add up to 1.

    Parameters
    ----------
    cut : CutField
        The area as one box.
    n_marks : int
        Ticks and crosses that are expected; 0 for any number.

    Returns
    -------
    list of (str, float)
        Numbers such as ``"3.5"``; ``""`` for nothing, ``"?"`` where marks are neither ticks
        nor crosses, or not as many as expected.
    """
    marks, is_clean = _marks(cut)
    if not marks:
        return [("", 1.0)] if is_clean else [("?", 1.0)]
    if not is_clean or (n_marks and len(marks) != n_marks):
        return [("?", 1.0)]
    counts = np.ones(1)  # by halves
    for ink in marks:
        counts = np.convolve(counts, _judge(ink))
    found = [(_number(k), float(p)) for k, p in enumerate(counts)]
    found.append(("?", max(1 - float(counts.sum()), 0.0)))
    return sorted(found, key=lambda entry: (-entry[1], entry[0]))


def _number(halves: int) -> str:
    return f"{halves // 2}.5" if halves % 2 else str(halves // 2)


def _marks(cut: CutField) -> tuple[list[F64], bool]:
    """Ink of each mark, (n, 2) pixels x, y; and whether there is nothing else."""
    crop = cut.crop(0)
    limit = max(round(_INK * cut.ink), _LEAST_INK)
    inked = (crop <= PAPER - limit).astype(np.uint8)
    n, labels, stats, _ = cv2.connectedComponentsWithStats(inked, connectivity=8)
    marks, is_clean = [], True
    for label in range(1, n):
        _, _, width, height, n_px = stats[label].tolist()
        if max(width, height) >= _LEAST_MM * SCALE:
            y, x = np.nonzero(labels == label)
            marks.append(np.stack([x, y], axis=1).astype(np.float64))
        elif n_px >= _DUST_MM2 * SCALE**2:
            is_clean = False
    return marks, is_clean


def _judge(ink: F64) -> F64:
    """Probability that a mark is a cross, half a tick, a tick: (3,); the rest is neither."""
    size = float(np.ptp(ink, axis=0).max())
    tick = _tick(ink)
    tick_off, cross_off = _off(ink, tick, size), _off(ink, _cross(ink), size)
    is_tick = _share(_CROSSER - tick_off + cross_off, _STEEP)
    is_mark = _share(_WORST - min(tick_off, cross_off + _CROSSER), _STEEP)
    beside = float((_distances(ink, tick) > _BESIDE * size).mean())
    is_half = _share(beside - _HALF_INK, _CLEAR)
    return is_mark * np.array([1 - is_tick, is_tick * is_half, is_tick * (1 - is_half)])


def _share(value: float, scale: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value / scale, -30, 30))))


def _tick(ink: F64) -> list[F64]:
    """The two strokes of a tick through its ends."""
    low = ink[np.argmax(ink[:, 1])]
    right = ink[np.argmax(ink[:, 0] - 0.5 * ink[:, 1])]
    left = ink[np.argmax(-ink[:, 0] - 0.3 * ink[:, 1])]
    return [np.stack([left, low]), np.stack([low, right])]


def _cross(ink: F64) -> list[F64]:
    """The two strokes of a cross through its ends."""
    span = np.maximum(np.ptp(ink, axis=0), 1.0)
    x, y = ((ink - ink.min(axis=0)) / span).T
    ends = [ink[np.argmax(way)] for way in (-x - y, x + y, x - y, y - x)]
    return [np.stack(ends[:2]), np.stack(ends[2:])]


def _off(ink: F64, strokes: list[F64], size: float) -> float:
    """Mean distance between ink and strokes, both ways, in sizes of the mark."""
    along = np.linspace(0, 1, 25)[:, None]
    points = np.concatenate([a + along * (b - a) for a, b in strokes])
    apart = np.hypot(*(points[:, None] - ink[None, ::3]).transpose(2, 0, 1)).min(axis=1)
    return float(_distances(ink, strokes).mean() + apart.mean()) / size


def _distances(ink: F64, strokes: list[F64]) -> F64:
    """Distance of each pixel from the nearer of some strokes."""
    found = []
    for a, b in strokes:
        way = b - a
        share = np.clip((ink - a) @ way / max(float(way @ way), 1e-9), 0, 1)
        found.append(np.hypot(*(ink - a - share[:, None] * way).T))
    return np.asarray(np.min(found, axis=0))
