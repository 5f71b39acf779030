"""Sheets printed, rendered and looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray

from inkmark.exam import Exam
from inkmark.geometry import MM_PER_INCH, Box
from inkmark.layouts import (
    AnswerForm,
    BoxFrame,
    NumberForm,
    PageLayout,
    SheetLayout,
    SheetOptions,
    build_layout,
    print_sheets,
)

DPI = 200
PX_PER_MM = DPI / MM_PER_INCH

Pixels = NDArray[np.uint8]


def rendered(path: Path) -> list[Pixels]:
    document = pdfium.PdfDocument(path)
    try:
        return [
            np.array(page.render(scale=DPI / 72, grayscale=True).to_numpy().squeeze())
            for page in document
        ]
    finally:
        document.close()


def crop(pixels: Pixels, box: Box) -> Pixels:
    left, top = round(box.x * PX_PER_MM), round(box.y * PX_PER_MM)
    right, bottom = round(box.right * PX_PER_MM), round(box.bottom * PX_PER_MM)
    return pixels[top:bottom, left:right]


def printed(
    tmp_path: Path, exam: Exam, options: SheetOptions, *, named: bool = False
) -> tuple[SheetLayout, list[Pixels]]:
    layout = build_layout(exam, options)
    path = tmp_path / "sheets.pdf"
    print_sheets(layout, exam, path, exam.candidates if named else None)
    return layout, rendered(path)


def text_of(path: Path, page_index: int, box: Box, page: PageLayout) -> str:
    document = pdfium.PdfDocument(path)
    try:
        text = document[page_index].get_textpage()
        scale = 72 / MM_PER_INCH
        found = text.get_text_bounded(
            left=box.x * scale,
            right=box.right * scale,
            top=(page.height_mm - box.y) * scale,
            bottom=(page.height_mm - box.bottom) * scale,
        )
        return str(found)
    finally:
        document.close()


WRITTEN = [
    SheetOptions(
        paper,
        columns=columns,
        number=NumberForm.BOXES,
        answers=AnswerForm.LETTERS,
        frame=frame,
        marker_boxes=True,
    )
    for paper, columns, frame in (
        ("A4", None, BoxFrame.DARK),
        ("A4", 3, BoxFrame.PALE),
        ("A3", None, BoxFrame.DARK),
    )
]
"""Sheets on which nothing but items with several right options is marked in bubbles."""
