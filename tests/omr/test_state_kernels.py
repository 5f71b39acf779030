"""Each kernel that gives the states of bubbles against plain numpy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from inkmark.omr import _state_kernels as _kernels
from inkmark.omr._level_kernels import N_SAMPLES as N_POINTS


@pytest.fixture
def rng():
    return np.random.default_rng(37)


def test_probabilities_equal_numpy(rng):
    sizes = (20, 7, 5, 4)
    layers = [rng.normal(size=(a + 1, b)).astype(np.float32) for a, b in pairwise(sizes)]
    inputs = rng.normal(size=(30, 20)).astype(np.float32)
    inputs[0] *= 1000  # no overflow
    out = np.empty((30, 4))
    _kernels.probabilities(inputs, *layers, out)
    x = inputs.astype(np.float64)
    for layer in layers:
        z = x @ layer[:-1] + layer[-1]
        x = np.maximum(z, 0)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    np.testing.assert_allclose(out[1:], (e / e.sum(axis=1, keepdims=True))[1:], atol=1e-4)
    np.testing.assert_allclose(out.sum(axis=1), 1.0)


def stood_out(samples, white, near, glyph, kind, *, stroke):
    """What `stand_out` fills, in numpy."""
    dark = 1 - samples / np.maximum(white, 1)[:, None]
    printed = np.zeros_like(dark)
    for k in np.unique(kind):
        if (near & (kind == k)).any():
            printed[kind == k] = dark[near & (kind == k)].mean(axis=0)
    for g in np.unique(glyph):
        if (near & (glyph == g)).sum() >= 3:
            printed[glyph == g] = dark[near & (glyph == g)].mean(axis=0)
    return np.clip((dark - printed) / stroke, -0.5, 1.6)


def test_stand_out_equals_numpy(rng):
    n = 40
    samples = rng.integers(0, 256, (n, N_POINTS)).astype(np.uint8)
    white, near = rng.uniform(200, 255, n), rng.random(n) < 0.6
    white[3] = 0
    glyph = np.repeat(np.arange(5), 8)
    kind = glyph // 2
    near[glyph == 1] = False  # takes the print of its kind
    near[kind == 2] = False  # has none
    by_glyph = np.argsort(glyph, kind="stable")
    first = np.searchsorted(glyph, np.arange(6))
    out = np.zeros((n, N_POINTS + 2), dtype=np.float32)
    _kernels.stand_out(samples, white, near, 0.7, by_glyph, first, kind, out)
    expected = stood_out(samples, white, near, glyph, kind, stroke=0.7)
    np.testing.assert_allclose(out[:, :N_POINTS], expected, atol=1e-5)
    assert not out[:, N_POINTS:].any()
