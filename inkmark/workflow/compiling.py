"""Compiling ahead what would be compiled when the first page is read or analysed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inkmark.analytics.diagnosis import (
    DiagnosisOptions,
    QMatrix,
    Rule,
    fit_diagnosis,
    mastery_profiles,
)
from inkmark.analytics.integrity import screen_copying
from inkmark.analytics.irt import ScoreMethod, fit_2pl, score_candidates
from inkmark.analytics.tracing import AnswerLog, fit_tracing, trace_log
from inkmark.ctc import Steps, language_of, likeliest_texts
from inkmark.exam import Exam, Item, ItemType, Policy
from inkmark.geometry import MM_PER_INCH, Box
from inkmark.layouts import (
    AnchorKind,
    Anchors,
    Role,
    SheetLayout,
    SheetOptions,
    WritingField,
    build_layout,
    print_sheets,
)
from inkmark.session import ReadOptions, SerialExecutor, read_scans, tell_of_compiling
from inkmark.simulator import (
    Bulge,
    MarkStyle,
    ScannerModel,
    encode_scan,
    fill_sheet,
    render_pages,
    scan,
)

__all__ = ["compile_kernels"]

_DPI = 150.0
_ITEMS = 8


def compile_kernels(tell: Callable[[], None] | None = None) -> bool:
    """Read a sheet in every form in which scans come, and analyse, so that all is in the cache.

    A page without anything on it makes registration try all it has, phone photos included;
    the sheet with the image as its only anchor is read as imported sheets are.

    Parameters
    ----------
    tell : callable, optional
        Called once where there is something to compile.

    Returns
    -------
    bool
        Whether anything had to be compiled.
    """
    told: list[bool] = []

    def note() -> None:
        told.append(True)
        if tell is not None:
            tell()

    end = tell_of_compiling(note)
    try:
        with tempfile.TemporaryDirectory(prefix="inkmark-") as name:
            _read_a_sheet(Path(name))
        likeliest_texts(Steps.of_text("1", 0.9), language_of("digits"))
        _analyse_a_paper()
    finally:
        end()
    return bool(told)


def _analyse_a_paper() -> None:
    """Fit every kind of model to a few answers, and look for copied ones."""
    rng = np.random.default_rng(0)
    right = rng.integers(0, 2, (40, 4))
    responses = right.astype(np.float64)
    items = fit_2pl(responses).items
    for method in (ScoreMethod.EAP, ScoreMethod.ML):
        score_candidates(responses, items, method)
    q = QMatrix.of([[1, 0], [0, 1], [1, 1], [1, 0]])
    for rule in (Rule.DINA, Rule.ACDM):
        fit = fit_diagnosis(responses, q, rule, DiagnosisOptions(starts=1, max_iterations=5))
        mastery_profiles(fit, responses)
    candidate, item = np.divmod(np.arange(right.size), right.shape[1])
    log = AnswerLog.of(candidate, item, right.ravel())
    trace_log(fit_tracing(log, q).model, log, q)
    screen_copying(rng.integers(0, 3, (20, 12)), np.zeros(12, np.int64))


def _read_a_sheet(folder: Path) -> None:
    items = [
        Item(str(n + 1), ItemType.SINGLE, tuple("ABCD"), ("A",), Decimal(1)) for n in range(_ITEMS)
    ]
    items.append(Item(str(_ITEMS + 1), ItemType.FILL_IN, (), ("1",), Decimal(1)))
    exam = Exam("COMPILE", "-", "-", "-", None, "en", Policy(), tuple(items), ())
    layout = build_layout(exam)
    print_sheets(layout, exam, folder / "sheet.pdf", None)
    (blank,) = render_pages(folder / "sheet.pdf", _DPI)
    (folder / "sheet.pdf").unlink()
    marks = {("Q1", 0): [(0, MarkStyle.FILL)]}
    rng = np.random.default_rng(0)
    filled = fill_sheet(blank, layout.pages[0], marks, _DPI, rng)
    for field in layout.pages[0].fields:
        if isinstance(field, WritingField):
            _write_one(filled, field.box)
    bent = scan(filled, _DPI, ScannerModel(bulge=Bulge(8.0, 150.0)), rng)
    black = np.where(filled > 127, 255, 0).astype(np.uint8)
    for number, (pixels, ending) in enumerate(
        (
            (filled, ".jpg"),
            (bent, ".jpg"),
            (filled, ".png"),
            (filled, ".pdf"),
            (black, ".png"),
            (black, ".tif"),
            (np.full_like(blank, 255), ".jpg"),
        )
    ):
        encode_scan(pixels, folder / f"{number}{ending}", _DPI)
    page = replace(layout.pages[0], anchors=Anchors(AnchorKind.IMAGE))
    for one in (layout, replace(layout, pages=(page,))):
        _read(folder, one)
    for scanned in folder.iterdir():
        scanned.unlink()
    _mark_a_sheet(folder, exam)


def _mark_a_sheet(folder: Path, exam: Exam) -> None:
    """Read a sheet in colour, on which a marker wrote points and struck their sum out."""
    layout = build_layout(exam, SheetOptions(marker_boxes=True))
    print_sheets(layout, exam, folder / "sheet.pdf", None)
    (blank,) = render_pages(folder / "sheet.pdf", _DPI)
    (folder / "sheet.pdf").unlink()
    red = np.full_like(blank, 255)
    for field in layout.pages[0].fields:
        if field.role.is_of_marker:
            _write_one(red, field.box)
        if field.role is Role.TOTAL:
            _strike_out(red, field.box)
    colours = cv2.merge([np.minimum(blank, red), np.minimum(blank, red), blank])
    cv2.imwrite(str(folder / "marked.png"), colours)
    _read(folder, layout)


def _read(folder: Path, layout: SheetLayout) -> None:
    for _ in read_scans([folder], layout, options=ReadOptions(), executor=SerialExecutor()):
        pass


def _write_one(pixels: NDArray[np.uint8], box: Box) -> None:
    """Write a one into a box."""
    left, top, right, bottom = (
        round(mm * _DPI / MM_PER_INCH)
        for mm in (
            box.x + 0.45 * box.w,
            box.y + 0.2 * box.h,
            box.x + 0.45 * box.w + 0.6,
            box.bottom - 0.2 * box.h,
        )
    )
    pixels[top:bottom, left:right] = 40


def _strike_out(pixels: NDArray[np.uint8], box: Box) -> None:
    """Draw a level line through a box."""
    left, right, middle = (
        round(mm * _DPI / MM_PER_INCH) for mm in (box.x, box.right, box.centre[1])
    )
    pixels[middle - 2 : middle + 2, left + 8 : right - 8] = 40
