"""Writing boxes cut out of a registered page, their printed frames erased."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inkmark.geometry import Box, bounds
from inkmark.images import Pixels
from inkmark.layouts import WritingField
from inkmark.ocr._box_kernels import PAPER, cut_strip, erase_lines, find_streaks
from inkmark.ocr._piece_kernels import share_out
from inkmark.readings import Registration

__all__ = ["PAPER", "SCALE", "CutField", "cut_fields", "is_untouched"]

GreyImage = NDArray[np.uint8]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SCALE = 8.0
"""Pixels a millimetre of what is cut out."""
_MARGIN_MM = 1.25
"""Cut out around a field: strokes reach over the edge."""
_BELOW_MM = 2.0
"""Cut out below it: who misses a box writes there."""
_CELL_MM = 5.0
"""So far apart a field's places are looked up in the registration; between, it is straight."""
_PART_MM = 12.0
"""A wide box is looked at in parts about as wide: neither paper nor print is alike all over."""
_SAME_MM = 0.4
"""Boxes that are no further apart share one line."""
_REMAINS_MM = 0.4
"""What is left of a line lies no further from it."""
_OF_BOX, _OF_LINE = 0.7, 0.2
"""What belongs to a box lies there by this share. Letters of a line hang far out of its box."""
_PRINTED = 0.3
"""No row beside a wide box is inked by hand for this share of its length."""
_FRAME_RANK, _STREAK_RANK = 0.5, 0.15
"""How dark a line is, is seen where such shares of its length are lighter."""
_FRAME_MM = 1.0
"""The frame and what registration may be off, at the edge of a box."""
_CLEAN, _BRIGHT = 0.85, 128
"""Paper that nobody touched is nowhere darker than this share of its brightest, and bright."""
_MOST_STREAKS = 4
"""So many streaks at most are erased from a field."""
_INK = 0.3
"""Ink is darker than this share of the field's darkest,"""
_LEAST_INK = 25
"""and than this."""


@dataclass(frozen=True, slots=True, eq=False)
class CutField:
    """A field cut out of a page, upright, `SCALE` pixels a millimetre.

    Attributes
    ----------
    strip : (h, w) uint8
        The field and a margin around it, frames erased; bare paper is `PAPER`.
    boxes : (n, 4) int64
        Left, top, right and bottom of each box in the strip.
    owner : (h, w) int32
        The box that each pixel belongs to, -1 for none: a stroke belongs to the box in which
        most of it lies.
    measures : (n, 5) float64
        Of each box the ink that belongs to it in mm², the share of its inside that is ink,
        the share of its ink that is outside of it, the share of the ink within it that
        belongs to others, and the ink right below it that belongs to none in mm².
    ink : int
        How dark ink is.
    frame : int
        How dark the frame is that was erased.
    in_image : bool
        Whether the image shows all boxes.
    box_px : Box
        The field in the image, in pixels.
    """

    strip: GreyImage
    boxes: IntArray
    owner: NDArray[np.int32]
    measures: FloatArray
    ink: int
    frame: int
    in_image: bool
    box_px: Box

    def crop(self, box: int) -> GreyImage:
        """What belongs to a box, with what sticks out of it, on bare paper.

        Parameters
        ----------
        box : int

        Returns
        -------
        (h, w) uint8
        """
        reach = round(_MARGIN_MM * SCALE)
        left, top, right, bottom = self.boxes[box].tolist()
        rows = slice(max(top - reach, 0), bottom + reach)
        columns = slice(max(left - reach, 0), right + reach)
        owned = self.owner[rows, columns] == box
        return np.where(owned, self.strip[rows, columns], np.uint8(PAPER))


def is_untouched(pixels: Pixels, field: WritingField, registration: Registration) -> bool:
    """Whether the boxes of a field are as clean as paper: nobody wrote there.

    This takes a hundredth of the time of cutting them out. A scan with noise is not clean.

    Parameters
    ----------
    pixels : Pixels
    field : WritingField
    registration : Registration

    Returns
    -------
    bool
        False where a box lies outside of the image.
    """
    inner = [box.grown(-_FRAME_MM) for box in field.boxes()]
    if min(inner[0].w, inner[0].h) <= 0:
        return False
    corners = registration.to_px(np.vstack([box.corners() for box in inner])).reshape(-1, 4, 2)
    low, high = corners.min(axis=1), corners.max(axis=1)
    height, width = pixels.shape
    # Also false for what is no number.
    if not ((low >= 0).all() and (high <= (width - 1, height - 1)).all()):
        return False
    windows = np.hstack([np.floor(low), np.ceil(high) + 1]).astype(np.int64)
    canvas = pixels.at(windows)
    for x0, y0, x1, y1 in windows.tolist():
        inside = canvas[y0:y1, x0:x1]
        brightest = float(inside.max())
        if brightest < _BRIGHT or inside.min() < _CLEAN * brightest:
            return False
    return True


def cut_fields(
    pixels: Pixels,
    fields: Sequence[WritingField],
    registration: Registration,
    *,
    has_streaks: bool = True,
) -> list[CutField]:
    """Cut fields out of a registered page.

    Only the pixels of the fields are decoded.

    Parameters
    ----------
    pixels : Pixels
    fields : sequence of WritingField
    registration : Registration
    has_streaks : bool
        Whether the image may show lines of dirt on the scanner's glass, which are erased.

    Returns
    -------
    list of CutField
        One for each field.
    """
    if not fields:
        return []
    grids = [_Grid.of(field) for field in fields]
    ends = np.cumsum([0, *(len(grid.points_mm) for grid in grids)])
    places = registration.to_px(np.concatenate([grid.points_mm for grid in grids]))
    # A broken registration must not ask for pixels that are nowhere near the image.
    height, width = pixels.shape
    places = np.nan_to_num(np.clip(places, -1.0, (width + 1.0, height + 1.0)), nan=-1.0)
    low, high = np.minimum.reduceat(places, ends[:-1]), np.maximum.reduceat(places, ends[:-1])
    image = pixels.at(np.hstack([np.floor(low), np.ceil(high) + 2]).astype(np.int64))
    corners = registration.to_px(np.concatenate([_extent(f).corners() for f in fields]))
    return [
        _cut(
            image,
            field,
            grid,
            places[ends[k] : ends[k + 1]],
            corners[4 * k : 4 * k + 4],
            has_streaks=has_streaks,
        )
        for k, (field, grid) in enumerate(zip(fields, grids, strict=True))
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """The places of a field that are looked up in the registration, (ny * nx, 2) in mm."""

    points_mm: FloatArray
    nx: int
    ny: int
    width: int
    height: int

    @classmethod
    def of(cls, field: WritingField) -> _Grid:
        whole = _extent(field).grown(_MARGIN_MM)
        whole = Box(whole.x, whole.y, whole.w, whole.h - _MARGIN_MM + _BELOW_MM)
        nx, ny = (max(math.ceil(side / _CELL_MM), 1) + 1 for side in (whole.w, whole.h))
        x, y = whole.x + _CELL_MM * np.arange(nx), whole.y + _CELL_MM * np.arange(ny)
        points = np.empty((ny, nx, 2))
        points[..., 0], points[..., 1] = x, y[:, None]
        width, height = round(whole.w * SCALE), round(whole.h * SCALE)
        return cls(points.reshape(-1, 2), nx, ny, width, height)


def _extent(field: WritingField) -> Box:
    """The box around all boxes of a field, in mm."""
    box = field.box
    return Box(box.x, box.y, box.w + (field.n_boxes - 1) * field.step, box.h)


def _cut(
    image: GreyImage,
    field: WritingField,
    grid: _Grid,
    places: FloatArray,
    corners: FloatArray,
    *,
    has_streaks: bool,
) -> CutField:
    strip = np.empty((grid.height, grid.width), np.uint8)
    left = np.array([_MARGIN_MM + k * field.step for k in range(field.n_boxes)]) * SCALE
    right = left + field.box.w * SCALE
    top = _MARGIN_MM * SCALE
    bottom = top + field.box.h * SCALE
    boxes = np.empty((field.n_boxes, 4), np.int64)
    boxes[:] = np.rint(np.stack(np.broadcast_arrays(left, top, right, bottom), axis=1))
    # A wide box has several parts, as many boxes side by side have.
    n_parts = field.n_boxes * max(1, round(field.box.w / _PART_MM))
    parts = np.rint(np.linspace(0, grid.width, n_parts + 1)).astype(np.int64)
    papers = np.empty(n_parts)
    knots = places.reshape(grid.ny, grid.nx, 2)
    cut_strip(image, knots, _CELL_MM * SCALE, papers, parts, strip)
    if has_streaks:
        _erase_streaks(strip, knots)
    frame = _erase_frames(strip, field, left, right, (top, bottom))
    inside = strip[round(top) : round(bottom), round(left[0]) : round(right[-1])]
    ink = PAPER - int(np.partition(inside.ravel(), inside.size // 200)[inside.size // 200])
    limit = max(round(_INK * ink), _LEAST_INK)
    owner = np.empty(strip.shape, np.int32)
    measures = np.empty((field.n_boxes, 5))
    if field.is_line:
        _erase_lines_beside(strip, round(top), round(bottom), limit)
    share = _OF_LINE if field.is_line else _OF_BOX
    share_out(strip, boxes, round(_REMAINS_MM * SCALE), limit, share, owner, measures)
    measures[:, [0, 4]] /= SCALE**2
    height, width = image.shape
    low, high = corners.min(axis=0), corners.max(axis=0)
    return CutField(
        strip,
        boxes,
        owner,
        measures,
        ink,
        frame,
        bool((low >= -0.5).all() and (high <= (width - 0.5, height - 0.5)).all()),
        bounds(corners),
    )


def _erase_lines_beside(strip: GreyImage, top: int, bottom: int, limit: int) -> None:
    """Erase rows above and below a wide box that are printed: the frames of its neighbours."""
    printed = (strip <= PAPER - limit).mean(axis=1) > _PRINTED
    printed[1:-1] |= printed[:-2] | printed[2:]
    printed[top:bottom] = False
    strip[printed] = PAPER


def _erase_streaks(strip: GreyImage, knots: FloatArray) -> None:
    """Erase lines that run through the strip along the image's columns."""
    across, down = (knots[at][0] - knots[0, 0, 0] for at in ((0, 1), (1, 0)))
    upright = bool(abs(across) >= abs(down))
    slope = float(-down / across if upright else -across / down) if across or down else 0.0
    found = np.empty(_MOST_STREAKS)
    for at in found[: find_streaks(strip, upright, slope, found)]:
        ends = np.array([0, strip.shape[0 if upright else 1]])
        erase_lines(strip, upright, slope, at[None], ends[:1], ends[1:], _STREAK_RANK)


def _erase_frames(
    strip: GreyImage,
    field: WritingField,
    left: FloatArray,
    right: FloatArray,
    rows: tuple[float, float],
) -> int:
    """Erase the frames of a field's boxes; returns how dark they are."""
    top, bottom = rows
    shared = field.n_boxes > 1 and abs(field.step - field.box.w) < _SAME_MM
    uprights = np.append(left, right[-1]) if shared else np.concatenate([left, right])
    n = len(uprights)
    frame = erase_lines(
        strip,
        True,
        0.0,
        uprights,
        np.full(n, round(top), np.int64),
        np.full(n, round(bottom), np.int64),
        _FRAME_RANK,
    )
    # Long lines are followed piece by piece.
    n_pieces = max(1, round(field.box.w / _PART_MM))
    edges = np.linspace(left, right, n_pieces + 1)
    first, last = (np.tile(np.rint(e.ravel()), 2).astype(np.int64) for e in (edges[:-1], edges[1:]))
    at = np.repeat([top, bottom], len(first) // 2)
    return max(frame, erase_lines(strip, False, 0.0, at, first, last, _FRAME_RANK))
