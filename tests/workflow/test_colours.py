"""Colours of scans in what people are shown."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import cv2
import numpy as np
import openpyxl
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from PIL import Image
from small_exams import single_items, small_exam

from inkmark.exam import Exam, ExamFolder, Item, ItemType, save_exam
from inkmark.geometry import Box
from inkmark.layouts import Role, SheetLayout, SheetOptions, build_layout, print_sheets, save_layout
from inkmark.simulator import encode_scan, render_pages
from inkmark.workflow import make_reports, read, score

DPI = 130.0
BLUE, RED = (200, 120, 0), (40, 40, 210)


def scanned(
    root: Path, exam: Exam, layout: SheetLayout, ink: tuple[int, int, int] | None, place: Box
) -> ExamFolder:
    """An exam folder with a page a candidate, on which a thick cross is drawn."""
    folder = ExamFolder(root / "exam")
    folder.scans.mkdir(parents=True)
    save_exam(exam, folder.workbook)
    save_layout(layout, folder.layout)
    printed = folder.root / "printed.pdf"
    print_sheets(layout, exam, printed, exam.candidates)
    for number, page in enumerate(render_pages(printed, DPI)):
        path = folder.scans / f"{number}.png"
        encode_scan(page, path, DPI)
        scan = cv2.imread(str(path))
        assert scan is not None
        if ink is not None:
            x0, y0, x1, y1 = (
                round(mm * DPI / 25.4) for mm in (place.x, place.y, place.right, place.bottom)
            )
            cv2.line(scan, (x0, y0), (x1, y1), ink, 6)
            cv2.line(scan, (x1, y0), (x0, y1), ink, 6)
        cv2.imwrite(str(path), scan)
    printed.unlink()
    read(folder.root)
    return folder


@pytest.mark.parametrize("ink", [None, BLUE])
def test_annotated_pages_have_the_colours_of_the_scan(
    tmp_path: Path, ink: tuple[int, int, int] | None
) -> None:
    exam = small_exam(single_items(4), ["260101", "260102"])
    folder = scanned(tmp_path, exam, build_layout(exam), ink, Box(90.0, 200.0, 20.0, 20.0))
    score(folder.root)
    make_reports(folder.root)
    (path,) = (folder.out / "pages").iterdir()
    with pypdfium2.PdfDocument(path) as document:
        for page in document:
            (image,) = page.get_objects([pdfium.FPDF_PAGEOBJ_IMAGE])
            pixels = image.get_bitmap().to_numpy()
            assert pixels.ndim == (2 if ink is None else 3)
            if ink is not None:
                coloured = np.ptp(pixels.astype(int), axis=2) > 100
                assert 0.0005 < coloured.mean() < 0.02, "the blue cross and nothing else"


def test_points_of_markers_are_reviewed_in_colour(tmp_path: Path) -> None:
    essay = Item("5", ItemType.SUBJECTIVE, (), (), Decimal(8))
    exam = small_exam((*single_items(4), essay), ["260101"])
    layout = build_layout(exam, SheetOptions(marker_boxes=True))
    (field,) = [f for f in layout.fields() if f.role is Role.POINTS]
    folder = scanned(tmp_path, exam, layout, RED, field.box.grown(-1.5))
    assert score(folder.root).to_review == 1
    sheet = openpyxl.load_workbook(folder.out / "review.xlsx")["review"]
    (picture,) = sheet._images
    pixels = np.asarray(Image.open(io.BytesIO(picture._data())).convert("RGB")).astype(int)
    assert (np.ptp(pixels, axis=2) > 100).mean() > 0.02
