"""Ticks and crosses in an area: which strokes are there, and how many points they make.

A tick goes down to its lowest point and up to the right; a cross joins opposite corners.
Each is drawn through the ends of the mark's ink, and the one that lies on the ink is meant.
A tick of which a further stroke crosses the long arm counts half.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.ocr.boxes import PAPER, SCALE, CutField

__all__ = ["count_ticks"]

F64 = NDArray[np.float64]

_INK = 0.3
_LEAST_INK = 22
_LEAST_MM, _MOST_MM = 2.0, 25.0
"""Smaller pieces are no marks, and larger ones neither."""
_MOST_PIECES = 24
"""More pieces are writing."""
_SOME = 150
"""So many of a mark's pixels show where it is."""
_DUST_MM2 = 0.1
_GAP_MM, _FAR_MM = 1.5, 3.5
"""Pieces no further apart are of one mark: another ink hides what joins them. Further, and no
further than this, only pieces that make no mark by themselves, and more than are expected."""
_WORST, _NEAR = 0.075, 0.005
"""Distance of ink and strokes, in sizes of the mark, beyond which it is neither, within about so
much. Within the same the nearer strokes are meant."""
_HOOK = (0.12, 0.75)
"""A tick's short arm is longer than this and shorter, in sizes of the mark,"""
_ENDS, _OPEN, _BROAD = 0.15, 0.6, 0.4
"""and a cross is wider than this at its top or its foot, such shares of its height, and broader
in all; else the mark is a mere line."""
_ARM = (0.35, 0.95)
"""Part of a tick's long arm that is looked at for a stroke across,"""
_PARTS = 20
"""in so many parts."""
_HALF_MM, _CLEAR_MM = 0.28, 0.02
"""Such a stroke reaches so far beyond the arm to both sides, within about this much."""
_HIDDEN, _LOST = 1, 0.02
"""Where more of its parts have no ink, a stroke across may be lost with it so often."""
_BESIDE_MM = 0.3
"""Ink further beside the strokes of a mark is not its own,"""
_STRAY, _CLEAN = 0.12, 0.01
"""and strikes the mark out from such a share of it, within about this much."""


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
    marks, is_clean = _marks(cut, n_marks)
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


def _marks(cut: CutField, n_marks: int) -> tuple[list[F64], bool]:
    """Ink of each mark, (n, 2) pixels x, y; and whether there is nothing else."""
    crop = cut.crop(0)
    limit = max(round(_INK * cut.ink), _LEAST_INK)
    inked = (crop <= PAPER - limit).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inked, connectivity=8)
    dust = stats[:, cv2.CC_STAT_AREA] < _DUST_MM2 * SCALE**2
    inked[dust[labels]] = 0
    side = round(_GAP_MM * SCALE) | 1
    near = cv2.dilate(inked, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    n, labels = cv2.connectedComponents(near, connectivity=8)
    y, x = np.nonzero(inked)
    least, most = _LEAST_MM * SCALE, _MOST_MM * SCALE
    mark_of = labels[y, x]
    ink = np.stack([x, y], axis=1).astype(np.float64)
    marks = [ink[mark_of == label] for label in range(1, min(n, _MOST_PIECES + 2))]
    if len(marks) > _MOST_PIECES:
        return marks, False
    while 0 < n_marks < len(marks) or any(_size(mark) < least for mark in marks):
        pair = _nearest(marks, least if len(marks) <= n_marks or n_marks == 0 else np.inf)
        if pair is None:
            break
        one, other = pair
        marks[one] = np.concatenate([marks[one], marks.pop(other)])
    return marks, all(least <= _size(mark) <= most for mark in marks)


def _nearest(marks: list[F64], small: float) -> tuple[int, int] | None:
    """The two marks that are nearest, one of them smaller than this; None where all are far."""
    far = _FAR_MM * SCALE
    low, high = (np.array([f(mark, axis=0) for mark in marks]) for f in (np.min, np.max))
    pairs = []
    for one, other in combinations(range(len(marks)), 2):
        between = np.maximum(low[one] - high[other], low[other] - high[one])
        if between.max() > far or min(_size(marks[one]), _size(marks[other])) >= small:
            continue
        apart = _apart(_some(marks[one]), _some(marks[other])).min()
        pairs.append((float(apart), one, other))
    apart, one, other = min(pairs, default=(np.inf, 0, 0))
    return (one, other) if apart <= far else None


def _some(ink: F64) -> F64:
    """Some of a mark's pixels."""
    return ink[:: max(len(ink) // _SOME, 1)]


def _apart(ones: F64, others: F64) -> F64:
    """Distance of each point from the nearest of some others."""
    steps = ones[:, None, :] - others[None, :, :]
    return np.asarray(np.sqrt(np.einsum("ijk,ijk->ij", steps, steps).min(axis=1)))


def _size(ink: F64) -> float:
    return float(np.ptp(ink, axis=0).max())


def _judge(ink: F64) -> F64:
    """Probability that a mark is a cross, half a tick, a tick: (3,); the rest is neither."""
    size, arm, cross = _size(ink), _long_arm(ink), _cross(ink)
    short = np.stack([ink[np.argmax(-ink[:, 0] - 0.3 * ink[:, 1])], arm.strokes[0][0]])
    tick = [short, *arm.strokes]
    half = [*tick, arm.across]
    cross_off = tick_off = 1.0
    if _width_of_ends(ink) > _OPEN and float(np.ptp(ink, axis=0).min()) > _BROAD * size:
        cross_off = _off(ink, cross, size)
    if _HOOK[0] < _length([short]) / size < _HOOK[1]:
        tick_off = min(_off(ink, tick, size), _off(ink, half, size))
    is_tick = _share(cross_off - tick_off, _NEAR)
    meant = cross if is_tick < 0.5 else half
    pen = len(ink) / max(_length(meant), 1.0)
    beside = _distances(_some(ink), meant) > pen / 2 + _BESIDE_MM * SCALE
    is_mark = _share(_WORST - min(tick_off, cross_off), _NEAR)
    is_mark *= _share(_STRAY - float(beside.mean()), _CLEAN)
    return is_mark * np.array(
        [1 - is_tick, is_tick * arm.is_crossed, is_tick * (1 - arm.is_crossed)]
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Arm:
    """The long arm of a tick through a mark's ink; what follows is in pixels.

    Attributes
    ----------
    strokes : list of (2, 2) float64
        From the lowest point up to the right, along its bend.
    across : (2, 2) float64
        The widest stroke across it,
    is_crossed : float
        and the probability that it is one.
    """

    strokes: list[F64]
    across: F64
    is_crossed: float


def _long_arm(ink: F64) -> _Arm:
    low = ink[np.argmax(ink[:, 1])]
    right = ink[np.argmax(ink[:, 0] - 0.5 * ink[:, 1])]
    way = right - low
    length = max(float(np.hypot(*way)), 1.0)
    normal = np.array([-way[1], way[0]]) / length
    along, aside = (ink - low) @ way / length**2, (ink - low) @ normal
    first, last = _ARM
    inner = (along > first) & (along < last)
    along, aside, ink = along[inner], aside[inner], ink[inner]
    part = ((along - first) / (last - first) * _PARTS).astype(int)
    places, starts = np.unique(np.sort(part), return_index=True)
    if len(places) < _PARTS // 2:
        whole = np.stack([low, right])
        return _Arm([whole], whole, 0.5)
    ranked = aside[np.lexsort((aside, part))]
    ends = np.append(starts[1:], len(ranked)) - 1
    middles, widths = ranked[(starts + ends) // 2], ranked[ends] - ranked[starts]
    powers, weights = np.vander(places / _PARTS, 3), np.ones(len(places))
    for _ in range(3):
        bend = np.linalg.lstsq(powers * weights[:, None], middles * weights, rcond=None)[0]
        off = np.abs(middles - powers @ bend)
        weights = np.where(off > 2 * np.median(off) + 0.5, 0.1, 1.0)
    beyond = aside - np.vander(part / _PARTS, 3) @ bend
    half_width = float(np.quantile(widths, 0.25)) / 2
    reach = min(float(beyond.max()), -float(beyond.min())) - half_width
    crossed = _share(reach / SCALE - _HALF_MM, _CLEAR_MM)
    if np.diff(places, prepend=-1, append=_PARTS).max() - 1 > _HIDDEN:
        crossed = max(crossed, _LOST)
    knots = np.linspace(0, 1, 5)
    shares, asides = first + knots * (last - first), np.vander(knots, 3) @ bend
    points = np.vstack([low, low + shares[:, None] * way + asides[:, None] * normal])
    strokes = [points[k : k + 2] for k in range(len(points) - 1)]
    return _Arm(strokes, ink[[np.argmax(beyond), np.argmin(beyond)]], crossed)


def _width_of_ends(ink: F64) -> float:
    """How wide the ink is at the top or at the foot, as a share of its width."""
    x, y = ((ink - ink.min(axis=0)) / np.maximum(np.ptp(ink, axis=0), 1.0)).T
    return max(float(np.ptp(x[y <= _ENDS])), float(np.ptp(x[y >= 1 - _ENDS])))


def _share(value: float, scale: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value / scale, -30, 30))))


def _cross(ink: F64) -> list[F64]:
    """The two strokes of a cross through its ends."""
    span = np.maximum(np.ptp(ink, axis=0), 1.0)
    x, y = ((ink - ink.min(axis=0)) / span).T
    ends = [ink[np.argmax(way)] for way in (-x - y, x + y, x - y, y - x)]
    return [np.stack(ends[:2]), np.stack(ends[2:])]


def _off(ink: F64, strokes: list[F64], size: float) -> float:
    """Mean distance between ink and strokes, both ways, in sizes of the mark.

    A pen as wide as the ink says leaves ink a quarter of its width beside its strokes.
    """
    along = np.linspace(0, 1, 13)[:, None]
    points = np.concatenate([a + along * (b - a) for a, b in strokes])
    width, some = len(ink) / max(_length(strokes), 1.0), _some(ink)
    off = _distances(some, strokes).mean() + _apart(points, some).mean()
    return float(off - width / 4) / size


def _length(strokes: list[F64]) -> float:
    return float(sum(np.hypot(*(b - a)) for a, b in strokes))


def _distances(ink: F64, strokes: list[F64]) -> F64:
    """Distance of each pixel from the nearest of some strokes."""
    starts, ways = np.stack(strokes)[:, 0], np.diff(np.stack(strokes), axis=1)[:, 0]
    steps = ink[:, None, :] - starts
    shares = (steps * ways).sum(axis=2) / np.maximum((ways**2).sum(axis=1), 1e-9)
    steps -= np.clip(shares, 0, 1)[:, :, None] * ways
    return np.asarray(np.sqrt((steps**2).sum(axis=2).min(axis=1)))
