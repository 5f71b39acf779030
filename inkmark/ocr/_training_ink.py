"""Pen, paper and scanner of the glyph reader's training: signs drawn into boxes again.

A sign is `Ink`, the share of each pixel of a box that ink covers. What is none of the
reader's signs is made here too: two signs in one box, signs struck out, scribbles, dots,
dashes, and pieces of frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Ink", "box_size", "none_of_these", "on_paper", "place", "write"]

Ink = NDArray[np.float32]
Strokes = Sequence[NDArray[np.float64]]
_FINE = 3  # lines are drawn so many times finer and averaged, since cv2's widths are whole


def box_size(rng: np.random.Generator) -> tuple[int, int]:
    """Height and width in pixels of a box of 6 to 9 mm at 100 to 300 dpi."""
    height = int(rng.uniform(24, 100))
    return height, int(height * rng.uniform(0.8, 1.25))


def _spot(size: tuple[int, int], box: tuple[int, int], rng: np.random.Generator) -> tuple[int, int]:
    return (
        int(rng.uniform(0, max(1, box[0] - size[0]))),
        int(rng.uniform(0, max(1, box[1] - size[1]))),
    )


def place(glyph: NDArray[np.uint8], box: tuple[int, int], rng: np.random.Generator) -> Ink:
    """Put a bitmap of ink, bright on 0, somewhere into an empty box, scaled to fit."""
    rows = np.flatnonzero(glyph.max(axis=1) > 40)
    columns = np.flatnonzero(glyph.max(axis=0) > 40)
    tight = glyph[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = rng.uniform(0.4, 0.92) * min(box[0] / tight.shape[0], box[1] / tight.shape[1])
    size = (max(2, round(tight.shape[0] * scale)), max(2, round(tight.shape[1] * scale)))
    size = (min(size[0], box[0]), min(size[1], box[1]))
    kind = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
    drawn = cv2.resize(np.pad(tight, 1), (size[1], size[0]), interpolation=kind)
    top, left = _spot(size, box, rng)
    ink = np.zeros(box, np.float32)
    ink[top : top + size[0], left : left + size[1]] = drawn / 255.0
    return ink


def write(strokes: Strokes, box: tuple[int, int], rng: np.random.Generator) -> Ink:
    """Draw strokes, (n, 2) points x, y of any unit with y down, into an empty box.

    The pen is 0.025 to 0.11 of the box wide: 0.2 to 0.9 mm.
    """
    points = np.concatenate(strokes)
    low = points.min(axis=0)
    span = np.maximum(points.max(axis=0) - low, 1e-6)
    pen = rng.uniform(0.025, 0.11) * box[0]
    scale = rng.uniform(0.4, 0.9) * min(box[1] / span[0], box[0] / span[1], 3 * box[0] / span.max())
    height, width = span[1] * scale, span[0] * scale
    top, left = _spot((int(height + pen), int(width + pen)), box, rng)
    offset = np.array([left + 0.5 * pen, top + 0.5 * pen])
    canvas = np.zeros((box[0] * _FINE, box[1] * _FINE), np.uint8)
    for stroke in strokes:
        place_px = ((stroke - low) * scale + offset) * _FINE
        line(canvas, place_px, pen * _FINE)
    return _averaged(canvas, box)


def _averaged(canvas: NDArray[np.uint8], box: tuple[int, int]) -> Ink:
    drawn = cv2.resize(canvas, (box[1], box[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(drawn, np.float32) / np.float32(255.0)


def line(canvas: NDArray[np.uint8], points: NDArray[np.float64], width: float) -> None:
    """Draw a line of a round pen through points (n, 2) into a canvas, white."""
    fixed = np.round(points * 16.0).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(canvas, [fixed], False, 255, max(1, round(width)), cv2.LINE_AA, 4)


def on_paper(ink: Ink, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Print ink on paper and scan it: dark on light, blurred, noisy, at times a JPEG."""
    paper = rng.uniform(170, 253)
    depth = rng.uniform(0.25, 0.95) * paper
    blurred = ink
    if rng.random() < 0.7:
        sigma = rng.uniform(0.3, 0.3 + 0.014 * ink.shape[0])
        blurred = np.asarray(cv2.GaussianBlur(ink, (0, 0), sigma), np.float32)
    page = paper - depth * blurred.astype(np.float64)
    if rng.random() < 0.3:
        page += rng.uniform(-10, 10) * np.linspace(-0.5, 0.5, ink.shape[1])
    page += rng.normal(0.0, rng.uniform(0.3, 7.0), ink.shape)
    if rng.random() < 0.25:
        _spoil(page, paper, rng)
    scanned = np.clip(page, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(50, 95))]
        packed = cv2.imencode(".jpg", scanned, quality)[1]
        scanned = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)
    return scanned


def _spoil(page: NDArray[np.float64], paper: float, rng: np.random.Generator) -> None:
    """Leave dust, or a piece of the frame that was not erased, at the edge."""
    height, width = page.shape
    dark = paper * rng.uniform(0.1, 0.7)
    if rng.random() < 0.5:
        for _ in range(rng.integers(1, 4)):
            y, x = int(rng.integers(height)), int(rng.integers(width))
            page[y : y + 1 + height // 50, x : x + 1 + width // 50] = dark
        return
    thick = max(1, int(rng.uniform(0.01, 0.05) * height))
    first, last = sorted(rng.uniform(0, 1, 2))
    if rng.random() < 0.5:
        where = slice(0, thick) if rng.random() < 0.5 else slice(height - thick, height)
        page[where, int(first * width) : int(last * width)] = dark
    else:
        where = slice(0, thick) if rng.random() < 0.5 else slice(width - thick, width)
        page[int(first * height) : int(last * height), where] = dark


def _wander(n: int, box: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a smooth line through n random points of a box, (m, 2)."""
    knots = rng.uniform(0.08, 0.92, (n, 2)) * (box[1], box[0])
    steps = np.linspace(0, n - 1, 12 * n)
    t = (1.0 - np.cos(np.pi * (steps % 1.0))) / 2.0
    first = np.minimum(steps.astype(int), n - 2)
    straight = knots[first] + (knots[first + 1] - knots[first]) * t[:, None]
    smooth = cv2.GaussianBlur(straight, (1, 0), 0.1, sigmaY=rng.uniform(1.0, 5.0))
    return np.asarray(smooth, np.float64)


def _strike(ink: Ink, rng: np.random.Generator) -> Ink:
    """Cross out what is written: two or more lines, hatching, or a scribble over it."""
    box = ink.shape[0], ink.shape[1]
    rows = np.flatnonzero(ink.max(axis=1) > 0.3)
    columns = np.flatnonzero(ink.max(axis=0) > 0.3)
    x0, x1 = columns[0] - 0.15 * box[1], columns[-1] + 0.15 * box[1]
    y0, y1 = float(rows[0]), float(rows[-1])
    pen = rng.uniform(0.03, 0.1) * box[0] * _FINE
    canvas = np.zeros((box[0] * _FINE, box[1] * _FINE), np.uint8)

    def at(x: float, y: float) -> tuple[float, float]:
        return (x0 + x * (x1 - x0), y0 + y * (y1 - y0))

    kind = rng.integers(4)
    if kind == 0:  # several level or slanted lines
        for _ in range(rng.integers(2, 5)):
            middle, slope = rng.uniform(0.2, 0.8), rng.normal(0, 0.25)
            line(canvas, np.array([at(0, middle - slope), at(1, middle + slope)]) * _FINE, pen)
    elif kind == 1:  # a large cross
        jitter = rng.normal(0, 0.08, 8)
        for a, b in (((0, 0), (1, 1)), ((0, 1), (1, 0))):
            ends = np.array([at(*a), at(*b)]) + jitter.reshape(4, 2)[:2] * box[0]
            line(canvas, ends * _FINE, pen)
    elif kind == 2:  # zigzag
        n = int(rng.integers(4, 9))
        y = rng.uniform(0, 1, n) if rng.random() < 0.5 else np.arange(n) % 2 + rng.normal(0, 0.1, n)
        knots = np.array([at(k / (n - 1), y[k]) for k in range(n)])
        line(canvas, knots * _FINE, pen)
    else:
        inner = (max(4, int(y1 - y0)), max(4, int(x1 - x0)))
        scribble = _wander(int(rng.integers(5, 11)), inner, rng) + np.array([x0, y0])
        line(canvas, scribble * _FINE, pen)
    return np.maximum(ink, _averaged(canvas, box))


def _two(ink: Ink, other: Ink, rng: np.random.Generator) -> Ink:
    """Two signs in one box: side by side, or the one written over the other."""
    both = []
    for sign in (ink, other):
        rows = np.flatnonzero(sign.max(axis=1) > 0.3)
        columns = np.flatnonzero(sign.max(axis=0) > 0.3)
        both.append(sign[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    a, b = both
    height = max(a.shape[0], b.shape[0])
    gap = int(rng.uniform(-0.1, 0.3) * height)
    if rng.random() < 0.2:
        gap = -min(a.shape[1], b.shape[1]) + int(rng.normal(0, 0.15) * height)
    at_b = max(0, a.shape[1] + gap)
    width = max(a.shape[1], at_b + b.shape[1])
    out = np.zeros((height + 4, width + 4), np.float32)
    for sign, left in ((a, 2), (b, at_b + 2)):
        top = 2 + int(rng.integers(height - sign.shape[0] + 1))
        part = out[top : top + sign.shape[0], left : left + sign.shape[1]]
        np.maximum(part, sign, out=part)
    return out


def _marks(box: tuple[int, int], rng: np.random.Generator) -> Ink:
    """Scribbles, dots, dashes, equals signs, corners of a frame, hatching."""
    canvas = np.zeros((box[0] * _FINE, box[1] * _FINE), np.uint8)
    pen = rng.uniform(0.03, 0.11) * box[0] * _FINE
    size = np.array([box[1], box[0]]) * _FINE
    kind = rng.integers(6)
    if kind <= 1:  # scribble
        points = _wander(int(rng.integers(6, 16)), box, rng) * _FINE
        line(canvas, points, pen)
    elif kind == 2:  # dots and commas
        for _ in range(rng.integers(1, 4)):
            start = rng.uniform(0.2, 0.8, 2) * size
            end = start + rng.normal(0, 0.04, 2) * size
            line(canvas, np.array([start, end]), pen * rng.uniform(1, 2))
    elif kind == 3:  # dash, or dashes one above the other
        for _ in range(rng.integers(1, 4)):
            y, slope = rng.uniform(0.3, 0.7), rng.normal(0, 0.06)
            ends = np.array(
                [[rng.uniform(0.1, 0.35), y - slope], [rng.uniform(0.6, 0.9), y + slope]]
            )
            line(canvas, ends * size, pen)
    elif kind == 4:  # a corner of the frame and more
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) * 0.98 + 0.01
        n = int(rng.integers(3, 6))
        line(canvas, corners[:n] * size, pen * 0.6)
    else:  # hatching
        n = int(rng.integers(3, 8))
        slope = rng.normal(0, 0.4)
        for x in np.linspace(0.1, 0.9, n) + rng.normal(0, 0.02, n):
            ends = np.array([[x - slope / 2, 0.1], [x + slope / 2, 0.9]])
            line(canvas, np.clip(ends, 0.02, 0.98) * size, pen)
        if rng.random() < 0.5:
            canvas = np.ascontiguousarray(canvas.T)
    return _averaged(canvas, box)


def none_of_these(ink: Ink, other: Ink, rng: np.random.Generator) -> Ink:
    """Make something that is no sign, at times out of two signs."""
    kind = rng.random()
    if kind < 0.35:
        return _strike(ink, rng)
    if kind < 0.65:
        return _two(ink, other, rng)
    return _marks((ink.shape[0], ink.shape[1]), rng)
