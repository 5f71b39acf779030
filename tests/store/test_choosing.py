"""The better image of a page is the same one in whatever order its images come."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import cv2
import numpy as np
import pytest
from small_exams import single_items, small_exam

from inkmark.geometry import Box
from inkmark.layouts import build_layout, print_sheets
from inkmark.readings import FieldReading, Flag, PageSource, Registration, SheetReading
from inkmark.session import SerialExecutor, read_scans
from inkmark.simulator import CLEAN_OFFICE, MarkStyle, fill_sheet, render_pages, scan
from inkmark.store import ExamStore, Facts, PageRecord, page_rows

EXAM = small_exam(single_items(20, points=1), ["260001"], id="AGAIN")
FACTS = Facts("AA", {0: {"candidate": ""}}, None)
DPI = 150.0


def reading(
    confidences: tuple[float, ...], *, residual_mm: float = 0.05, n_flagged: int = 0
) -> SheetReading:
    fields = tuple(
        FieldReading(
            f"Q{n + 1}",
            "A",
            confidence,
            Flag.DOUBTFUL if n < n_flagged else Flag.OK,
            (0.9, 0.0),
            Box(0.0, 0.0, 9.0, 9.0),
        )
        for n, confidence in enumerate(confidences)
    )
    lies = Registration(0, (8.0, 0.0, 0.0, 0.0, 8.0, 0.0, 0.0, 0.0, 1.0), residual_mm, 4, 4)
    return SheetReading(PageSource("", 0, ""), 1654, 2339, 200.0, 0, lies, fields, ())


def in_use(folder: Path, images: list[tuple[str, str, SheetReading]]) -> tuple[str, set[str]]:
    """Give the hash of the image in use among (path, hash, reading), and why others gave way."""
    with ExamStore.open(folder / "inkmark.db", EXAM.id) as store:
        store.put_exam(EXAM)
        for path, sha256, seen in images:
            source = PageSource(path, 0, sha256)
            kept = dataclasses.replace(seen, source=source)
            record = PageRecord(source, None, "", "260001", 0, kept, layout_version="AA")
            store.add_pages([page_rows(record)], FACTS)
        records = [page.record for page in store.pages()]
    (best,) = (record.source.sha256 for record in records if record.issue is None)
    return best, {record.message for record in records if record.issue is not None}


@pytest.mark.parametrize(
    ("unsure", "sure", "reason"),
    [
        (reading((0.9,) * 6), reading((0.99,) * 6), "(at most 0.5 of them expected to be wrong, "),
        (reading((0.5,) * 7), reading((0.8,) * 7), "more surely (at most 2 of them expected to be"),
        (
            reading((0.9,) * 6),
            reading((0.99,) * 6, residual_mm=0.3),
            "its fields are read more surely (at most 0.5",
        ),
        (
            reading((0.5, 0.5, *(0.9,) * 6), n_flagged=1),
            reading((0.1, *(0.99,) * 7), n_flagged=1),
            "against 2)",
        ),
    ],
)
def test_the_image_that_is_read_more_surely_is_in_use(
    tmp_path: Path, unsure: SheetReading, sure: SheetReading, reason: str
) -> None:
    for number, (first, second) in enumerate(permutations([("u", unsure), ("s", sure)])):
        for names in (("1.jpg", "2.jpg"), ("2.jpg", "1.jpg")):
            folder = tmp_path / f"{number}-{names[0]}"
            folder.mkdir()
            best, (message,) = in_use(folder, [(names[0], *first), (names[1], *second)])
            assert best == "s"
            assert reason in message


def test_what_is_hardly_a_difference_leaves_it_to_the_name(tmp_path: Path) -> None:
    sharp = dataclasses.replace(reading((0.95,) * 6), edge_mm=0.25)
    blurred = dataclasses.replace(reading((0.99,) * 6), edge_mm=0.35)
    best, (message,) = in_use(tmp_path, [("2.jpg", "sharp", sharp), ("1.jpg", "blurred", blurred)])
    assert best == "sharp"
    assert "its file name comes later" in message


@pytest.mark.parametrize("names", [("1.jpg", "2.jpg"), ("2.jpg", "1.jpg")])
@pytest.mark.parametrize(
    ("sharp_mm", "blurred_mm", "reason"),
    [
        (0.25, 0.55, "it is sharper (edges of at most 0.4 mm against 0.6 mm)"),
        (0.7, 3.0, "it is sharper (edges of at most 0.9 mm against 3 mm)"),
        (None, 0.7, "it is sharper (edges of at most 0.4 mm against 0.9 mm)"),
    ],
)
def test_of_two_that_are_read_equally_well_the_sharper_is_in_use(
    tmp_path: Path, names: tuple[str, str], sharp_mm: float | None, blurred_mm: float, reason: str
) -> None:
    sharp = dataclasses.replace(reading((0.95,) * 6), edge_mm=sharp_mm)
    blurred = dataclasses.replace(reading((0.99,) * 6), edge_mm=blurred_mm)
    images = [(names[0], "sharp", sharp), (names[1], "blurred", blurred)]
    best, (message,) = in_use(tmp_path, images)
    assert best == "sharp"
    assert reason in message


def test_a_sheet_that_fits_better_is_in_use_before_a_sharper_image(tmp_path: Path) -> None:
    fits = dataclasses.replace(reading((0.99,) * 6), edge_mm=0.7)
    sharp = dataclasses.replace(reading((0.99,) * 6, residual_mm=0.3), edge_mm=0.2)
    best, (message,) = in_use(tmp_path, [("1.jpg", "fits", fits), ("2.jpg", "sharp", sharp)])
    assert best == "fits"
    assert "fits better" in message


def test_the_choice_among_three_does_not_depend_on_their_order(tmp_path: Path) -> None:
    images = [
        (f"{n}.jpg", str(n), reading((1 - wrong / 4,) * 4)) for n, wrong in enumerate((0.4, 0.6, 0))
    ]
    for number, order in enumerate(permutations(images)):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert in_use(folder, list(order))[0] == "2"


def test_a_sharp_scan_stays_in_use_where_a_blurred_one_is_read_less_surely(tmp_path: Path) -> None:
    layout = build_layout(EXAM)
    print_sheets(layout, EXAM, tmp_path / "printed.pdf", EXAM.candidates)
    (blank,) = render_pages(tmp_path / "printed.pdf", DPI)
    rng = np.random.default_rng(3)
    marks = {(f"Q{n + 1}", 0): [(int(rng.integers(4)), MarkStyle.FILL)] for n in range(20)}
    page = scan(fill_sheet(blank, layout.pages[0], marks, DPI, rng), DPI, CLEAN_OFFICE, rng)
    scans = {"sharp": (page, 90), "blurred": (cv2.GaussianBlur(page, (0, 0), 3.0), 30)}
    seen: dict[str, SheetReading] = {}
    for name, (pixels, quality) in scans.items():
        path = tmp_path / f"{name}.jpg"
        cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        (result,) = read_scans([path], layout, executor=SerialExecutor())
        assert isinstance(result, SheetReading)
        # The blurred code names nobody, so the printed number is read as well, in doubt.
        fields = tuple(f for f in result.fields if f.field != "candidate_written")
        seen[name] = replace(result, fields=fields)
    for number, (first, second) in enumerate(permutations(seen)):
        for names in (("1.jpg", "2.jpg"), ("2.jpg", "1.jpg")):
            folder = tmp_path / f"{number}-{names[0]}"
            folder.mkdir()
            images = [(names[0], first, seen[first]), (names[1], second, seen[second])]
            best, (message,) = in_use(folder, images)
            assert best == "sharp"
            assert "read more surely" in message
