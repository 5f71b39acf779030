"""QR codes on sheets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reportlab.graphics.barcode import qrencoder

from inkmark.drawing import Pen
from inkmark.geometry import Box

__all__ = ["draw_code"]


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
