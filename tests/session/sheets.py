"""A small exam printed, marked and saved as scans, for the tests of whole batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import pypdfium2
from small_exams import single_items, small_exam

from inkmark.exam import Candidate, Exam, ExamFolder
from inkmark.layouts import (
    BubbleField,
    SheetLayout,
    SheetOptions,
    build_layout,
    print_sheets,
    save_layout,
)

DPI = 150
NUMBERS = ("260101", "260102", "260103")

Marks = Mapping[str, str]
"""Field name -> what is marked: option labels, or a digit for each group."""


def quiz(exam_id: str = "SMALL", n_items: int = 6) -> Exam:
    return small_exam(single_items(n_items), NUMBERS, id=exam_id)


def make_folder(root: Path, exam: Exam, options: SheetOptions | None = None) -> SheetLayout:
    folder = ExamFolder(root)
    folder.scans.mkdir(parents=True)
    layout = build_layout(exam, options or SheetOptions())
    save_layout(layout, folder.layout)
    return layout


def page_images(
    folder: Path,
    exam: Exam,
    layout: SheetLayout,
    candidates: Sequence[Candidate] | None,
    serials: Sequence[str] = ("",),
) -> list[np.ndarray]:
    """Printed pages as grey images at `DPI`, candidate after candidate."""
    path = folder / "printed.pdf"
    print_sheets(layout, exam, path, candidates, serials)
    pdf = pypdfium2.PdfDocument(path)
    pages = [
        cv2.cvtColor(page.render(scale=DPI / 72).to_numpy(), cv2.COLOR_BGR2GRAY) for page in pdf
    ]
    pdf.close()
    path.unlink()
    return pages


def mark(pixels: np.ndarray, layout: SheetLayout, marks: Marks, page: int = 0) -> np.ndarray:
    """Fill bubbles with dark grey."""
    marked = pixels.copy()
    scale = DPI / 25.4
    for field in layout.pages[page].fields:
        if not isinstance(field, BubbleField) or field.name not in marks:
            continue
        centres = field.centres().reshape(field.n_groups, len(field.options), 2)
        value = marks[field.name]
        groups = list(value) if field.n_groups > 1 else [value]
        for group, wanted in enumerate(groups):
            for option, label in enumerate(field.options):
                if label == wanted or (field.n_groups == 1 and label in wanted):
                    x, y = centres[group, option] * scale - 0.5
                    axes = (field.bubble_w * scale / 2, field.bubble_h * scale / 2)
                    cv2.ellipse(marked, ((x, y), (2 * axes[0], 2 * axes[1]), 0), 60, -1)
    return marked


def save(pixels: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ok, data = cv2.imencode(path.suffix, pixels)
    assert ok
    path.write_bytes(data.tobytes())
