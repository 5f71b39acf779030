"""Letting the sections of a report flow over pages: headings, paragraphs, tables, footers.

A `Flow` collects the sections of one report and knows how many pages they take before the
first is drawn, so that a footer can say "2 of 3".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from inkmark.drawing import PT_PER_MM, Align, Pen, width_mm
from inkmark.fonts import BOLD, fit_text, printable_text, text_width, wrap_text
from inkmark.geometry import Box
from inkmark.reports.model import ReportHead
from inkmark.reports.pdf import ACCENT, FAINT, INK, MARGIN_MM, PALE, SMALLEST_PART, SOFT, WHITE
from inkmark.reports.words import words

__all__ = ["Cell", "Column", "Draw", "Flow", "footer", "paragraph"]

# Rows of a table may be set closer by this part to save a page.
TIGHTEST = 0.87
# A heading is not left without the head of its table, in two lines, and two rows of it.
HEAD_AND_TWO_ROWS_MM = 4.8 + 3.0 + 2 * 7.0

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
        needed = height + gap + follow if follow else height
        if self.room < needed and self.pages[-1]:
            self.new_page()
        self.pages[-1].append((self._y, draw))
        self._y += height + gap

    def skip(self, height: float) -> None:
        """Leave `height` free below the last section."""
        self._y += height

    def heading(
        self, text: str, note: str | Draw = "", *, follow: float = HEAD_AND_TWO_ROWS_MM
    ) -> None:
        """Place a section heading, with a note in small print, or drawn, to its right."""

        def draw(pen: Pen, y: float) -> None:
            right = pen.width_mm - MARGIN_MM
            pen.rect(Box(MARGIN_MM, y + 0.7, 1.2, 4.0), fill=ACCENT)
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
                            pen.rect(box, fill=PALE)
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
    about = "  ·  ".join(text for text in (counted, made, head.title) if text)
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
    pen.rect(box, fill=INK)
    x = box.x
    for column, lines in zip(columns, heads, strict=True):
        top = box.y + (box.h - 3.0 * len(lines)) / 2
        for number, (text, size) in enumerate(lines):
            place = Box(x + 0.6, top + 3.0 * number, column.width - 1.2, 3.0)
            pen.text_in(place, text, size=size, bold=True, colour=WHITE, align=column.align)
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
            place = Box(x + 0.6, box.y, column.width - 1.2, box.h)
            pen.text_block(place, cell, size=size, bold=column.bold, align=column.align)
        x += column.width
