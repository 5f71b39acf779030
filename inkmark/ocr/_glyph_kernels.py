"""Compiled inner loops of the glyph reader; each has a plain numpy twin in the tests."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["draw_glyphs"]

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]


@njit(cache=True, nogil=True)
def _rank(counts: I64, rank: int) -> int:
    """The value below or at which `rank` + 1 of the counted values lie."""
    seen = 0
    for value in range(256):
        seen += counts[value]
        if seen > rank:
            return value
    return 255


@njit(cache=True, nogil=True)
def _inks(crop: U8, paper: float, share: F32) -> float:
    """Fill `share` with the ink of each pixel, 0 to 1; returns the ink's depth in levels.

    The depth is that of the darkest hundredth, at least three pixels, so a pale pencil is
    as good as a black pen; below a quarter of it lies what the scanner and the paper make.
    """
    counts = np.zeros(256, np.int64)
    size = len(crop)
    for value in crop:
        counts[value] += 1
    # Most neighbours are both paper: half of them differ by less than 0.95 of the noise.
    steps = np.zeros(256, np.int64)
    for k in range(1, size):
        steps[abs(np.int64(crop[k]) - np.int64(crop[k - 1]))] += 1
    noise = _rank(steps, (size - 1) // 2) / 0.95
    if paper < 0.0:
        paper = _rank(counts, (size * 9) // 10) - 1.2 * noise
    depth = paper - _rank(counts, min(size - 1, max(2, size // 100)))
    if depth < max(16.0, 5.0 * noise):
        share[:] = 0.0
        return 0.0
    low = max(0.25 * depth, min(3.0 * noise, 0.5 * depth))
    high = 0.8 * depth
    for k in range(size):
        share[k] = min(1.0, max(0.0, (paper - crop[k] - low) / (high - low)))
    return float(depth)


@njit(cache=True, nogil=True)
def _root(parents: I64, label: int) -> int:
    while parents[label] != label:
        parents[label] = parents[parents[label]]
        label = parents[label]
    return label


@njit(cache=True, nogil=True)
def _drop_specks(share: F32, height: int, width: int) -> None:
    """Set to 0 the pieces of ink that are no part of what was written.

    They are dust, small and apart; and what was left of the frame or reaches in from the
    next box, light and within the outer eighth.
    """
    labels = np.zeros(height * width, np.int64)
    parents = np.zeros(height * width // 2 + 2, np.int64)
    n_labels = 0
    for y in range(height):
        for x in range(width):
            here = y * width + x
            if share[here] <= 0.0:
                continue
            found = 0
            # The four neighbours that were seen before: left, and three above.
            for k in range(4):
                ny = y if k == 0 else y - 1
                nx = x - 1 if k == 0 else x + k - 2
                if ny < 0 or nx < 0 or nx >= width:
                    continue
                other = labels[ny * width + nx]
                if other == 0:
                    continue
                other = _root(parents, other)
                if found == 0:
                    found = other
                elif other != found:
                    parents[max(found, other)] = min(found, other)
                    found = min(found, other)
            if found == 0:
                n_labels += 1
                parents[n_labels] = n_labels
                found = n_labels
            labels[here] = found
    if n_labels < 2:
        return
    mass = np.zeros(n_labels + 1, np.float64)
    left = np.full(n_labels + 1, width, np.int64)
    right = np.full(n_labels + 1, -1, np.int64)
    top = np.full(n_labels + 1, height, np.int64)
    bottom = np.full(n_labels + 1, -1, np.int64)
    for y in range(height):
        for x in range(width):
            label = labels[y * width + x]
            if label == 0:
                continue
            label = _root(parents, label)
            labels[y * width + x] = label
            mass[label] += share[y * width + x]
            left[label] = min(left[label], x)
            right[label] = max(right[label], x)
            top[label] = min(top[label], y)
            bottom[label] = max(bottom[label], y)
    heaviest = mass.max()
    total = mass.sum()
    speck = np.zeros(n_labels + 1, np.bool_)
    edge = np.zeros(n_labels + 1, np.bool_)
    dropped = 0.0
    for label in range(1, n_labels + 1):
        if mass[label] == 0.0:
            continue
        extent = max(right[label] - left[label], bottom[label] - top[label]) + 1
        at_edge = (
            right[label] < 0.12 * width
            or left[label] >= 0.88 * width
            or bottom[label] < 0.12 * height
            or top[label] >= 0.88 * height
        )
        speck[label] = mass[label] < 0.03 * heaviest and extent <= 0.12 * max(height, width)
        edge[label] = at_edge and mass[label] < 0.25 * heaviest
        if speck[label]:
            dropped += mass[label]
    # Many small pieces are a broken stroke, not dust.
    if dropped > 0.1 * total:
        speck[:] = False
    for k in range(height * width):
        if speck[labels[k]] or edge[labels[k]]:
            share[k] = 0.0


@njit(cache=True, nogil=True)
def _shrink(share: F32, height: int, width: int, left: float, top: float, step: float) -> F32:
    """The mean ink of the 28 x 28 squares of side `step` that start at (left, top).

    Where a square is smaller than a pixel it is widened to one, so that a small crop is
    drawn as smoothly as a large one.
    """
    half = 0.5 * max(step, 1.0)
    rows = np.zeros((height, 28), np.float32)
    for j in range(28):
        centre = left + (j + 0.5) * step
        first = max(0, int(np.floor(centre - half)))
        last = min(width - 1, int(np.ceil(centre + half)) - 1)
        for x in range(first, last + 1):
            weight = (min(centre + half, x + 1.0) - max(centre - half, float(x))) / (2.0 * half)
            if weight <= 0.0:
                continue
            for y in range(height):
                rows[y, j] += weight * share[y * width + x]
    glyph = np.zeros((28, 28), np.float32)
    for i in range(28):
        centre = top + (i + 0.5) * step
        first = max(0, int(np.floor(centre - half)))
        last = min(height - 1, int(np.ceil(centre + half)) - 1)
        for y in range(first, last + 1):
            weight = (min(centre + half, y + 1.0) - max(centre - half, float(y))) / (2.0 * half)
            if weight <= 0.0:
                continue
            for j in range(28):
                glyph[i, j] += weight * rows[y, j]
    return glyph


@njit(cache=True, nogil=True)
def _draw(share: F32, height: int, width: int, out: U8) -> None:
    """Draw the ink centred by its mass, its longer side 20 px, as MNIST's digits are."""
    left = width
    right = -1
    top = height
    bottom = -1
    mass = 0.0
    mass_x = 0.0
    mass_y = 0.0
    for y in range(height):
        for x in range(width):
            value = share[y * width + x]
            mass += value
            mass_x += value * (x + 0.5)
            mass_y += value * (y + 0.5)
            if value > 0.3:
                left = min(left, x)
                right = max(right, x)
                top = min(top, y)
                bottom = max(bottom, y)
    if right < 0:
        return
    # A dot is not blown up to the size of a digit.
    extent = max(right - left + 1, bottom - top + 1)
    step = max(float(extent), 0.3 * max(height, width)) / 20.0
    # Centred by mass on pixel 14, as MNIST is, but nothing written leaves the picture.
    x0 = mass_x / mass - 14.5 * step
    y0 = mass_y / mass - 14.5 * step
    x0 = min(max(x0, right + 1 - 27.5 * step), left - 0.5 * step)
    y0 = min(max(y0, bottom + 1 - 27.5 * step), top - 0.5 * step)
    glyph = _shrink(share, height, width, x0, y0, step)
    # A thin pen leaves grey strokes: the eighth brightest pixel is made white.
    counts = np.zeros(256, np.int64)
    for i in range(28):
        for j in range(28):
            counts[int(glyph[i, j] * 255.0)] += 1
    gain = 255.0 / max(0.3 * 255.0, float(_rank(counts, 784 - 8)))
    for i in range(28):
        for j in range(28):
            out[i, j] = int(min(255.0, glyph[i, j] * gain * 255.0 + 0.5))


@njit(cache=True, nogil=True)
def draw_glyphs(flat: U8, starts: I64, shapes: I64, papers: F64, out: U8, ink: F32) -> None:
    """Draw each crop as a glyph, and measure how much ink it holds.

    Parameters
    ----------
    flat : (n_pixels,) uint8
        The crops' pixels, one crop after the other.
    starts : (n,) int64
        Where each crop begins in `flat`.
    shapes : (n, 2) int64
        Height and width of each crop.
    papers : (n,) float64
        Grey level of the paper, negative where it is to be found in the crop.
    out : (n, 28, 28) uint8
        Filled with the glyphs; zeros before the call.
    ink : (n,) float32
        Filled with the mean darkness relative to the paper; zeros before the call.
    """
    for n in range(len(starts)):
        height = shapes[n, 0]
        width = shapes[n, 1]
        size = height * width
        if size == 0:
            continue
        crop = flat[starts[n] : starts[n] + size]
        share = np.zeros(size, np.float32)
        depth = _inks(crop, papers[n], share)
        if depth == 0.0:
            continue
        _drop_specks(share, height, width)
        _draw(share, height, width, out[n])
        total = 0.0
        for k in range(size):
            total += share[k]
        ink[n] = total / size * depth / 255.0
