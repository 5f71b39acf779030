from __future__ import annotations

import numpy as np

from inkmark.images import Pixels


def test_pixels_of_an_array(page):
    pixels = Pixels.of(page)
    assert pixels.shape == page.shape
    assert np.array_equal(pixels.whole(), page)
    seen = pixels.at(np.array([[3, 5, 50, 60]]))
    assert np.array_equal(seen[5:60, 3:50], page[5:60, 3:50])


def test_coarse_is_the_mean_of_each_block(page):
    coarse = Pixels.of(page).coarse()
    assert coarse.shape == (50, 36)
    for y, x in np.ndindex(50, 36):
        block = page[8 * y : 8 * y + 8, 8 * x : 8 * x + 8]
        assert abs(float(coarse[y, x]) - block.mean()) <= 0.5
