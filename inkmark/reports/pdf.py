"""PDF files and drawing on their pages in millimetres.

A `Book` is a PDF file in the making; a `Pen` draws on one of its pages.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from inkmark.files import write_whole
from inkmark.fonts import (
    BOLD,
    REGULAR,
    fit_text,
    printable_text,
    register_fonts,
    text_width,
    wrap_text,
)
from inkmark.geometry import Box

__all__ = [
    "ACCENT",
    "FAINT",
    "INK",
    "MARGIN_MM",
    "MID",
    "PAGE_H_MM",
    "PAGE_W_MM",
    "PALE",
    "SOFT",
    "WHITE",
    "Book",
    "Pen",
    "width_mm",
]

Align = Literal["left", "centre", "right"]

# Told apart by lightness alone, so that a grey print says the same: 14, 35, 66, 92 %.
INK = HexColor(0x1B2A41)
ACCENT = HexColor(0x2F5D8A)
MID = HexColor(0x9DB2C9)
PALE = HexColor(0xE8EDF3)
SOFT = HexColor(0x5B6776)
FAINT = HexColor(0xC3CCD6)
WHITE = HexColor(0xFFFFFF)

PT_PER_MM = mm
MARGIN_MM = 14.0
PAGE_W_MM, PAGE_H_MM = 210.0, 297.0
# Text that has no room is made smaller down to this part of its size, then cut.
SMALLEST_PART = 0.8
# Text that may take several lines is made smaller down to this size; height of its lines.
SMALLEST_PT = 5.6
LINE_PART = 1.18


class Pen:
    """Draws on the current page: millimetres from the top left corner, y down.

    Attributes
    ----------
    canvas : reportlab Canvas
    width_mm, height_mm : float
        Size of the page.
    """

    def __init__(self, canvas: Canvas, width_mm: float, height_mm: float) -> None:
        self.canvas = canvas
        self.width_mm = width_mm
        self.height_mm = height_mm

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = 8.0,
        bold: bool = False,
        colour: Color = INK,
        align: Align = "left",
        width: float | None = None,
    ) -> None:
        """Write one line with its baseline at `y`; with `width` it is made to fit."""
        font = BOLD if bold else REGULAR
        text = printable_text(text)
        if width is not None:
            smallest = size * SMALLEST_PART
            text, size = fit_text(text, width * PT_PER_MM, size, font, min_size_pt=smallest)
        self.canvas.setFont(font, size)
        self.canvas.setFillColor(colour)
        place = x * PT_PER_MM, (self.height_mm - y) * PT_PER_MM
        if align == "left":
            self.canvas.drawString(*place, text)
        elif align == "right":
            self.canvas.drawRightString(*place, text)
        else:
            self.canvas.drawCentredString(*place, text)

    def text_in(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        text: str,
        *,
        size: float = 8.0,
        bold: bool = False,
        colour: Color = INK,
        align: Align = "left",
    ) -> None:
        """Write one line in the middle of the height of a box, made to fit its width."""
        at = {"left": x, "centre": x + w / 2, "right": x + w}[align]
        # Figures and capitals stand about 0.73 of the size above the baseline.
        baseline = y + h / 2 + 0.365 * size / PT_PER_MM
        self.text(at, baseline, text, size=size, bold=bold, colour=colour, align=align, width=w)

    def text_block(
        self,
        box: Box,
        text: str,
        *,
        size: float,
        bold: bool = False,
        colour: Color = INK,
        align: Align = "left",
    ) -> None:
        """Write text in one line or, smaller, in as many as the box has room for."""
        font = BOLD if bold else REGULAR
        width, height = box.w * PT_PER_MM, box.h * PT_PER_MM
        lines: tuple[str, ...] = (printable_text(text),)
        if text_width(lines[0], size, font) > width:
            text = lines[0]
            smallest = min(size, SMALLEST_PT)
            lines = wrap_text(text, width, size, font)
            while len(lines) * size * LINE_PART > height and size > smallest:
                size = max(size - 0.5, smallest)
                lines = wrap_text(text, width, size, font)
            room = max(1, int(height / (size * LINE_PART)))
            if len(lines) > room:
                rest = text
                for line in lines[: room - 1]:
                    rest = rest[len(line) :].lstrip()
                rest, _ = fit_text(rest, width, size, font, min_size_pt=size)
                lines = (*lines[: room - 1], rest)
        step = size * LINE_PART / PT_PER_MM
        top = box.y + (box.h - step * len(lines)) / 2
        for number, line in enumerate(lines):
            place = box.x, top + number * step, box.w, step
            self.text_in(*place, line, size=size, bold=bold, colour=colour, align=align)

    def line(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        *,
        colour: Color = INK,
        width_pt: float = 0.5,
        dash: tuple[float, ...] = (),
    ) -> None:
        """Draw a line; `dash` in points."""
        self.canvas.setStrokeColor(colour)
        self.canvas.setLineWidth(width_pt)
        self.canvas.setDash(list(dash))
        top = self.height_mm
        self.canvas.line(
            x0 * PT_PER_MM, (top - y0) * PT_PER_MM, x1 * PT_PER_MM, (top - y1) * PT_PER_MM
        )

    def rect(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        *,
        fill: Color | None = None,
        stroke: Color | None = None,
        width_pt: float = 0.5,
    ) -> None:
        """Draw a rectangle, filled, outlined or both."""
        if fill is not None:
            self.canvas.setFillColor(fill)
        if stroke is not None:
            self.canvas.setStrokeColor(stroke)
            self.canvas.setLineWidth(width_pt)
            self.canvas.setDash([])
        self.canvas.rect(
            x * PT_PER_MM,
            (self.height_mm - y - h) * PT_PER_MM,
            w * PT_PER_MM,
            h * PT_PER_MM,
            stroke=int(stroke is not None),
            fill=int(fill is not None),
        )

    def hatch(
        self, x: float, y: float, w: float, h: float, *, colour: Color = SOFT, step: float = 1.2
    ) -> None:
        """Fill a rectangle with rising lines `step` apart."""
        reach = step
        while reach < w + h:
            x0, y0 = (x + reach, y) if reach <= w else (x + w, y + reach - w)
            x1, y1 = (x, y + reach) if reach <= h else (x + reach - h, y + h)
            self.line(x0, y0, x1, y1, colour=colour, width_pt=0.35)
            reach += step

    def polygon(
        self,
        corners: Sequence[tuple[float, float]],
        *,
        fill: Color | None = None,
        stroke: Color | None = None,
        width_pt: float = 0.6,
        closed: bool = True,
    ) -> None:
        """Draw a polygon or, not closed, a line through its corners."""
        path = self.canvas.beginPath()
        for number, (x, y) in enumerate(corners):
            place = x * PT_PER_MM, (self.height_mm - y) * PT_PER_MM
            (path.lineTo if number else path.moveTo)(*place)
        if closed:
            path.close()
        if fill is not None:
            self.canvas.setFillColor(fill)
        if stroke is not None:
            self.canvas.setStrokeColor(stroke)
            self.canvas.setLineWidth(width_pt)
            self.canvas.setDash([])
        self.canvas.drawPath(path, stroke=int(stroke is not None), fill=int(fill is not None))

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        *,
        fill: Color | None = None,
        stroke: Color | None = None,
        width_pt: float = 0.6,
    ) -> None:
        """Draw a circle."""
        if fill is not None:
            self.canvas.setFillColor(fill)
        if stroke is not None:
            self.canvas.setStrokeColor(stroke)
            self.canvas.setLineWidth(width_pt)
            self.canvas.setDash([])
        self.canvas.circle(
            x * PT_PER_MM,
            (self.height_mm - y) * PT_PER_MM,
            radius * PT_PER_MM,
            stroke=int(stroke is not None),
            fill=int(fill is not None),
        )

    def ellipse(self, box: Box, *, stroke: Color, width_pt: float = 0.6) -> None:
        """Outline the ellipse that fills a box."""
        self.canvas.setStrokeColor(stroke)
        self.canvas.setLineWidth(width_pt)
        self.canvas.setDash([])
        x0, x1 = box.x * PT_PER_MM, box.right * PT_PER_MM
        y0, y1 = (self.height_mm - box.bottom) * PT_PER_MM, (self.height_mm - box.y) * PT_PER_MM
        self.canvas.ellipse(x0, y0, x1, y1, stroke=1, fill=0)

    def sector(
        self, x: float, y: float, radius: float, start_deg: float, extent_deg: float, *, fill: Color
    ) -> None:
        """Fill a sector of a circle, anticlockwise from `start_deg` (0 is to the right)."""
        self.canvas.setFillColor(fill)
        cx, cy, r = x * PT_PER_MM, (self.height_mm - y) * PT_PER_MM, radius * PT_PER_MM
        self.canvas.wedge(cx - r, cy - r, cx + r, cy + r, start_deg, extent_deg, stroke=0, fill=1)


def width_mm(text: str, size: float, *, bold: bool = False) -> float:
    """Width of a line of text in millimetres."""
    return text_width(text, size, BOLD if bold else REGULAR) / float(PT_PER_MM)


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
        return Pen(self.canvas, width_mm, height_mm)

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
