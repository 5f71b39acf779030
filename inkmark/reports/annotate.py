"""Scanned pages with right and wrong marks, points and keys drawn over them.

The picture is the page as it was scanned, put upright by its registration; the marks are
vectors, so they print sharp and the picture stays what it was.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from reportlab.lib.colors import HexColor
from reportlab.lib.utils import ImageReader

from inkmark.analytics.model import Standing
from inkmark.drawing import PT_PER_MM, Pen, width_mm
from inkmark.errors import ImageError
from inkmark.geometry import MM_PER_INCH, Box, FloatArray, apply_homography
from inkmark.layouts import (
    AreaField,
    BubbleField,
    CodeField,
    PageLayout,
    SheetLayout,
    WritingField,
)
from inkmark.readings import SheetReading
from inkmark.reports.charts import outcome_mark
from inkmark.reports.figures import figure_text
from inkmark.reports.model import Outcome, Report, StudentItem, StudentTable
from inkmark.reports.pdf import WHITE, Book
from inkmark.reports.words import words

__all__ = ["ScannedPage", "write_annotated_pages"]

RED = HexColor(0xC62828)
TEXT_PT_PER_MM = 1.95
INSET_MM = 1.8
FRAME_MM = 0.6
"""Marks beside bubbles end so far from the frame around them."""
SMALL_MM, SMALL_PT = 2.4, 7.0
"""Marks below boxes: height and size of the text."""
KEY_MM = 3.6
"""Height of a key below points."""


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """A page of a candidate and its picture.

    Attributes
    ----------
    candidate : str
    reading : SheetReading
    picture : callable
        Gives the page image as it was scanned, as the bytes of a JPEG or PNG file, or None
        where the scan is lost; called when the page is drawn, so pictures need not all be in
        memory.
    """

    candidate: str
    reading: SheetReading
    picture: Callable[[], bytes | None]


def write_annotated_pages(
    report: Report, layout: SheetLayout, pages: Iterable[ScannedPage], path: Path | str
) -> None:
    """Write a PDF with a page for each scanned page, in the order given.

    At each item stand a tick, a half-filled circle or a cross and the points; where points
    were lost, the key is written and its bubbles are ringed. The total is on top. In place
    of a page whose scan is lost stands which file it was.

    Parameters
    ----------
    report : Report
    layout : SheetLayout
        The layout that the pages were read with.
    pages : iterable of ScannedPage
        Of candidates of the report.
    path : Path or str
        Written whole or not at all.

    Raises
    ------
    ImageError
        Where a picture is no JPEG or PNG.
    OSError
        Where the file cannot be written.
    """
    w = words(report.head.language)
    students = {student.candidate: student for student in report.students}
    book = Book(f"{report.head.title} {w['annotated']}", report.head.language)
    for page in pages:
        student = students[page.candidate]
        upright = _Upright.of(page.reading)
        pen = book.page(upright.width_mm, upright.height_mm)
        book.bookmark(f"{student.candidate} {student.name}".strip())
        content = page.picture()
        if content is None:
            _draw_placeholder(pen, w["lost scan"].format(source=page.reading.source))
        else:
            _draw_picture(pen, content, str(page.reading.source), upright)
            _draw_marks(pen, layout.pages[page.reading.page_number], upright, student)
        _draw_total(pen, report, student)
        book.end_page()
    book.write(path)


@dataclass(frozen=True, slots=True)
class _Upright:
    """The page turned so that the sheet stands upright: its size and the way from mm to it."""

    turn_deg: int
    width_px: int
    height_px: int
    mm_per_px: float
    homography: FloatArray

    @classmethod
    def of(cls, reading: SheetReading) -> _Upright:
        return cls(
            reading.registration.orientation_deg,
            reading.width_px,
            reading.height_px,
            MM_PER_INCH / reading.dpi,
            np.array(reading.registration.homography, dtype=np.float64).reshape(3, 3),
        )

    @property
    def width_mm(self) -> float:
        """Width of the upright page."""
        lying = self.turn_deg in (90, 270)
        return (self.height_px if lying else self.width_px) * self.mm_per_px

    @property
    def height_mm(self) -> float:
        """Height of the upright page."""
        lying = self.turn_deg in (90, 270)
        return (self.width_px if lying else self.height_px) * self.mm_per_px

    def place(self, sheet_mm: FloatArray) -> FloatArray:
        """Points of the printed sheet, (n, 2) in mm, on the upright page in mm."""
        x, y = apply_homography(self.homography, sheet_mm).T
        u, v = {
            0: (x, y),
            90: (y, self.width_px - 1 - x),
            180: (self.width_px - 1 - x, self.height_px - 1 - y),
            270: (self.height_px - 1 - y, x),
        }[self.turn_deg]
        # The centre of the first pixel is (0, 0); the page begins at its edge.
        return np.stack([u + 0.5, v + 0.5], axis=1) * self.mm_per_px

    def box(self, sheet_mm: FloatArray) -> Box:
        """Smallest upright box around points of the sheet."""
        placed = self.place(sheet_mm)
        (x0, y0), (x1, y1) = placed.min(axis=0), placed.max(axis=0)
        return Box(float(x0), float(y0), float(x1 - x0), float(y1 - y0))


def _draw_placeholder(pen: Pen, text: str) -> None:
    box = Box(pen.width_mm * 0.1, pen.height_mm * 0.4, pen.width_mm * 0.8, pen.height_mm * 0.12)
    pen.rect(box, stroke=RED, width_pt=0.8)
    pen.text_block(box.grown(-4.0), text, size=11, colour=RED, align="centre")


def _draw_picture(pen: Pen, content: bytes, source: str, upright: _Upright) -> None:
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
            image.verify()
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ImageError(source, "its picture is no JPEG or PNG", "Scan the page again.") from error
    width, height = pen.width_mm * PT_PER_MM, pen.height_mm * PT_PER_MM
    # Columns of the matrix: where the picture's x axis and its upward y axis go.
    matrix = {
        0: (width, 0, 0, height, 0, 0),
        90: (0, height, -width, 0, width, 0),
        180: (-width, 0, 0, -height, width, height),
        270: (0, -height, width, 0, 0, height),
    }[upright.turn_deg]
    pen.canvas.saveState()
    pen.canvas.transform(*matrix)
    pen.canvas.drawImage(ImageReader(io.BytesIO(content)), 0, 0, 1, 1)
    pen.canvas.restoreState()


def _draw_marks(pen: Pen, page: PageLayout, upright: _Upright, student: StudentTable) -> None:
    items = {item.number: item for item in student.items}
    for field in page.fields:
        # A marker's own box keeps what the marker wrote there.
        if isinstance(field, CodeField) or field.role.is_of_marker or field.item not in items:
            continue
        item = items[field.item]
        if item.outcome is Outcome.NOT_PRESENTED:
            continue
        if isinstance(field, BubbleField):
            if item.lost:
                _ring_key(pen, field, upright, item)
            column = next((c for c in page.columns if c.overlaps(field.box)), None)
            edge = pen.width_mm if column is None else upright.box(column.corners()).right
            _mark_beside(pen, upright.box(field.box.corners()), edge, item)
        elif isinstance(field, WritingField) and not field.is_line:
            corners = np.concatenate([one.corners() for one in field.boxes()])
            _mark_below(pen, upright.box(corners), item)
        else:
            _mark_inside(pen, upright.box(_free_part(page, field).corners()), item)


def _ring_key(pen: Pen, field: BubbleField, upright: _Upright, item: StudentItem) -> None:
    centres = upright.place(field.centres())
    # A field of an item has one group, so a bubble an option.
    for option, (x, y) in zip(field.options, centres, strict=True):
        if option in item.keyed:
            w, h = field.bubble_w + 1.0, field.bubble_h + 1.0
            ring = Box(float(x) - w / 2, float(y) - h / 2, w, h)
            pen.ellipse(ring, stroke=RED, width_pt=1.1)


def _mark_beside(pen: Pen, box: Box, edge: float, item: StudentItem) -> None:
    """The mark and the points to the right of a row of bubbles, this side of the frame.

    There is little room: the full mark is known and not written, and points that do not fit
    beside the mark stand below it.
    """
    text, size, text_size = figure_text(item.points), 2.6, 7.0
    x, y = box.right + 0.7, box.centre[1]
    room = edge - FRAME_MM - x
    if size + 0.2 + width_mm(text, text_size, bold=True) <= room:
        outcome_mark(pen, x + size / 2, y, item.outcome, size=size, colour=RED)
        place = Box(x + size + 0.2, y - 1.8, room - size - 0.2, 3.6)
        pen.text_in(place, text, size=text_size, bold=True, colour=RED)
    else:
        outcome_mark(pen, x + room / 2, y - 1.2, item.outcome, size=2.2, colour=RED)
        place = Box(x, y + 0.2, room, 2.4)
        pen.text_in(place, text, size=6.0, bold=True, colour=RED, align="centre")


def _mark_below(pen: Pen, box: Box, item: StudentItem) -> None:
    """The mark, the key where points were lost, and the points under the boxes for letters.

    To the right of them stands the number of the next item.
    """
    text = f"{item.key if item.lost else ''} {figure_text(item.points)}".strip()
    width = min(SMALL_MM + 0.3 + width_mm(text, SMALL_PT, bold=True), box.w)
    place = Box(box.centre[0] - width / 2, box.bottom + 0.2, width, SMALL_MM)
    outcome_mark(pen, place.x + SMALL_MM / 2, place.centre[1], item.outcome, size=1.8, colour=RED)
    beside = Box(place.x + SMALL_MM + 0.3, place.y, width - SMALL_MM - 0.3, SMALL_MM)
    pen.text_in(beside, text, size=SMALL_PT, bold=True, colour=RED)


def _free_part(page: PageLayout, field: WritingField | AreaField) -> Box:
    """The box of an answer, or what of it is below a marker's own box in its corner."""
    box = field.box
    top = max(
        (
            f.box.bottom
            for f in page.fields
            if f.role.is_of_marker and f.box.overlaps(box) and f.box.bottom < box.centre[1]
        ),
        default=box.y,
    )
    return Box(box.x, top, box.w, box.bottom - top)


def _mark_inside(pen: Pen, box: Box, item: StudentItem) -> None:
    """The mark and the points at the right end of a box, below them the key if points were lost.

    Writing begins on the left, so they leave half of the box to it where they can.
    """
    text, key = (
        f"{figure_text(item.points)}/{figure_text(item.full)}",
        item.key if item.lost else "",
    )
    height = min(5.0, box.h * 0.45)
    size = height * TEXT_PT_PER_MM
    below = min(KEY_MM, box.h - height) if key else 0.0
    own = height + 0.3 + width_mm(text, size, bold=True)
    width = max(own, min(width_mm(key, SMALL_PT, bold=True) + 0.6, box.w / 2))
    inset = min(INSET_MM, (box.h - height - below) / 2)
    place = Box(box.right - INSET_MM - width, box.y + inset, width, height + below)
    pen.canvas.saveState()
    pen.canvas.setFillAlpha(0.8)
    pen.rect(place, fill=WHITE)
    pen.canvas.restoreState()
    centre = place.right - own + height / 2, place.y + height / 2
    outcome_mark(pen, *centre, item.outcome, size=height * 0.8, colour=RED)
    beside = Box(place.right - own + height + 0.3, place.y, own - height, height)
    pen.text_in(beside, text, size=size, bold=True, colour=RED)
    if key:
        under = Box(place.x, place.y + height, width, below)
        pen.text_block(under, key, size=SMALL_PT, bold=True, colour=RED, align="right")


def _draw_total(pen: Pen, report: Report, student: StudentTable) -> None:
    w = words(report.head.language)
    if student.score is not None:
        full = figure_text(report.head.full)
        total = f"{w['total']} {figure_text(student.score)} / {full}"
    elif student.standing is Standing.INCOMPLETE:
        total = w["no total"]
    else:
        total = w[student.standing.name.lower()]
    text = f"{total}   {student.candidate}  {student.name}"
    width = min(width_mm(text, 11, bold=True) + 6, pen.width_mm * 0.6)
    left = (pen.width_mm - width) / 2
    pen.canvas.saveState()
    pen.canvas.setFillAlpha(0.85)
    pen.rect(Box(left, 1.5, width, 6.5), fill=WHITE, stroke=RED, width_pt=0.8)
    pen.canvas.restoreState()
    pen.text_in(
        Box(left + 1, 1.5, width - 2, 6.5), text, size=11, bold=True, colour=RED, align="centre"
    )
