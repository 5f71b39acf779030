"""Pens: strokes of some width, and the ink that they leave on a page."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.simulator._optics import smooth_field
from inkmark.simulator.hands import Ink

__all__ = ["coverage", "draw_strokes", "lay_ink", "part_of_page"]

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]

_OVERSAMPLING = 2


def coverage(
    strokes: Sequence[Points],
    corner: tuple[int, int],
    size: tuple[int, int],
    px_per_mm: float,
    tip_mm: float,
    *,
    oversampling: int = _OVERSAMPLING,
    fixed_point_bits: int = 4,
) -> Pixels:
    """Which part of each pixel strokes cover.

    Parameters
    ----------
    strokes : sequence of (n, 2) float64
        Lines through points in mm.
    corner, size : (int, int)
        Left and top, width and height of the part of the page, in px.
    px_per_mm : float
    tip_mm : float
        Width of the strokes.
    oversampling : int
        Lines are drawn on pixels so many times finer.
    fixed_point_bits : int
        How finely points are placed on these.

    Returns
    -------
    (height, width) uint8
        255 for a pixel that is covered whole.
    """
    width, height = size
    fine = np.zeros((height * oversampling, width * oversampling), np.uint8)
    # Pixel centres are whole numbers, so pixel (0, 0) covers -0.5 to 0.5.
    one = 1 << fixed_point_bits
    lines = [
        np.rint((s * px_per_mm - corner) * (oversampling * one) - one / 2).astype(np.int32)
        for s in strokes
    ]
    thickness = max(1, round(tip_mm * px_per_mm * oversampling))
    cv2.polylines(fine, lines, False, 255, thickness, cv2.LINE_AA, fixed_point_bits)
    return np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA), np.uint8)


def part_of_page(
    pixels: Pixels, points: Points, margin_mm: float, px_per_mm: float
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """The pixels of a page around points in mm: left and top, width and height; or None."""
    height, width = pixels.shape[:2]
    low = np.floor((points.min(axis=0) - margin_mm) * px_per_mm).astype(int)
    high = np.ceil((points.max(axis=0) + margin_mm) * px_per_mm).astype(int)
    x0, y0 = max(int(low[0]), 0), max(int(low[1]), 0)
    x1, y1 = min(int(high[0]), width), min(int(high[1]), height)
    return ((x0, y0), (x1 - x0, y1 - y0)) if x0 < x1 and y0 < y1 else None


def lay_ink(
    pixels: Pixels,
    covered: Pixels,
    corner: tuple[int, int],
    px_per_mm: float,
    rng: np.random.Generator,
    *,
    ink: Ink,
) -> None:
    """Take light from a part of a page, in place.

    Parameters
    ----------
    pixels : (H, W) or (H, W, 3) uint8
    covered : (h, w) uint8
        As by `coverage`.
    corner : (int, int)
        Left and top of the part, in px.
    px_per_mm : float
    rng : numpy.random.Generator
        For the pressure of the hand and the grain of the paper.
    ink : Ink
    """
    (x0, y0), shape = corner, covered.shape
    cover = covered.astype(np.float32) / 255
    cover *= 1 - 0.05 * np.abs(smooth_field(shape, 0.8 * px_per_mm, rng))
    if ink.grain > 0:
        cover *= 1 - ink.grain * np.abs(smooth_field(shape, 0.09 * px_per_mm, rng))
    cover = np.clip(cover, 0, 1)
    region = pixels[y0 : y0 + shape[0], x0 : x0 + shape[1]]
    if region.ndim == 2:
        region[:] = np.rint(region * (1 - cover * (1 - ink.grey / 255)))
        return
    kept = 1 - cover[..., None] * (1 - np.array(ink.colour, np.float32) / 255)
    region[:] = np.rint(region * kept)


def draw_strokes(
    pixels: Pixels,
    strokes: Sequence[Points],
    px_per_mm: float,
    rng: np.random.Generator,
    *,
    ink: Ink,
) -> None:
    """Draw lines through points in mm on a page, in place; see `coverage` and `lay_ink`."""
    view = part_of_page(pixels, np.concatenate(strokes), ink.tip_mm, px_per_mm)
    if view is not None:
        covered = coverage(strokes, *view, px_per_mm, ink.tip_mm)
        lay_ink(pixels, covered, view[0], px_per_mm, rng, ink=ink)
