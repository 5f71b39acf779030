"""The overlay: a blank sheet with what was proposed for it drawn on top, and what is in doubt."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from inkmark.drawing import PT_PER_MM, Pen
from inkmark.files import write_whole
from inkmark.fonts import register_fonts
from inkmark.geometry import Box
from inkmark.layouts import BubbleField, BubbleShape, CodeField, Field, PageLayout
from inkmark.learning.model import Doubt, LearnedPage, LearnedSheet

__all__ = ["write_overlay"]

_INK = HexColor(0x1B2A41)
_DOUBT = HexColor(0xC62828)
_COLOURS = tuple(HexColor(c) for c in (0x1565C0, 0x2E7D32, 0x6A1B9A, 0x00838F, 0xAD5A00))
_VEIL = Color(1, 1, 1, alpha=0.55)
_LINES_A_PAGE = 46
_LIST_MM = (210.0, 297.0)


def write_overlay(sheet: LearnedSheet, path: Path | str) -> None:
    """Write a PDF file with a page for each page of the sheet, and the list of doubts.

    Each field has a colour and its name, each bubble its option; a red number leads to the
    list of doubts behind the pages.

    Parameters
    ----------
    sheet : LearnedSheet
    path : Path or str
        Written whole or not at all.

    Raises
    ------
    OSError
        Where the file cannot be written.
    """
    register_fonts()
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pageCompression=1, invariant=1)
    canvas.setTitle(f"{sheet.layout.title} overlay".strip())
    numbered = list(enumerate(sheet.doubts, start=1))
    for k, (layout, page) in enumerate(zip(sheet.layout.pages, sheet.pages, strict=True)):
        pen = _page(canvas, layout.width_mm, layout.height_mm)
        _draw_page(pen, layout, page)
        for number, doubt in numbered:
            if doubt.page == k and doubt.box is not None:
                _draw_doubt(pen, number, doubt.box)
        canvas.showPage()
    for part in _parts(numbered):
        pen = _page(canvas, *_LIST_MM)
        _draw_list(pen, sheet, part)
        canvas.showPage()
    canvas.save()
    write_whole(path, buffer.getvalue())


def _page(canvas: Canvas, width_mm: float, height_mm: float) -> Pen:
    canvas.setPageSize((width_mm * PT_PER_MM, height_mm * PT_PER_MM))
    return Pen(canvas, width_mm, height_mm, ink=_INK, smallest_part=0.6)


def _draw_page(pen: Pen, layout: PageLayout, page: LearnedPage) -> None:
    width, height = pen.width_mm * PT_PER_MM, pen.height_mm * PT_PER_MM
    pen.canvas.drawImage(ImageReader(io.BytesIO(page.picture)), 0, 0, width, height)
    pen.rect(Box(0.0, 0.0, pen.width_mm, pen.height_mm), fill=_VEIL)
    unseen = {(b.x_mm, b.y_mm) for b in page.bubbles if not b.print_seen}
    for k, field in enumerate(layout.fields):
        colour = _COLOURS[k % len(_COLOURS)]
        if isinstance(field, BubbleField):
            _draw_bubbles(pen, field, colour, unseen)
        elif isinstance(field, CodeField):
            pen.rect(field.box, stroke=colour, width_pt=0.8)
        _draw_name(pen, field, colour)
    anchors = layout.anchors
    keys = () if anchors.key_mark is None else (anchors.key_mark,)
    for box in (*anchors.squares, *keys, *anchors.timing):
        pen.rect(box.grown(0.4), stroke=_DOUBT, width_pt=0.7)
    for x, y in anchors.marks:
        pen.circle(x, y, 1.2, stroke=_DOUBT, width_pt=0.9)
        pen.line(x - 2.5, y, x + 2.5, y, colour=_DOUBT)
        pen.line(x, y - 2.5, x, y + 2.5, colour=_DOUBT)


def _draw_bubbles(
    pen: Pen, field: BubbleField, colour: Color, unseen: set[tuple[float, float]]
) -> None:
    w, h = field.bubble_w, field.bubble_h
    labels = field.options * field.n_groups
    size = min(7.0, 0.62 * h * PT_PER_MM)
    for label, (x, y) in zip(labels, field.centres().tolist(), strict=True):
        box = Box(x - w / 2, y - h / 2, w, h)
        near = any(abs(x - u) < 0.3 * w and abs(y - v) < 0.3 * h for u, v in unseen)
        stroke = _DOUBT if near else colour
        if field.shape is BubbleShape.OVAL:
            pen.ellipse(box, stroke=stroke, width_pt=0.9)
        else:
            pen.rect(box, stroke=stroke, width_pt=0.9)
        pen.label(x, y, label, size=size, bold=True, colour=stroke, align="centre", width=0.9 * w)


def _draw_name(pen: Pen, field: Field, colour: Color) -> None:
    box = field.box
    if isinstance(field, BubbleField) and field.n_groups == 1 and box.w >= box.h:
        # To the right: what is printed to the left is what the name is compared with.
        pen.label(box.right + 0.7, box.centre[1], field.name, size=6.5, bold=True, colour=colour)
    else:
        pen.label(box.x, box.y - 1.4, field.name, size=6.5, colour=colour)


def _draw_doubt(pen: Pen, number: int, box: Box) -> None:
    x, y = max(box.x - 1.9, 2.2), box.y + min(1.0, box.h / 2)
    pen.circle(x, y, 1.7, fill=_DOUBT)
    pen.label(x, y, str(number), size=5.5, bold=True, colour=1.0, align="centre", width=3.0)


def _parts(
    doubts: Sequence[tuple[int, Doubt]],
) -> Iterator[Sequence[tuple[int, Doubt]]]:
    for start in range(0, max(len(doubts), 1), _LINES_A_PAGE):
        yield doubts[start : start + _LINES_A_PAGE]


def _draw_list(pen: Pen, sheet: LearnedSheet, doubts: Sequence[tuple[int, Doubt]]) -> None:
    n_bubbles = sum(len(page.bubbles) for page in sheet.pages)
    n_fields = len(sheet.layout.fields())
    pen.text(15, 16, f"{n_bubbles} bubbles, {n_fields} fields", size=12, bold=True)
    placed = "; ".join(f"page {k + 1}: {page.marks}" for k, page in enumerate(sheet.pages))
    pen.text(15, 22, f"Scans are placed by {placed}.", size=8, width=180)
    if not doubts:
        pen.text(15, 30, "Nothing is in doubt.", size=8)
    for k, (number, doubt) in enumerate(doubts):
        y = 28 + 5.5 * k
        pen.label(20, y, str(number), size=7.5, bold=True, colour=_DOUBT, align="right")
        pen.text_block(Box(22, y - 2.6, 173, 5.2), doubt.message, size=7.5)
