from __future__ import annotations

import numpy as np
import pytest

from inkmark.simulator import Bulge
from inkmark.simulator.pose import resample


def test_nothing_moves_where_nothing_is_asked_to():
    pixels = np.random.default_rng(0).integers(0, 256, (83, 57), dtype=np.uint8)
    assert np.array_equal(resample(pixels, lambda px: px, pixels.shape), pixels)


def test_pixels_come_from_where_the_mapping_says():
    ramp = np.tile(np.arange(200, dtype=np.uint8), (150, 1))
    out = resample(ramp, lambda px: 0.5 * px + np.array([30.0, 10.0]), (120, 160), outside=7)
    assert out.shape == (120, 160)
    assert np.abs(out[:, 2:].astype(float) - (30 + 0.5 * np.arange(2, 160))).max() <= 1
    beyond = resample(ramp, lambda px: px + np.array([190.0, 0.0]), (120, 160), outside=7)
    assert (beyond[:, 12:] == 7).all()


def test_a_bulge_is_a_wave_of_its_height_in_one_direction():
    bulge = Bulge(4.0, 100.0, 90.0, 0.25)
    x, y = np.meshgrid(np.linspace(-200, 200, 41), np.linspace(-200, 200, 401))
    heights = bulge.at(np.stack([x.ravel(), y.ravel()], axis=1)).reshape(x.shape)
    assert heights.min() == pytest.approx(0.0, abs=1e-3)
    assert heights.max() == pytest.approx(4.0, abs=1e-3)
    assert np.ptp(heights, axis=1).max() < 1e-9
    assert heights[0] == pytest.approx(heights[100])  # a wave is 100 mm long
