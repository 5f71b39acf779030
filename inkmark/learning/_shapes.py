"""Closed outlines and solid spots of a flat page that may be bubbles, and their sizes.

Ink is looked at on several levels, because a form printed in light red and a mark of black
ink need different thresholds. What is found on any level counts once.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["FloatArray", "InkMap", "Shapes", "find_shapes", "ink_map", "size_clusters"]

FloatArray = NDArray[np.float64]
InkMap = NDArray[np.float32]

_LEVELS = (0.07, 0.14, 0.25, 0.4, 0.6)
_PAPER_MM = 16.0
"""Nothing darker than paper is wider than this in both directions, but for headings."""
_LEAST_MM, _MOST_MM = 1.4, 45.0
_ASPECT = (0.35, 3.4)
_MIN_SOLIDITY, _MIN_SOLIDITY_CLOSED = 0.88, 0.8
_MIN_AREA = 0.66
"""Share of its box that a shape covers: an ellipse has 0.785."""
_MIN_HOLE = 0.3
_CLUSTER = 0.16
_CLUSTER_SOLID = 0.28


@dataclass(frozen=True, slots=True)
class Shapes:
    """Shapes on a flat page, in its pixels.

    Attributes
    ----------
    centre, size : (n, 2) float64
        Middle of the box around each shape, and the box's width and height.
    solid : (n,) bool
        Filled rather than outlined.
    score : (n,) float64
        How like a bubble the shape is, 0 to 1.
    """

    centre: FloatArray
    size: FloatArray
    solid: NDArray[np.bool_]
    score: FloatArray

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Shapes:
        """Some of the shapes."""
        return Shapes(self.centre[rows], self.size[rows], self.solid[rows], self.score[rows])


def ink_map(flat: NDArray[np.uint8], px_per_mm: float) -> InkMap:
    """Share of the paper's light that is missing, 0 to 1: (H, W)."""
    small = cv2.resize(flat, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    reach = int(_PAPER_MM * px_per_mm / 4) | 1
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    paper = cv2.GaussianBlur(paper, (0, 0), reach / 4)
    paper = cv2.resize(paper, flat.shape[::-1], interpolation=cv2.INTER_LINEAR)
    ink = 1.0 - flat.astype(np.float32) / np.maximum(paper, 1).astype(np.float32)
    return np.asarray(np.clip(ink, 0.0, 1.0), dtype=np.float32)


def find_shapes(ink: InkMap, px_per_mm: float, gap_mm: float = 0.0) -> Shapes:
    """Shapes of the size and form of bubbles, each once.

    Parameters
    ----------
    ink : (H, W) float32
    px_per_mm : float
    gap_mm : float
        Gaps up to this are closed first, so that a letter in square brackets is one shape.

    Returns
    -------
    Shapes
    """
    smooth = cv2.GaussianBlur(ink, (0, 0), 0.7)
    rows: list[tuple[float, ...]] = []
    for level in _LEVELS:
        mask: NDArray[np.uint8] = (np.asarray(smooth) > level).astype(np.uint8)
        if gap_mm:
            reach = int(gap_mm * px_per_mm) | 1
            closed = cv2.morphologyEx(
                np.pad(mask, reach), cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8)
            )
            mask = np.asarray(closed, dtype=np.uint8)[reach:-reach, reach:-reach]
        rows += _shapes_of(mask, px_per_mm, closed=gap_mm > 0)
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    order = np.argsort(-table[:, 5], kind="stable")
    return _once(table[order])


def _shapes_of(
    mask: NDArray[np.uint8], px_per_mm: float, *, closed: bool
) -> list[tuple[float, ...]]:
    contours, tree = cv2.findContours(
        np.ascontiguousarray(mask), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    if not contours:
        return []
    least, most = _LEAST_MM * px_per_mm, _MOST_MM * px_per_mm
    found: list[tuple[float, ...]] = []
    for contour, (_, _, child, parent) in zip(contours, tree[0], strict=True):
        if parent >= 0:
            continue
        x, y, w, h = cv2.boundingRect(contour)
        if not (least <= max(w, h) <= most and min(w, h) >= 0.6 * least):
            continue
        if not _ASPECT[0] <= w / h <= _ASPECT[1]:
            continue
        area = cv2.contourArea(contour)
        share = area / ((w - 1) * (h - 1))
        if share < _MIN_AREA:
            continue
        hull = cv2.contourArea(cv2.convexHull(contour))
        solidity = area / max(hull, 1.0)
        if solidity < (_MIN_SOLIDITY_CLOSED if closed else _MIN_SOLIDITY):
            continue
        holes, hole = 0.0, child
        while hole >= 0:
            holes += cv2.contourArea(contours[hole])
            hole = tree[0][hole][0]
        solid = holes < _MIN_HOLE * area
        thin = 0.3 if solid else float(np.clip((holes / area - 0.25) / 0.35, 0.3, 1.0))
        score = solidity * thin * (0.8 if closed else 1.0)
        found.append((x + (w - 1) / 2, y + (h - 1) / 2, w, h, float(solid), score))
    return found


def _once(table: FloatArray) -> Shapes:
    """The shapes, those seen on several levels once."""
    kept: list[int] = []
    cells: dict[tuple[int, int], list[int]] = {}
    for k, (x, y, w, h, *_) in enumerate(table):
        step = 16
        near = [
            other
            for i in (-1, 0, 1)
            for j in (-1, 0, 1)
            for other in cells.get((int(x // step) + i, int(y // step) + j), ())
        ]
        twice = any(
            abs(table[o, 0] - x) < 0.25 * w
            and abs(table[o, 1] - y) < 0.25 * h
            and abs(np.log(table[o, 2] / w)) < 0.3
            and abs(np.log(table[o, 3] / h)) < 0.3
            for o in near
        )
        if not twice:
            kept.append(k)
            cells.setdefault((int(x // step), int(y // step)), []).append(k)
    rest = table[kept]
    return Shapes(rest[:, :2], rest[:, 2:4], rest[:, 4] > 0, rest[:, 5])


def size_clusters(shapes: Shapes, most: int = 12) -> list[Shapes]:
    """Shapes of one size each, the most frequent size first; a shape may be in several."""
    sizes = np.log(shapes.size)
    free = np.ones(len(sizes), dtype=bool)
    clusters: list[Shapes] = []
    while free.sum() >= 3 and len(clusters) < most:
        seeds = np.flatnonzero(free)
        off = np.abs(sizes[seeds][:, None] - sizes[seeds][None, :]).max(axis=2)
        densest = int((off < _CLUSTER / 2).sum(axis=1).argmax())
        middle = sizes[seeds][off[densest] < _CLUSTER / 2].mean(axis=0)
        away = np.abs(sizes - middle).max(axis=1)
        members = np.where(shapes.solid, away < _CLUSTER_SOLID, away < _CLUSTER)
        clusters.append(shapes.take(members))
        free &= away >= _CLUSTER
        free[seeds[densest]] = False
    return clusters
