"""Where on a page the print of one kind of bubble stands, and where a mark hides it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.learning._lattice import Block
from inkmark.learning._shapes import FloatArray, InkMap, Shapes

__all__ = ["Evidence", "gather_evidence"]

_MARGIN = 1.3
_PEAK = 0.55
_DARK = 0.3
_MAX_PATCHES = 400


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Likeness of every place to a bubble.

    Attributes
    ----------
    like : (H, W) float32
        Correlation of the print around a place with that of the bubbles seen, -1 to 1.
    dark : (H, W) float32
        How much darker a spot of a bubble's size is than what surrounds it, 0 to 1.
    size : (2,) float64
        Width and height of a bubble in px.
    usual : float
        Likeness that four in five of the bubbles have that were learned from.
    """

    like: NDArray[np.float32]
    dark: NDArray[np.float32]
    size: FloatArray
    usual: float

    def best(self, points: FloatArray, reach: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The likest place near each point, (n, 2), and its likeness, (n,)."""
        return _best(self.like, points, reach)

    def darkest(self, points: FloatArray, reach: FloatArray) -> FloatArray:
        """The most a spot near each point is darker than its surroundings: (n,)."""
        return _best(self.dark, points, reach)[1]

    def peaks(self) -> Shapes:
        """All places that are like a bubble."""
        w, h = (int(0.7 * side) | 1 for side in self.size)
        top = cv2.dilate(self.like, np.ones((h, w), np.uint8))
        y, x = np.nonzero((self.like >= top) & (self.like > _PEAK))
        at = np.column_stack([x, y]).astype(np.float64)
        size = np.tile(self.size, (len(at), 1))
        return Shapes(at, size, np.zeros(len(at), dtype=bool), self.like[y, x].astype(np.float64))


def gather_evidence(ink: InkMap, blocks: list[Block]) -> Evidence:
    """Learn from blocks what their bubbles look like, and look for that everywhere."""
    size = np.median([block.size for block in blocks], axis=0)
    places = np.concatenate([block.at[block.seen & ~block.solid] for block in blocks])
    if len(places) == 0:
        places = np.concatenate([block.at[block.seen] for block in blocks])
    half = np.ceil(_MARGIN * size / 2).astype(int)
    patches = [_patch(ink, at, half) for at in places[:: max(1, len(places) // _MAX_PATCHES)]]
    template = np.median(patches, axis=0).astype(np.float32)
    padded = cv2.copyMakeBorder(
        ink, half[1], half[1], half[0], half[0], cv2.BORDER_CONSTANT, value=0.0
    )
    # A little noise keeps bare paper from being like anything.
    noise = np.random.default_rng(0).normal(0, 0.01, padded.shape)
    rough = (np.asarray(padded) + noise).astype(np.float32)
    like = cv2.matchTemplate(rough, template, cv2.TM_CCOEFF_NORMED)
    y, x = np.mgrid[-half[1] : half[1] + 1, -half[0] : half[0] + 1]
    radius = np.hypot(2 * x / size[0], 2 * y / size[1])
    inside, around = radius <= 0.8, radius >= 1.15
    kernel = inside / inside.sum() - around / around.sum()
    dark = cv2.filter2D(ink, cv2.CV_32F, kernel.astype(np.float32))
    usual = float(np.quantile(_best(np.asarray(like), places, 0.15 * size)[1], 0.2))
    return Evidence(np.asarray(like), np.asarray(dark), np.asarray(size), usual)


def _patch(ink: InkMap, at: FloatArray, half: NDArray[np.int64]) -> InkMap:
    size = (int(2 * half[0] + 1), int(2 * half[1] + 1))
    return np.asarray(cv2.getRectSubPix(ink, size, (float(at[0]), float(at[1]))))


def _best(
    field: NDArray[np.float32], points: FloatArray, reach: FloatArray
) -> tuple[FloatArray, FloatArray]:
    height, width = field.shape
    places, values = points.copy(), np.full(len(points), -1.0)
    rx, ry = np.maximum(np.ceil(reach), 1).astype(int)
    for k, (x, y) in enumerate(points):
        if not (0 <= x < width and 0 <= y < height):
            continue
        left, top = max(0, round(x) - rx), max(0, round(y) - ry)
        part = field[top : round(y) + ry + 1, left : round(x) + rx + 1]
        if part.size:
            row, column = np.unravel_index(int(part.argmax()), part.shape)
            places[k] = left + column, top + row
            values[k] = part[row, column]
    return places, values
