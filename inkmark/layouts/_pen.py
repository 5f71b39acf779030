"""Drawing on a PDF page in mm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reportlab.graphics.barcode import qrencoder
from reportlab.pdfgen.canvas import Canvas

from inkmark.fonts import REGULAR, fit_text, printable_text
from inkmark.geometry import Box
from inkmark.layouts import _style as st
from inkmark.layouts.model import PageLayout

__all__ = ["BLACK", "INK", "Pen", "draw_code"]

BLACK = 0.0
INK = 0.1


class Pen:
    """Draws on a canvas in mm from the top left corner, greys from 0 (black) to 1."""

    def __init__(self, canvas: Canvas, page: PageLayout) -> None:
        self.canvas = canvas
        self.size = (page.width_mm * st.PT_PER_MM, page.height_mm * st.PT_PER_MM)

    def fill(self, box: Box, grey: float = BLACK) -> None:
        self.canvas.setFillGray(grey)
        self.canvas.rect(*self._rect(box), stroke=0, fill=1)

    def frame(
        self, box: Box, line_pt: float, grey: float, *, radius: float = 0.0, solid: bool = False
    ) -> None:
        self._line(line_pt, grey)
        self.canvas.setFillGray(grey)
        if radius:
            radius_pt = radius * st.PT_PER_MM
            self.canvas.roundRect(*self._rect(box), radius_pt, stroke=1, fill=int(solid))
        else:
            self.canvas.rect(*self._rect(box), stroke=1, fill=int(solid))

    def ellipse(self, box: Box, line_pt: float, grey: float, *, solid: bool = False) -> None:
        self._line(line_pt, grey)
        self.canvas.setFillGray(grey)
        x, y, w, h = self._rect(box)
        self.canvas.ellipse(x, y, x + w, y + h, stroke=1, fill=int(solid))

    def line(
        self, start: tuple[float, float], end: tuple[float, float], line_pt: float, grey: float
    ) -> None:
        self._line(line_pt, grey)
        self.canvas.line(*self._point(*start), *self._point(*end))

    def cells(self, box: Box, n: int, runs: Sequence[tuple[int, int, int]]) -> None:
        """Blacken runs (row, first cell, length) of the n by n cells of a square box."""
        x, y, w, h = self._rect(box)
        # One literal in cell units: a hundred times the calls would be most of the printing.
        rects = " ".join(f"{start} {row} {length} 1 re" for row, start, length in runs)
        self.canvas.addLiteral(
            f"q {w / n:.6f} 0 0 {-h / n:.6f} {x:.6f} {y + h:.6f} cm 0 g {rects} f Q"
        )

    def text(
        self,
        x: float,
        baseline: float,
        text: str,
        size_pt: float,
        *,
        font: str = REGULAR,
        grey: float = INK,
        width: float | None = None,
        align: str = "left",
    ) -> float:
        """Write one line, shrunk into `width` (mm) where given; returns its width in mm."""
        text = printable_text(text)
        if width is not None:
            text, size_pt = fit_text(text, width * st.PT_PER_MM, size_pt, font)
        used = st.width_mm(text, size_pt, font)
        x -= {"left": 0.0, "centre": used / 2, "right": used}[align]
        self.canvas.setFillGray(grey)
        self.canvas.setFont(font, size_pt)
        self.canvas.drawString(*self._point(x, baseline), text)
        return used

    def label(
        self,
        centre: tuple[float, float],
        text: str,
        size_pt: float,
        *,
        font: str = REGULAR,
        grey: float = INK,
        width: float | None = None,
        align: str = "centre",
    ) -> float:
        """Write one line centred on the height of a point."""
        # 0.37 em is half the height of capitals and digits and the middle of Chinese ones.
        text, size_pt = (
            (text, size_pt)
            if width is None
            else fit_text(printable_text(text), width * st.PT_PER_MM, size_pt, font)
        )
        baseline = centre[1] + 0.37 * size_pt / st.PT_PER_MM
        return self.text(centre[0], baseline, text, size_pt, font=font, grey=grey, align=align)

    def _line(self, line_pt: float, grey: float) -> None:
        self.canvas.setLineWidth(line_pt)
        self.canvas.setStrokeGray(grey)

    def _point(self, x: float, y: float) -> tuple[float, float]:
        return x * st.PT_PER_MM, self.size[1] - y * st.PT_PER_MM

    def _rect(self, box: Box) -> tuple[float, float, float, float]:
        x, y = self._point(box.x, box.bottom)
        return x, y, box.w * st.PT_PER_MM, box.h * st.PT_PER_MM


def draw_code(pen: Pen, box: Box, text: str) -> None:
    """A QR code that fills the box; level Q bears a quarter of it damaged."""
    code = qrencoder.QRCode(None, qrencoder.QRErrorCorrectLevel.Q)
    code.addData(text)
    code.make()
    n = code.getModuleCount()
    # Runs are drawn whole, so that no hairline shows between modules.
    pen.cells(
        box,
        n,
        [
            (row, start, length)
            for row in range(n)
            for start, length in _dark_runs([bool(code.isDark(row, c)) for c in range(n)])
        ],
    )


def _dark_runs(row: Sequence[bool]) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(row):
        length = 0
        while start + length < len(row) and row[start + length]:
            length += 1
        if length:
            yield start, length
        start += length + 1
