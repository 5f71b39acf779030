"""Drawing on a page of a PDF file in millimetres.

What is printed on paper, sheets and reports alike, is drawn with a `Pen`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from inkmark.fonts import BOLD, REGULAR, fit_text, printable_text, text_width, wrap_text
from inkmark.geometry import MM_PER_INCH, Box

if TYPE_CHECKING:  # who only measures text does not pay for reportlab
    from reportlab.lib.colors import Color
    from reportlab.pdfgen.canvas import Canvas

__all__ = ["PT_PER_MM", "Align", "Colour", "Pen", "width_mm"]

Align = Literal["left", "centre", "right"]

Colour: TypeAlias = "Color | float"
"""A colour, or a grey from 0.0 (black) to 1.0, which is printed with black ink alone."""

PT_PER_MM = 72 / MM_PER_INCH

# Text that may take several lines is made smaller down to this size; height of its lines.
_SMALLEST_PT = 5.6
_LINE_PART = 1.18
# Half the height of capitals and digits above the baseline; the middle of Chinese is close.
_MIDDLE_PART = 0.37


def width_mm(text: str, size: float, *, bold: bool = False) -> float:
    """Width of a line of text in millimetres; `size` in points."""
    return text_width(text, size, BOLD if bold else REGULAR) / PT_PER_MM


class Pen:
    """Draws on the current page: millimetres from the top left corner, y down.

    Sizes of text and widths of lines are in points. Text is drawn as it can be printed,
    see `inkmark.fonts.printable_text`.

    Attributes
    ----------
    canvas : reportlab Canvas
    width_mm, height_mm : float
        Size of the page.
    ink : Colour
        The colour of what is drawn without another.
    smallest_part : float
        Text that has no room is made smaller down to this part of its size, then cut.
    """

    def __init__(
        self,
        canvas: Canvas,
        width_mm: float,
        height_mm: float,
        *,
        ink: Colour,
        smallest_part: float,
    ) -> None:
        self.canvas = canvas
        self.width_mm = width_mm
        self.height_mm = height_mm
        self.ink = ink
        self.smallest_part = smallest_part

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float,
        bold: bool = False,
        colour: Colour | None = None,
        align: Align = "left",
        width: float | None = None,
    ) -> float:
        """Write one line with its baseline at `y`; with `width` it is made to fit.

        Returns the width that it takes in millimetres.
        """
        text, size = self._fitted(text, size, bold=bold, width=width)
        return self._write(x, y, text, size, bold=bold, colour=colour, align=align)

    def label(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float,
        bold: bool = False,
        colour: Colour | None = None,
        align: Align = "left",
        width: float | None = None,
    ) -> float:
        """Write one line with the middle of its height at `y`, else as `text`."""
        text, size = self._fitted(text, size, bold=bold, width=width)
        baseline = y + _MIDDLE_PART * size / PT_PER_MM
        return self._write(x, baseline, text, size, bold=bold, colour=colour, align=align)

    def text_in(
        self,
        box: Box,
        text: str,
        *,
        size: float,
        bold: bool = False,
        colour: Colour | None = None,
        align: Align = "left",
    ) -> None:
        """Write one line in the middle of the height of a box, made to fit its width."""
        x, y = box.centre
        x = {"left": box.x, "centre": x, "right": box.right}[align]
        self.label(x, y, text, size=size, bold=bold, colour=colour, align=align, width=box.w)

    def text_block(
        self,
        box: Box,
        text: str,
        *,
        size: float,
        bold: bool = False,
        colour: Colour | None = None,
        align: Align = "left",
    ) -> None:
        """Write text in one line or, smaller, in as many as the box has room for."""
        font = BOLD if bold else REGULAR
        width, height = box.w * PT_PER_MM, box.h * PT_PER_MM
        lines: tuple[str, ...] = (printable_text(text),)
        if text_width(lines[0], size, font) > width:
            text = lines[0]
            smallest = min(size, _SMALLEST_PT)
            lines = wrap_text(text, width, size, font)
            while len(lines) * size * _LINE_PART > height and size > smallest:
                size = max(size - 0.5, smallest)
                lines = wrap_text(text, width, size, font)
            room = max(1, int(height / (size * _LINE_PART)))
            if len(lines) > room:
                rest = text
                for line in lines[: room - 1]:
                    rest = rest[len(line) :].lstrip()
                rest, _ = fit_text(rest, width, size, font, min_size_pt=size)
                lines = (*lines[: room - 1], rest)
        step = size * _LINE_PART / PT_PER_MM
        top = box.y + (box.h - step * len(lines)) / 2
        for number, line in enumerate(lines):
            place = Box(box.x, top + number * step, box.w, step)
            self.text_in(place, line, size=size, bold=bold, colour=colour, align=align)

    def line(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        *,
        colour: Colour | None = None,
        width_pt: float = 0.5,
        dash: tuple[float, ...] = (),
    ) -> None:
        """Draw a line; `dash` in points."""
        self._set_stroke(self.ink if colour is None else colour, width_pt)
        if dash:
            self.canvas.setDash(list(dash))
        self.canvas.line(*self._point(x0, y0), *self._point(x1, y1))
        if dash:
            self.canvas.setDash([])

    def rect(
        self,
        box: Box,
        *,
        fill: Colour | None = None,
        stroke: Colour | None = None,
        width_pt: float = 0.5,
        radius: float = 0.0,
    ) -> None:
        """Draw a rectangle, filled, outlined or both, its corners rounded with `radius`."""
        painted = self._set_paint(fill, stroke, width_pt)
        if radius:
            self.canvas.roundRect(*self._rect(box), radius * PT_PER_MM, **painted)
        else:
            self.canvas.rect(*self._rect(box), **painted)

    def hatch(self, box: Box, *, colour: Colour, step: float) -> None:
        """Fill a rectangle with rising lines `step` apart."""
        x, y, w, h = box.x, box.y, box.w, box.h
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
        fill: Colour | None = None,
        stroke: Colour | None = None,
        width_pt: float = 0.5,
        closed: bool = True,
    ) -> None:
        """Draw a polygon or, not closed, a line through its corners."""
        path = self.canvas.beginPath()
        path.moveTo(*self._point(*corners[0]))
        for corner in corners[1:]:
            path.lineTo(*self._point(*corner))
        if closed:
            path.close()
        self.canvas.drawPath(path, **self._set_paint(fill, stroke, width_pt))

    def ellipse(
        self,
        box: Box,
        *,
        fill: Colour | None = None,
        stroke: Colour | None = None,
        width_pt: float = 0.5,
    ) -> None:
        """Draw the ellipse that fills a box."""
        x, y, w, h = self._rect(box)
        self.canvas.ellipse(x, y, x + w, y + h, **self._set_paint(fill, stroke, width_pt))

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        *,
        fill: Colour | None = None,
        stroke: Colour | None = None,
        width_pt: float = 0.5,
    ) -> None:
        """Draw a circle."""
        box = Box(x - radius, y - radius, 2 * radius, 2 * radius)
        self.ellipse(box, fill=fill, stroke=stroke, width_pt=width_pt)

    def sector(
        self,
        x: float,
        y: float,
        radius: float,
        start_deg: float,
        extent_deg: float,
        *,
        fill: Colour,
    ) -> None:
        """Fill a sector of a circle, anticlockwise from `start_deg` (0 is to the right)."""
        self._set_fill(fill)
        (cx, cy), r = self._point(x, y), radius * PT_PER_MM
        self.canvas.wedge(cx - r, cy - r, cx + r, cy + r, start_deg, extent_deg, stroke=0, fill=1)

    def cells(self, box: Box, n: int, runs: Sequence[tuple[int, int, int]]) -> None:
        """Blacken runs (row, first cell, length) of the n by n cells of a square box."""
        x, y, w, h = self._rect(box)
        # One literal in cell units: a hundred times the calls would be most of the printing.
        rects = " ".join(f"{start} {row} {length} 1 re" for row, start, length in runs)
        self.canvas.addLiteral(
            f"q {w / n:.6f} 0 0 {-h / n:.6f} {x:.6f} {y + h:.6f} cm 0 g {rects} f Q"
        )

    def _fitted(
        self, text: str, size: float, *, bold: bool, width: float | None
    ) -> tuple[str, float]:
        text = printable_text(text)
        if width is None:
            return text, size
        font, smallest = BOLD if bold else REGULAR, size * self.smallest_part
        return fit_text(text, width * PT_PER_MM, size, font, min_size_pt=smallest)

    def _write(
        self,
        x: float,
        baseline: float,
        text: str,
        size: float,
        *,
        bold: bool,
        colour: Colour | None,
        align: Align,
    ) -> float:
        used = width_mm(text, size, bold=bold)
        x -= {"left": 0.0, "centre": used / 2, "right": used}[align]
        self._set_fill(self.ink if colour is None else colour)
        self.canvas.setFont(BOLD if bold else REGULAR, size)
        self.canvas.drawString(*self._point(x, baseline), text)
        return used

    def _set_fill(self, colour: Colour) -> None:
        if isinstance(colour, float):
            self.canvas.setFillGray(colour)
        else:
            self.canvas.setFillColor(colour)

    def _set_stroke(self, colour: Colour, width_pt: float) -> None:
        if isinstance(colour, float):
            self.canvas.setStrokeGray(colour)
        else:
            self.canvas.setStrokeColor(colour)
        self.canvas.setLineWidth(width_pt)

    def _set_paint(
        self, fill: Colour | None, stroke: Colour | None, width_pt: float
    ) -> dict[str, int]:
        """Set colours and line; returns what of a shape is painted, as reportlab has it."""
        if fill is not None:
            self._set_fill(fill)
        if stroke is not None:
            self._set_stroke(stroke, width_pt)
        return {"stroke": int(stroke is not None), "fill": int(fill is not None)}

    def _point(self, x: float, y: float) -> tuple[float, float]:
        return x * PT_PER_MM, (self.height_mm - y) * PT_PER_MM

    def _rect(self, box: Box) -> tuple[float, float, float, float]:
        x, y = self._point(box.x, box.bottom)
        return x, y, box.w * PT_PER_MM, box.h * PT_PER_MM
