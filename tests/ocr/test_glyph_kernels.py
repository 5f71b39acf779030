"""The compiled loops of the glyph reader against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from inkmark.ocr._shape import glyph_images

F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]


def shares(crop: U8, paper: float) -> tuple[F64, float]:
    flat = crop.ravel().astype(float)
    ordered = np.sort(flat)
    steps = np.sort(np.abs(np.diff(flat)))
    noise = (steps[(len(flat) - 1) // 2] if len(steps) > (len(flat) - 1) // 2 else 255) / 0.95
    if paper < 0:
        paper = ordered[len(flat) * 9 // 10] - 1.2 * noise
    depth = paper - ordered[min(len(flat) - 1, max(2, len(flat) // 100))]
    if depth < max(16, 5 * noise):
        return np.zeros(crop.shape), 0.0
    low = max(0.25 * depth, min(3 * noise, 0.5 * depth))
    return np.clip((paper - crop.astype(float) - low) / (0.8 * depth - low), 0, 1), depth


def without_specks(share: F64) -> F64:
    labels, n = ndimage.label(share > 0, np.ones((3, 3)))
    if n < 2:
        return share
    height, width = share.shape
    mass = ndimage.sum_labels(share, labels, np.arange(1, n + 1))
    specks, edges = [], []
    for k, (rows, columns) in enumerate(ndimage.find_objects(labels)):
        extent = max(rows.stop - rows.start, columns.stop - columns.start)
        if mass[k] < 0.03 * mass.max() and extent <= 0.12 * max(height, width):
            specks.append(k + 1)
        outside = (
            columns.stop - 1 < 0.12 * width
            or columns.start >= 0.88 * width
            or rows.stop - 1 < 0.12 * height
            or rows.start >= 0.88 * height
        )
        if outside and mass[k] < 0.25 * mass.max():
            edges.append(k + 1)
    if mass[np.array(specks, int) - 1].sum() > 0.1 * mass.sum():
        specks = []
    return np.where(np.isin(labels, specks + edges), 0.0, share)


def overlaps(start: float, step: float, n: int) -> F64:
    """How much of each of n pixels each of 28 windows sees, (28, n)."""
    half = max(step, 1.0) / 2
    centre = start + (np.arange(28)[:, None] + 0.5) * step
    pixel = np.arange(n)
    seen = np.minimum(centre + half, pixel + 1) - np.maximum(centre - half, pixel)
    return np.clip(seen, 0, None) / (2 * half)


def glyph_of(crop: U8, paper: float) -> tuple[U8, float]:
    share, depth = shares(crop, paper)
    if depth == 0:
        return np.zeros((28, 28), np.uint8), 0.0
    share = without_specks(share)
    ink = share.mean() * depth / 255
    if not (share > 0.3).any():
        return np.zeros((28, 28), np.uint8), ink
    rows, columns = np.flatnonzero((share > 0.3).any(1)), np.flatnonzero((share > 0.3).any(0))
    extent = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    step = max(extent, 0.3 * max(crop.shape)) / 20
    starts = []
    for axis, some in ((1, rows), (0, columns)):
        mass = share.sum(axis=axis)
        middle = (mass * (np.arange(len(mass)) + 0.5)).sum() / mass.sum()
        start = max(middle - 14.5 * step, some[-1] + 1 - 27.5 * step)
        starts.append(min(start, some[0] - 0.5 * step))
    down = overlaps(starts[0], step, crop.shape[0])
    across = overlaps(starts[1], step, crop.shape[1])
    glyph = down @ share @ across.T
    eighth = np.sort((glyph * 255).astype(int).ravel())[-8]
    gain = 255 / max(0.3 * 255, eighth)
    return np.minimum(255, glyph * gain * 255 + 0.5).astype(np.uint8), ink


def crops(seed: int) -> list[U8]:
    """Blurred random lines on noisy paper, of many sizes."""
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(40):
        height, width = rng.integers(6, 110, 2)
        ink = ndimage.gaussian_filter(rng.random((height, width)), rng.uniform(1, 5))
        ink = np.clip((ink - np.quantile(ink, rng.uniform(0.7, 0.98))) * rng.uniform(2, 60), 0, 1)
        page = rng.uniform(150, 250) - 130 * ink + rng.normal(0, rng.uniform(0, 5), ink.shape)
        drawn.append(np.clip(page, 0, 255).astype(np.uint8))
    return drawn


@pytest.mark.parametrize("paper", [None, 240.0])
def test_glyphs_are_drawn_as_numpy_draws_them(paper: float | None) -> None:
    some = crops(7)
    glyphs, ink = glyph_images(some, paper)
    expected = [glyph_of(crop, -1.0 if paper is None else paper) for crop in some]
    for glyph, (wanted, _) in zip(glyphs, expected, strict=True):
        # The eighth brightest pixel may fall to either side of a whole number.
        np.testing.assert_allclose(glyph.astype(int), wanted.astype(int), atol=4)
    np.testing.assert_allclose(ink, [wanted for _, wanted in expected], atol=1e-5)
    assert (ink > 0).sum() > 20
