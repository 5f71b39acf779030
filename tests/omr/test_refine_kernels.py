"""Each kernel that looks for outlines against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest

from inkmark.omr import _kernels as kernels
from inkmark.omr._transform import Transform
from inkmark.readings import Registration, ShiftMesh


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(7)


@pytest.fixture(scope="module")
def pixels(rng):
    return rng.integers(0, 256, (300, 260)).astype(np.uint8)


@pytest.fixture(scope="module")
def transform(rng):
    shifts = rng.normal(0, 0.3, (2, 6))
    return Transform.of(
        Registration(
            orientation_deg=0,
            homography=(7.8, 0.5, 5.0, -0.4, 7.9, 6.0, 1e-4, -2e-4, 1.0),
            residual_mm=0.1,
            anchors_found=0,
            anchors_expected=0,
            shifts=ShiftMesh(
                (0.0, 15.0, 40.0),
                (0.0, 30.0),
                tuple(shifts[0].tolist()),
                tuple(shifts[1].tolist()),
            ),
        )
    )


@pytest.fixture(scope="module")
def bubbles(rng):
    centres = rng.uniform(5, 28, (30, 2))
    centres[-1] = (-0.5, 12.0)  # its outline reaches over the edge of the image
    return np.column_stack([centres, rng.uniform(1.2, 2.5, (30, 2))])


def axes(transform, bubble):
    """Centre in px, and the pixels of a millimetre across and down."""
    x, y, w, h = bubble
    centre, right, down = transform.to_px(np.array([(x, y), (x + w, y), (x, y + h)]))
    return centre, (right - centre) / w, (down - centre) / h


def test_outline_signs(rng, pixels, transform, bubbles):
    outlines = rng.normal(0, 1.2, (2, 8, 4))
    outlines[:, :, 2:] /= np.linalg.norm(outlines[:, :, 2:], axis=2, keepdims=True)
    kind = rng.integers(0, 2, len(bubbles))
    out = np.empty((len(bubbles), 4))
    places = transform.places(bubbles)
    kernels.outline_signs(pixels, places, bubbles, kind, outlines, 0.25, out)
    height, width = pixels.shape
    n_beyond = 0
    for k, bubble in enumerate(bubbles):
        centre, across, down = axes(transform, bubble)
        on = centre + outlines[kind[k], :, :1] * across + outlines[kind[k], :, 1:2] * down
        normal = outlines[kind[k], :, 2:]
        step = 0.25 * (normal[:, :1] * across + normal[:, 1:] * down)
        at = np.stack([on - step, on, on + step]) + 0.5
        if (at < 0).any() or (at >= (width, height)).any():
            assert np.isnan(out[k]).all()
            n_beyond += 1
            continue
        x, y = at.astype(int).transpose(2, 0, 1)
        inner, line, outer = pixels[y, x].astype(float)
        squares = np.square(normal).sum(axis=0)
        expected = [(np.square(normal).T @ ((inner + outer) / 2 - line)) / squares]
        expected += [(normal.T @ (inner - outer)) / (2 * squares)]
        np.testing.assert_allclose(
            out[k], np.concatenate(expected) / max(outer.max(), 1), atol=1e-9
        )
    assert 0 < n_beyond < len(bubbles) / 2


def test_block_medians(rng):
    values = rng.normal(0, 1, (12, 3))
    values[2] = values[9:] = np.nan
    first = np.array([0, 4, 9, 12])
    out = np.empty((3, 3))
    kernels.block_medians(values, first, out)
    np.testing.assert_allclose(out[0], np.median(values[[0, 1, 3]], axis=0))
    np.testing.assert_allclose(out[1], np.median(values[4:9], axis=0))
    assert (out[2] == 0).all()


def test_cut_patches(pixels, transform, bubbles):
    out = np.empty((len(bubbles), 21, 31), np.float32)
    kernels.cut_patches(pixels, transform.places(bubbles), bubbles, 0.14, out)
    height, width = pixels.shape
    b, a = np.mgrid[-10:11, -15:16]
    grey = pixels.astype(float)
    for k, bubble in enumerate(bubbles):
        centre, across, down = axes(transform, bubble)
        at = centre + 0.14 * (a[..., None] * across + b[..., None] * down)
        x, y = np.clip(at, 0, (width - 1.001, height - 1.001)).transpose(2, 0, 1)
        column, row = x.astype(int), y.astype(int)
        u, v = x - column, y - row
        upper = grey[row, column] * (1 - u) + grey[row, column + 1] * u
        lower = grey[row + 1, column] * (1 - u) + grey[row + 1, column + 1] * u
        np.testing.assert_allclose(out[k], upper * (1 - v) + lower * v, atol=0.01)


def test_shift_scores(rng):
    lines = rng.normal(0, 1, (5, 21, 25)).astype(np.float32)
    outlines = rng.integers(-6, 7, (2, 9, 2))
    kind = np.array([0, 1, 1, 0, 1])
    out = np.empty((5, 7, 7), np.float32)
    kernels.shift_scores(lines, kind, outlines, out)
    for k, i, j in np.ndindex(out.shape):
        x, y = (outlines[kind[k]] + (12 + j - 3, 10 + i - 3)).T
        assert out[k, i, j] == pytest.approx(lines[k, y, x].mean(), abs=1e-5)
