"""Pieces of ink in a line or in boxes, and the runs of them that may be one sign."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.ocr.boxes import PAPER, SCALE
from inkmark.ocr.glyphs import glyph_images

__all__ = ["MOST_TOGETHER", "Group", "Piece", "find_pieces", "glyphs_of", "group_pieces"]

GreyImage = NDArray[np.uint8]

_INK = 0.3
"""Ink is darker than this share of the darkest."""
_LEAST_INK = 22
_LEAST_MM2 = 0.035
"""Smaller pieces are dust."""
_WIDE, _FLAT = 1.15, 4.0
"""A piece so many times as wide as high may be two signs that touch; or it is one stroke."""
MOST_TOGETHER = 3
"""A sign has no more pieces."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Connected ink, in pixels of the strip."""

    box: int
    left: int
    top: int
    right: int
    bottom: int
    image: GreyImage
    """(bottom - top, right - left), on bare paper."""
    is_cut: bool
    """Whether it was cut from the piece before it."""

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Neighbouring pieces taken as one sign."""

    first: int
    n: int
    left: int
    top: int
    right: int
    bottom: int
    fit: float
    """How well the pieces belong together, 0 to 1."""

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


def find_pieces(crop: GreyImage, ink: int, *, box: int = 0, offset: int = 0) -> list[Piece]:
    """The connected pieces of ink, left to right, wide ones cut in two.

    Parameters
    ----------
    crop : (h, w) uint8
        Of `SCALE` pixels a millimetre; bare paper is `PAPER`.
    ink : int
        How dark ink is.
    box : int
        The box that the crop shows.
    offset : int
        Where the crop begins, in pixels.
    """
    limit = max(round(_INK * ink), _LEAST_INK)
    inked = (crop <= PAPER - limit).astype(np.uint8)
    n, labels, stats, _ = cv2.connectedComponentsWithStats(inked, connectivity=8)
    found = []
    for label in range(1, n):
        left, top, width, height, n_px = stats[label].tolist()
        if n_px < _LEAST_MM2 * SCALE**2:
            continue
        rows, columns = slice(top, top + height), slice(left, left + width)
        own = cv2.dilate(
            (labels[rows, columns] == label).astype(np.uint8), np.ones((3, 3), np.uint8)
        )
        image = np.where(own > 0, crop[rows, columns], np.uint8(PAPER))
        for start, stop in _cuts(image):
            part = image[:, start:stop]
            lines = np.flatnonzero((part <= PAPER - limit).any(axis=1))
            if len(lines):
                first, last = int(lines[0]), int(lines[-1]) + 1
                found.append(
                    Piece(
                        box,
                        offset + left + start,
                        top + first,
                        offset + left + stop,
                        top + last,
                        part[first:last],
                        start > 0,
                    )
                )
    return sorted(found, key=lambda p: (p.left + p.right, p.top))


def _cuts(image: GreyImage) -> list[tuple[int, int]]:
    """Columns at which a wide piece comes apart: where there is least ink about the middle."""
    height, width = image.shape
    if width < max(_WIDE * height, 2 * SCALE) or width > _FLAT * height:
        return [(0, width)]
    ink = (PAPER - image.astype(np.int64)).sum(axis=0).astype(np.float64)
    ink = np.convolve(ink, np.ones(3) / 3, mode="same")
    away = np.abs(np.arange(width) - (width - 1) / 2) / width
    ink[away > 0.25] = np.inf
    at = int(np.argmin(ink * (1 + away)))
    return [(0, at), (at, width)]


def group_pieces(pieces: Sequence[Piece]) -> Iterator[Group]:
    """Every run of up to three pieces in one box, with how well they belong together."""
    for first in range(len(pieces)):
        for n in range(1, min(MOST_TOGETHER, len(pieces) - first) + 1):
            run = pieces[first : first + n]
            if run[-1].box != run[0].box:
                break
            fit = 1.0
            for one, other in pairwise(run):
                fit *= _together(one, other)
            after = first + n
            if after < len(pieces) and pieces[after].box == run[0].box:
                fit *= 1 - _together(run[-1], pieces[after])
            yield Group(
                first,
                n,
                min(p.left for p in run),
                min(p.top for p in run),
                max(p.right for p in run),
                max(p.bottom for p in run),
                fit,
            )


def _together(one: Piece, other: Piece) -> float:
    """Probability that two neighbouring pieces are of one sign.

    Parts of a sign stand over each other; two that are both tall are two digits.
    """
    if other.is_cut:
        return 0.5
    common = min(one.right, other.right) - max(one.left, other.left)
    narrow = min(one.right - one.left, other.right - other.left)
    tall = max(one.height, other.height)
    needed = 0.25 + 0.5 * float(np.clip(min(one.height, other.height) / tall / 0.4 - 1, 0, 1))
    overlap = common / max(narrow, 0.25 * tall, 1.0)
    return float(np.clip(1 / (1 + np.exp(-16 * max(overlap - needed, -1.0))), 0.004, 0.98))


def glyphs_of(pieces: Sequence[Piece], groups: Sequence[Group]) -> NDArray[np.uint8]:
    """Each group as the reader of glyphs takes it, (n, 28, 28)."""
    crops = []
    for group in groups:
        pad = max(group.height, group.width) // 4 + 2
        crop = np.full((group.height + 2 * pad, group.width + 2 * pad), PAPER, np.uint8)
        for p in pieces[group.first : group.first + group.n]:
            y, x = p.top - group.top + pad, p.left - group.left + pad
            part = crop[y : y + p.height, x : x + p.width]
            np.minimum(part, p.image, out=part)
        crops.append(crop)
    return glyph_images(crops, PAPER)[0]
