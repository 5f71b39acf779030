"""Scans of any number of candidates, each with a number of its own, made in no time.

A sheet is filled and scanned once for each digit, with that digit in every column of the
candidate number; the sheet of a candidate takes each column from the scan with its digit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from inkmark.exam import Exam
from inkmark.layouts import BubbleField, Role, SheetLayout, print_sheets
from inkmark.readings import SheetReading
from inkmark.session import SerialExecutor, read_scans
from inkmark.simulator import (
    CLEAN_OFFICE,
    MarkStyle,
    encode_scan,
    fill_sheet,
    render_pages,
    scan,
)

__all__ = ["NumberedSheet", "numbered_sheets"]

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class NumberedSheet:
    """A scanned sheet on which any candidate number may be filled in.

    Attributes
    ----------
    by_digit : tuple of (H, W) uint8
        The scan with each digit in all columns.
    rows : tuple of int
        First and last row of the candidate number, in px.
    columns : tuple of int
        The edges of its columns, in px; one more than there are digits.
    """

    by_digit: tuple[Pixels, ...]
    rows: tuple[int, int]
    columns: tuple[int, ...]

    def page(self, number: str) -> Pixels:
        """Give the scan of the sheet of a candidate."""
        page = self.by_digit[0].copy()
        top, bottom = self.rows
        for k, digit in enumerate(number):
            part = slice(top, bottom), slice(self.columns[k], self.columns[k + 1])
            page[part] = self.by_digit[int(digit)][part]
        return page


def numbered_sheets(
    exam: Exam, layout: SheetLayout, dpi: float, *, n_sheets: int, seed: int
) -> Iterator[NumberedSheet]:
    """Fill sheets of an exam with different answers and scan them in an office."""
    page = layout.pages[0]
    (grid,) = (f for f in page.fields if isinstance(f, BubbleField) and f.role is Role.CANDIDATE)
    items = [f for f in page.fields if isinstance(f, BubbleField) and f.role is Role.ITEM]
    with TemporaryDirectory(prefix="inkmark-many-pages-") as name:
        printed = Path(name) / "blank.pdf"
        print_sheets(layout, exam, printed)
        (blank,) = render_pages(printed, dpi)
        for sheet in range(n_sheets):
            scans = []
            for digit in range(10):
                rng = np.random.default_rng([seed, sheet])
                marks = {
                    (f.name, 0): [(int(rng.integers(len(f.options))), MarkStyle.FILL)]
                    for f in items
                } | {(grid.name, g): [(digit, MarkStyle.FILL)] for g in range(grid.n_groups)}
                filled = fill_sheet(blank, page, marks, dpi, rng)
                # The same sheet at the same place of the scanner, with the same noise.
                again = np.random.default_rng([seed, sheet, n_sheets])
                scans.append(scan(filled, dpi, CLEAN_OFFICE, again))
            encode_scan(scans[0], Path(name) / "sheet.png", dpi)
            yield _numbered(scans, grid, layout, Path(name) / "sheet.png")


def _numbered(
    scans: Sequence[Pixels], grid: BubbleField, layout: SheetLayout, path: Path
) -> NumberedSheet:
    """Find the columns on the scan, where reading finds them."""
    (box,) = (
        field.box_px
        for reading in read_scans([path], layout, executor=SerialExecutor())
        if isinstance(reading, SheetReading)
        for field in reading.fields
        if field.field == grid.name
    )
    width = box.w / (grid.n_groups - 1 + grid.bubble_w / grid.group_step[0])
    gap = width * (1 - grid.bubble_w / grid.group_step[0])
    edges = box.x - gap / 2 + width * np.arange(grid.n_groups + 1)
    return NumberedSheet(
        tuple(scans),
        (int(box.y - gap), int(box.y + box.h + gap)),
        tuple(edges.round().astype(int).tolist()),
    )
