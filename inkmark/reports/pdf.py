"""Drawing on PDF pages in millimetres, and letting sections flow over pages.

A `Pen` draws on one page; a `Flow` collects the sections of one report and knows how many
pages they take before the first is drawn, so that a footer can say "2 of 3"; a `Book` is
the PDF file that the flows go into.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from inkmark.reports.model import ReportHead
from inkmark.reports.words import words

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
    "Cell",
    "Column",
    "Draw",
    "Flow",
    "Pen",
    "footer",
    "paragraph",
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
# Rows of a table may be set closer by this part to save a page.
TIGHTEST = 0.87


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

    def text_block(self, box: Box, text: str, *, size: float, bold: bool = False) -> None:
        """Write text in one line or, smaller, in as many as the box has room for."""
        font = BOLD if bold else REGULAR
        width, height = box.w * PT_PER_MM, box.h * PT_PER_MM
        text = printable_text(text)
        smallest = min(size, SMALLEST_PT)
        lines = wrap_text(text, width, size, font)
        while len(lines) * size * LINE_PART > height and size > smallest:
            size = max(size - 0.5, smallest)
            lines = wrap_text(text, width, size, font)
        room = max(1, int(height / (size * LINE_PART)))
        if len(lines) > room:
            lines = (*lines[: room - 1], "".join(lines[room - 1 :]))
        step = size * LINE_PART / PT_PER_MM
        top = box.y + (box.h - step * len(lines)) / 2
        for number, line in enumerate(lines):
            self.text_in(box.x, top + number * step, box.w, step, line, size=size, bold=bold)

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


Draw = Callable[[Pen, float], None]
"""Draws a section on a page, given the y of its top."""

Cell = str | Callable[[Pen, Box], None]
"""A table cell: its text, or what draws it in its box."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, width in mm and how its text is set."""

    title: str
    width: float
    align: Align = "left"
    bold: bool = False


def paragraph(
    text: str, width: float, *, size: float = 8.5, leading: float = 4.6, bullet: bool = False
) -> tuple[float, Draw]:
    """Break a text into lines: the height it takes in mm, and what draws it at the margin."""
    indent = 3.5 if bullet else 0.0
    lines = wrap_text(printable_text(text), (width - indent) * PT_PER_MM, size)

    def draw(pen: Pen, y: float) -> None:
        if bullet:
            pen.circle(MARGIN_MM + 1.2, y + leading * 0.52, 0.55, fill=ACCENT)
        for number, line in enumerate(lines):
            pen.text(MARGIN_MM + indent, y + leading * (number + 0.78), line, size=size)

    return leading * len(lines), draw


class Flow:
    """The sections of one report, placed on as many pages as they take.

    Parameters
    ----------
    top, bottom : float
        First and last y in mm that sections may use on a page.
    first_top : float or None
        The same `top` for the first page where its heading is taller.
    """

    def __init__(self, top: float, bottom: float, first_top: float | None = None) -> None:
        self._top = top
        self._bottom = bottom
        self._y = top if first_top is None else first_top
        self.pages: list[list[tuple[float, Draw]]] = [[]]

    @property
    def room(self) -> float:
        """Height left on the page in mm."""
        return self._bottom - self._y

    def new_page(self) -> None:
        """Leave the rest of the page empty."""
        self.pages.append([])
        self._y = self._top

    def add(self, height: float, draw: Draw, *, gap: float = 4.0, follow: float = 0.0) -> None:
        """Place a section that stays whole, with `gap` below it.

        A section that is followed by one that it must not be parted from (a heading)
        gives the height of that as `follow`.
        """
        if self.room < height + follow and self.pages[-1]:
            self.new_page()
        self.pages[-1].append((self._y, draw))
        self._y += height + gap

    def skip(self, height: float) -> None:
        """Leave `height` free below the last section."""
        self._y += height

    def heading(self, text: str, note: str | Draw = "", *, follow: float = 20.0) -> None:
        """Place a section heading, with a note in small print, or drawn, to its right."""

        def draw(pen: Pen, y: float) -> None:
            right = pen.width_mm - MARGIN_MM
            pen.rect(MARGIN_MM, y + 0.7, 1.2, 4.0, fill=ACCENT)
            pen.text(MARGIN_MM + 2.8, y + 4.0, text, size=10.5, bold=True)
            if callable(note):
                note(pen, y)
            elif note:
                left = MARGIN_MM + 2.8 + width_mm(text, 10.5, bold=True) + 4
                pen.text(
                    right, y + 4.0, note, size=7, colour=SOFT, align="right", width=right - left
                )

        self.add(5.4, draw, gap=1.6, follow=follow)

    def table(
        self,
        columns: Sequence[Column],
        rows: Sequence[Sequence[Cell]],
        *,
        left: float = MARGIN_MM,
        row_height: float = 4.8,
        size: float = 7.0,
        side_by_side: int = 1,
        between: float = 5.0,
    ) -> None:
        """Place a table that goes on over pages, its head repeated on each.

        With `side_by_side` parts, the rows go down the first part and then the next. A
        table that nearly fits on the page has its rows set closer.
        """
        heads = [_head_lines(column, size) for column in columns]
        head_height = 4.8 + 3.0 * (max(len(lines) for lines in heads) - 1)
        width = sum(column.width for column in columns)
        height = (self.room - head_height) / -(-len(rows) // side_by_side) if rows else 0.0
        if row_height * TIGHTEST <= height < row_height:
            row_height = height - 1e-9
        start = 0
        while start < len(rows):
            fitting = int((self.room - head_height) / row_height)
            if fitting < 2 and self.pages[-1]:
                self.new_page()
                continue
            rest = len(rows) - start
            depth = min(max(fitting, 1), -(-rest // side_by_side))
            chunk = rows[start : start + depth * side_by_side]
            start += len(chunk)

            def draw(
                pen: Pen, y: float, chunk: Sequence[Sequence[Cell]] = chunk, depth: int = depth
            ) -> None:
                for part in range(-(-len(chunk) // depth)):
                    x = left + part * (width + between)
                    _draw_head(pen, columns, heads, Box(x, y, width, head_height))
                    for number, row in enumerate(chunk[part * depth : (part + 1) * depth]):
                        place = y + head_height + number * row_height
                        box = Box(x, place, width, row_height)
                        if number % 2:
                            pen.rect(box.x, box.y, box.w, box.h, fill=PALE)
                        _draw_row(pen, columns, row, box, size)

            self.add(head_height + depth * row_height, draw)


def footer(
    pen: Pen, head: ReportHead, *, how_to_read: str, counted: str, number: int, n_pages: int
) -> None:
    """Write the two lines at the foot of a page; `number` is 0-based."""
    w = words(head.language)
    left, right, y = MARGIN_MM, pen.width_mm - MARGIN_MM, pen.height_mm - 16.0
    pen.line(left, y, right, y, colour=FAINT)
    pen.text(left, y + 3.6, how_to_read, size=6.5, colour=SOFT, width=right - left)
    made = "" if head.made is None else f"{w['made']} {head.made.isoformat()}"
    about = "  ·  ".join(text for text in (head.title, made, counted) if text)
    pen.text(left, y + 7.4, about, size=6.5, colour=SOFT, width=right - left - 34)
    page = w["page"].format(page=number + 1, pages=n_pages)
    pen.text(right, y + 7.4, page, size=7, align="right")


def _head_lines(column: Column, size: float) -> tuple[tuple[str, float], ...]:
    """The title of a column in one line or two, each with its size."""
    room = (column.width - 1.2) * PT_PER_MM
    lines: tuple[str, ...] = (column.title,)
    if text_width(column.title, size, BOLD) > room:
        lines = wrap_text(column.title, room, size * SMALLEST_PART, BOLD)[:2]
    smallest = size * SMALLEST_PART
    return tuple(fit_text(line, room, size, BOLD, min_size_pt=smallest) for line in lines)


def _draw_head(
    pen: Pen,
    columns: Sequence[Column],
    heads: Sequence[Sequence[tuple[str, float]]],
    box: Box,
) -> None:
    pen.rect(box.x, box.y, box.w, box.h, fill=INK)
    x = box.x
    for column, lines in zip(columns, heads, strict=True):
        top = box.y + (box.h - 3.0 * len(lines)) / 2
        for number, (text, size) in enumerate(lines):
            place = x + 0.6, top + 3.0 * number, column.width - 1.2, 3.0
            pen.text_in(*place, text, size=size, bold=True, colour=WHITE, align=column.align)
        x += column.width


def _draw_row(
    pen: Pen, columns: Sequence[Column], row: Sequence[Cell], box: Box, size: float
) -> None:
    pen.line(box.x, box.bottom, box.right, box.bottom, colour=FAINT, width_pt=0.3)
    x = box.x
    for column, cell in zip(columns, row, strict=True):
        if callable(cell):
            cell(pen, Box(x, box.y, column.width, box.h))
        elif cell:
            place = x + 0.6, box.y, column.width - 1.2, box.h
            pen.text_in(*place, cell, size=size, bold=column.bold, align=column.align)
        x += column.width


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
