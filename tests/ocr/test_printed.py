from __future__ import annotations

from pathlib import Path

import numpy as np
from printed_page import LINES, plain, scanned_page

from inkmark.ocr.printed import read_printed


def test_a_printed_page_is_read_line_by_line(tmp_path: Path) -> None:
    page = scanned_page(tmp_path)
    lines = read_printed(page)
    read = "".join(plain(line.text) for line in lines)
    for line in LINES:
        assert plain(line) in read
    tops = [line.corners_px[0][1] for line in lines]
    assert tops == sorted(tops)
    for line in lines:
        assert all(0 <= x < page.shape[1] and 0 <= y < page.shape[0] for x, y in line.corners_px)
        assert 0.5 < line.confidence <= 1.0


def test_an_empty_page_has_no_lines() -> None:
    assert read_printed(np.full((1200, 800), 250, np.uint8)) == ()


def test_a_page_that_is_hardly_one() -> None:
    assert read_printed(np.zeros((1, 1), np.uint8)) == ()
