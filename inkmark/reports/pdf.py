"""The PDF files of reports: a `Book` in the making, its colours and the measures of its pages."""

from __future__ import annotations

import io
from pathlib import Path

from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from inkmark.drawing import PT_PER_MM, Pen
from inkmark.files import write_whole
from inkmark.fonts import register_fonts

__all__ = [
    "ACCENT",
    "FAINT",
    "INK",
    "MARGIN_MM",
    "MID",
    "PAGE_H_MM",
    "PAGE_W_MM",
    "PALE",
    "SMALLEST_PART",
    "SOFT",
    "WHITE",
    "Book",
]

# Told apart by lightness alone, so that a grey print says the same: 14, 35, 66, 92 %.
INK = HexColor(0x1B2A41)
ACCENT = HexColor(0x2F5D8A)
MID = HexColor(0x9DB2C9)
PALE = HexColor(0xE8EDF3)
SOFT = HexColor(0x5B6776)
FAINT = HexColor(0xC3CCD6)
WHITE = HexColor(0xFFFFFF)

MARGIN_MM = 14.0
PAGE_W_MM, PAGE_H_MM = 210.0, 297.0
# Text that has no room is made smaller down to this part of its size, then cut.
SMALLEST_PART = 0.8


class Book:
    """A PDF file in the making, page after page.

    Equal contents give equal bytes: the file carries no time and no random identifier.

    Parameters
    ----------
    title : str
        Title of the document.
    language : str
        ``"zh"`` or ``"en"``.
    """

    def __init__(self, title: str, language: str) -> None:
        register_fonts()
        self._buffer = io.BytesIO()
        self.canvas = Canvas(
            self._buffer, pageCompression=1, invariant=1, lang="zh-CN" if language == "zh" else "en"
        )
        self.canvas.setTitle(title)
        self.canvas.setCreator("inkmark")
        self._n_bookmarks = 0

    def page(self, width_mm: float, height_mm: float) -> Pen:
        """Begin a page; `end_page` ends it."""
        self.canvas.setPageSize((width_mm * PT_PER_MM, height_mm * PT_PER_MM))
        return Pen(self.canvas, width_mm, height_mm, ink=INK, smallest_part=SMALLEST_PART)

    def end_page(self) -> None:
        """End the page begun last."""
        self.canvas.showPage()

    def bookmark(self, text: str, level: int = 0) -> None:
        """Let the outline of the file point to the current page."""
        key = f"part{self._n_bookmarks}"
        self._n_bookmarks += 1
        self.canvas.bookmarkPage(key)
        self.canvas.addOutlineEntry(text, key, level=level, closed=True)
        self.canvas.showOutline()

    def write(self, path: Path | str) -> None:
        """Write the file, whole or not at all."""
        self.canvas.save()
        write_whole(path, self._buffer.getvalue())
