"""A page of print whose text is known."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from reportlab.pdfgen.canvas import Canvas

from inkmark.fonts import REGULAR, register_fonts
from inkmark.simulator import CLEAN_OFFICE, render_pages, scan

LINES = (
    "八年级数学期末检测",
    "1. 已知一次函数 y=3x+2 的图象经过点 (1, a)，求 a 的值。",
    "A. 5    B. 6    C. 7    D. 8",
    "2. A box measures 5 by 4 by 3. How long is its diagonal?",
    "3. 解不等式 2x-7>15，并把解集在数轴上表示出来。",
)


def scanned_page(folder: Path) -> NDArray[np.uint8]:
    """The lines at 11 points on an upright A4 page, as a clean scanner sees it."""
    register_fonts()
    path = folder / "print.pdf"
    canvas = Canvas(str(path), pagesize=(595.3, 841.9))
    canvas.setFont(REGULAR, 11)
    for row, line in enumerate(LINES):
        canvas.drawString(70, 760 - 30 * row, line)
    canvas.save()
    (page,) = render_pages(path, 200.0)
    return scan(page, 200.0, CLEAN_OFFICE, np.random.default_rng(1))


def plain(text: str) -> str:
    """Text without blanks and full-width forms."""
    return "".join(unicodedata.normalize("NFKC", text).split())
