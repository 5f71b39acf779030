"""A page reads the same whether its pixels are decoded where they are looked at or all at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from sheets import DPI, make_folder, mark, page_images, quiz

from inkmark.images import Pixels, open_scan
from inkmark.readings import SheetReading
from inkmark.session import read_page
from inkmark.simulator import draw_scanner, scan


@pytest.fixture(scope="module")
def sheets(tmp_path_factory):
    """The layout, and marked pages as an ordinary scanner sees them."""
    folder = tmp_path_factory.mktemp("lazy")
    exam = quiz()
    layout = make_folder(folder / "exam", exam)
    pages = page_images(folder, exam, layout, exam.candidates)
    rng = np.random.default_rng(11)
    scans = []
    for n, page in enumerate(pages):
        marked = mark(page, layout, {f"Q{k + 1}": "ABCD"[(k + n) % 4] for k in range(6)})
        scans.append(scan(marked, DPI, draw_scanner(0.5, rng), rng))
    return layout, scans


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("options", [{}, {"restart_marker_blocks": 9}, {"subsampling": 2}], ids=str)
def test_readings_do_not_depend_on_what_is_decoded_when(tmp_path, sheets, options, orientation):
    layout, scans = sheets
    n_read = 0
    for pixels in scans:
        path = tmp_path / "a.jpg"
        exif = Image.Exif()
        exif[274] = orientation
        image = Image.fromarray(pixels).convert("RGB" if "subsampling" in options else "L")
        image.save(path, quality=85, exif=exif, **options)
        with open_scan(path) as file:
            lazy = read_page(file.load(0), layout)
            page = file.load(0)
            assert page.pixels.whole().shape == page.pixels.shape
            assert read_page(page, layout) == lazy
        array = replace(page, pixels=Pixels.of(page.pixels.whole()))
        whole = read_page(array, layout)
        assert type(whole) is type(lazy)
        if isinstance(lazy, SheetReading) and isinstance(whole, SheetReading):
            n_read += 1
            # The means of blocks are rounded otherwise, which moves the sheet by nothing to see.
            assert [(f.value, f.flag) for f in whole.fields] == [
                (f.value, f.flag) for f in lazy.fields
            ]
            assert [c.text for c in whole.codes] == [c.text for c in lazy.codes]
    assert n_read == len(scans)
