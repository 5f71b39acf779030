"""A scan with what a layout reads on it drawn on top."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pypdfium2
from numpy.typing import NDArray
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from inkmark.drawing import PT_PER_MM, Pen
from inkmark.errors import InkmarkError
from inkmark.files import write_whole
from inkmark.fonts import register_fonts
from inkmark.geometry import MM_PER_INCH, Box
from inkmark.layouts import BubbleField, PageLayout, SheetLayout
from inkmark.learning._shapes import FloatArray
from inkmark.readings import FieldReading, Flag, SheetIssue, SheetReading

__all__ = ["CheckedPage", "check_picture_name", "draw_check", "joined_values"]

_INK = HexColor(0x1B2A41)
_BLANK, _MARKED, _FLAGGED = HexColor(0x1565C0), HexColor(0x2E7D32), HexColor(0xC62828)
_ANCHOR = HexColor(0x8E24AA)
_VEIL = Color(1, 1, 1, alpha=0.3)
_ISSUE_DPI = 150.0
_PICTURE_DPI = 150.0


@dataclass(frozen=True, slots=True, eq=False)
class CheckedPage:
    """A page of a scan and what a layout reads on it.

    Attributes
    ----------
    outcome : SheetReading or SheetIssue
    joins : tuple of (str, str)
        Names and values of the joined fields.
    pixels : (H, W) uint8
    """

    outcome: SheetReading | SheetIssue
    joins: tuple[tuple[str, str], ...]
    pixels: NDArray[np.uint8]


def joined_values(layout: SheetLayout, reading: SheetReading) -> tuple[tuple[str, str], ...]:
    """Names and values of the joined fields whose parts stand on one page."""
    values = {r.field: r.value for r in reading.fields}
    return tuple(
        (join.name, "".join(values[part] for part in join.parts))
        for join in layout.joins
        if all(part in values for part in join.parts)
    )


def draw_check(layout: SheetLayout, pages: Sequence[CheckedPage], path: Path | str) -> None:
    """Draw each page with its bubbles, their readings and flags, and where it was registered.

    Blue bubbles were read blank, green ones marked; fields for a person are red.

    Parameters
    ----------
    layout : SheetLayout
    pages : sequence of CheckedPage
    path : Path or str
        ``.png``: the first page alone; ``.pdf``: all. Written whole or not at all.

    Raises
    ------
    InkmarkError
        Where the file has another ending.
    OSError
        Where the file cannot be written.
    """
    path = Path(path)
    check_picture_name(path)
    register_fonts()
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pageCompression=1, invariant=1)
    canvas.setTitle(f"{layout.title} check".strip())
    as_png = path.suffix.lower() == ".png"
    for page in pages[:1] if as_png else pages:
        _draw_page(canvas, layout, page)
        canvas.showPage()
    canvas.save()
    content = buffer.getvalue()
    write_whole(path, _png(content) if as_png else content)


def check_picture_name(path: Path) -> None:
    """Refuse a file that `draw_check` could not draw.

    Raises
    ------
    InkmarkError
    """
    if path.suffix.lower() not in (".png", ".pdf"):
        raise InkmarkError(
            f"{path} ends neither in .pdf nor in .png. Name a PDF or a PNG file to draw."
        )


def _png(pdf: bytes) -> bytes:
    document = pypdfium2.PdfDocument(pdf)
    try:
        picture = document[0].render(scale=_PICTURE_DPI / 72).to_numpy()
    finally:
        document.close()
    return bytes(cv2.imencode(".png", picture)[1])


def _draw_page(canvas: Canvas, layout: SheetLayout, page: CheckedPage) -> None:
    outcome = page.outcome
    dpi = _ISSUE_DPI if isinstance(outcome, SheetIssue) else outcome.dpi
    mm = MM_PER_INCH / dpi
    height, width = (side * mm for side in page.pixels.shape)
    canvas.setPageSize((width * PT_PER_MM, height * PT_PER_MM))
    pen = Pen(canvas, width, height, ink=_INK, smallest_part=0.5)
    jpeg = cv2.imencode(".jpg", page.pixels, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    image = ImageReader(io.BytesIO(bytes(jpeg)))
    canvas.drawImage(image, 0, 0, width * PT_PER_MM, height * PT_PER_MM)
    pen.rect(Box(0.0, 0.0, width, height), fill=_VEIL)
    if isinstance(outcome, SheetIssue):
        _head(pen, f"{outcome.kind.value}: {outcome.message}", colour=_FLAGGED)
        return
    registration = outcome.registration
    readings = {reading.field: reading for reading in outcome.fields}
    for field in layout.pages[outcome.page_number].fields:
        if isinstance(field, BubbleField) and field.name in readings:
            reading = readings[field.name]
            # Reading moves bubbles of foreign sheets to their print: as far as the field's box.
            corners = registration.to_px(field.box.corners())
            placed = (corners.min(axis=0) + corners.max(axis=0)) / 2
            shift = np.array(reading.box_px.centre) - placed
            centres = (registration.to_px(field.centres()) + shift + 0.5) * mm
            _draw_field(pen, field, reading, centres, mm)
    for box in _anchor_boxes(layout.pages[outcome.page_number]):
        corners = (registration.to_px(box.corners()) + 0.5) * mm
        pen.polygon([(float(x), float(y)) for x, y in corners], stroke=_ANCHOR, width_pt=0.8)
    flagged = sum(bool(reading.flag) for reading in outcome.fields)
    _head(
        pen,
        f"residual {registration.residual_mm:.2f} mm, anchors {registration.anchors_found} of "
        f"{registration.anchors_expected}, {len(readings)} fields, {flagged} for a person",
        colour=_FLAGGED if flagged else _INK,
    )


def _anchor_boxes(page: PageLayout) -> list[Box]:
    anchors = page.anchors
    boxes = [*anchors.squares, *anchors.timing]
    boxes += [] if anchors.key_mark is None else [anchors.key_mark]
    half = max(anchors.mark_mm, 3.0) / 2
    return boxes + [Box(x - half, y - half, 2 * half, 2 * half) for x, y in anchors.marks]


def _draw_field(
    pen: Pen, field: BubbleField, reading: FieldReading, centres: FloatArray, mm: float
) -> None:
    n = len(field.options)
    for k, (x, y) in enumerate(centres):
        fill = reading.fill[k] if k < len(reading.fill) else 0.0
        box = Box(
            float(x) - field.bubble_w / 2,
            float(y) - field.bubble_h / 2,
            field.bubble_w,
            field.bubble_h,
        )
        marked = field.options[k % n] in _marked(field, reading, k // n)
        colour = _MARKED if marked else _BLANK
        pen.rect(box, stroke=colour, width_pt=1.6 if marked else 0.5)
        if fill >= 0.1:
            bar = Box(box.x, box.bottom + 0.1, min(1.0, fill) * box.w, 0.5)
            pen.rect(bar, fill=colour)
    seen = reading.box_px
    frame = Box(seen.x * mm, seen.y * mm, seen.w * mm, seen.h * mm)
    colour = _FLAGGED if reading.flag is not Flag.OK else _INK
    if reading.flag is not Flag.OK:
        pen.rect(frame.grown(0.6), stroke=_FLAGGED, width_pt=0.9)
    text = f"{reading.value or '-'}" + (f" {reading.flag.value}" if reading.flag else "")
    if field.n_groups == 1 and frame.w >= frame.h:
        pen.label(frame.right + 0.8, frame.centre[1], text, size=6.5, bold=True, colour=colour)
    else:
        pen.label(frame.x, frame.y - 1.6, text, size=6.5, bold=True, colour=colour)


def _marked(field: BubbleField, reading: FieldReading, group: int) -> tuple[str, ...]:
    """Options of a group that were read as marked."""
    if field.n_groups == 1:
        if any(len(option) > 1 for option in field.options):
            return tuple(reading.value.split("|"))
        return tuple(reading.value)
    parts = reading.value.split("|") if "|" in reading.value else list(reading.value)
    return (parts[group],) if group < len(parts) else ()


def _head(pen: Pen, text: str, *, colour: Color) -> None:
    pen.rect(Box(0.0, 0.0, pen.width_mm, 6.0), fill=Color(1, 1, 1, alpha=0.85))
    pen.text_in(Box(2.0, 0.5, pen.width_mm - 4.0, 5.0), text, size=8, bold=True, colour=colour)
