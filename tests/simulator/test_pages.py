from __future__ import annotations

import numpy as np
import pytest
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from inkmark.simulator import render_pages


@pytest.mark.parametrize("dpi", [100.0, 200.0])
def test_vector_pages_are_rendered_at_the_resolution_asked_for(tmp_path, dpi):
    path = tmp_path / "sheets.pdf"
    canvas = Canvas(str(path), pagesize=(210 * mm, 297 * mm))
    for x in (50, 100):
        canvas.rect(x * mm, (297 - 120) * mm, 20 * mm, 20 * mm, stroke=0, fill=1)
        canvas.showPage()
    canvas.save()
    pages = list(render_pages(path, dpi))
    assert len(pages) == 2
    scale = dpi / 25.4
    for page, x in zip(pages, (50, 100), strict=True):
        assert page.dtype == np.uint8
        assert page.shape == pytest.approx((297 * scale, 210 * scale), abs=1)
        rows, columns = np.nonzero(page < 128)
        assert (columns.min(), columns.max()) == pytest.approx(
            (x * scale, (x + 20) * scale), abs=1.5
        )
        assert (rows.min(), rows.max()) == pytest.approx((100 * scale, 120 * scale), abs=1.5)


@pytest.mark.parametrize("dpi", [75.0, 100.0])
def test_averaging_puts_print_where_it_should_lie(tmp_path, dpi):
    path = tmp_path / "sheet.pdf"
    canvas = Canvas(str(path), pagesize=(210 * mm, 297 * mm))
    canvas.rect(50.3 * mm, (297 - 120.7) * mm, 20 * mm, 20 * mm, stroke=0, fill=1)
    canvas.save()
    (page,) = render_pages(path, dpi, oversampling=6)
    scale = dpi / 25.4
    assert page.shape == pytest.approx((297 * scale, 210 * scale), abs=1)
    dark = 255.0 - page
    rows, columns = np.mgrid[: page.shape[0], : page.shape[1]]
    middle = (columns * dark).sum() / dark.sum(), (rows * dark).sum() / dark.sum()
    assert middle == pytest.approx((60.3 * scale - 0.5, 110.7 * scale - 0.5), abs=0.12)
