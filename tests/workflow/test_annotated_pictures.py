"""Pictures of annotated pages: as they were scanned, in colour or in grey."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from small_exams import single_items, small_exam

from inkmark.exam import ExamFolder, save_exam
from inkmark.layouts import build_layout, print_sheets, save_layout
from inkmark.simulator import encode_scan, render_pages
from inkmark.workflow import make_reports, read, score

DPI = 130.0


@pytest.mark.parametrize("is_coloured", [False, True])
def test_colours_of_a_scan_are_kept(tmp_path: Path, *, is_coloured: bool) -> None:
    folder = ExamFolder(tmp_path / "exam")
    folder.scans.mkdir(parents=True)
    exam = small_exam(single_items(4), ["260101", "260102"])
    layout = build_layout(exam)
    save_exam(exam, folder.workbook)
    save_layout(layout, folder.layout)
    printed = folder.root / "printed.pdf"
    print_sheets(layout, exam, printed, exam.candidates)
    for number, page in enumerate(render_pages(printed, DPI)):
        path = folder.scans / f"{number}.png"
        encode_scan(page, path, DPI)
        scan = cv2.imread(str(path))
        assert scan is not None
        if is_coloured:
            cv2.circle(scan, (500, 1100), 60, (200, 120, 0), -1)
        cv2.imwrite(str(path), scan)
    printed.unlink()
    read(folder.root)
    score(folder.root)
    make_reports(folder.root)
    (path,) = (folder.out / "pages").iterdir()
    with pypdfium2.PdfDocument(path) as document:
        for page in document:
            (image,) = page.get_objects([pdfium.FPDF_PAGEOBJ_IMAGE])
            pixels = image.get_bitmap().to_numpy()
            assert pixels.ndim == (3 if is_coloured else 2)
            if is_coloured:
                spread = np.ptp(pixels.astype(int), axis=2)
                assert 0.001 < (spread > 100).mean() < 0.02, "the blue disc and nothing else"
