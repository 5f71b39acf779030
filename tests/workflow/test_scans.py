"""Parts of scanned pages that are cut out for people."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from inkmark.geometry import Box
from inkmark.workflow.scans import cut_out

PAGE: np.ndarray = np.arange(12 * 20, dtype=np.uint8).reshape(12, 20)
"""No two pixels are alike."""


def on_scan(box: Box, turns: int) -> tuple[np.ndarray, Box]:
    """The page and a box of it as they lie on a scan that so many quarter turns put upright."""
    marks = np.zeros_like(PAGE)
    marks[int(box.y) : int(box.bottom), int(box.x) : int(box.right)] = 1
    y, x = np.nonzero(np.rot90(marks, -turns))
    found = Box(float(x.min()), float(y.min()), float(np.ptp(x) + 1), float(np.ptp(y) + 1))
    return np.ascontiguousarray(np.rot90(PAGE, -turns)), found


def cut(pixels: np.ndarray, box: Box, turns: int, **options: float) -> np.ndarray:
    data = cut_out(pixels, box, 90 * turns, **options)
    part = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert part is not None
    return part


@pytest.mark.parametrize("turns", range(4))
def test_more_is_shown_above_a_box_whichever_way_the_scan_lies(turns: int) -> None:
    pixels, box = on_scan(Box(7, 6, 4, 4), turns)
    part = cut(pixels, box, turns, margin=0.25, above=1.0)
    top, left = divmod(int(part[0, 0]), 20)
    bottom, right = divmod(int(part[-1, -1]), 20)
    # One pixel more or less, by which side is the first of the scan.
    assert top in {1, 2}
    assert left in {5, 6}
    assert bottom in {10, 11}
    assert right in {11, 12}
    assert np.array_equal(PAGE[top : bottom + 1, left : right + 1], part)


@pytest.mark.parametrize("turns", range(4))
def test_what_is_outside_the_page_is_not_shown(turns: int) -> None:
    pixels, box = on_scan(Box(0, 2, 4, 4), turns)
    part = cut(pixels, box, turns, margin=0.0, above=1.0)
    assert np.array_equal(part[:6, :4], PAGE[:6, :4])
    assert cut_out(pixels, Box(200, 200, 10, 10), 90 * turns, above=2.0) == b""
