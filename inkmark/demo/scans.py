"""The demo's scans: sheets filled, scanned and written as files, each on its own seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inkmark.layouts import PageLayout
from inkmark.simulator import (
    Bilevel,
    MarkStyle,
    draw_scanner,
    draw_writer,
    encode_scan,
    fill_sheet,
    render_pages,
    scan,
)

Pixels = NDArray[np.uint8]

__all__ = ["DemoScan", "FileJob", "PageJob", "write_scan_file"]


@dataclass(frozen=True, slots=True)
class DemoScan:
    """One page image of the demo.

    Attributes
    ----------
    path : str
        Relative to the exam folder.
    page_index : int
        0-based page of the file.
    candidate : str
    page_number : int
        0-based page of the sheet.
    orientation_deg : int
        Clockwise turn of the page in the image.
    """

    path: str
    page_index: int
    candidate: str
    page_number: int
    orientation_deg: int


@dataclass(frozen=True, slots=True)
class PageJob:
    """A page to fill and scan.

    Attributes
    ----------
    sheets : Path
        The printed sheets, PDF.
    sheet_index : int
        0-based page of it.
    page : PageLayout
    marks : mapping of (field, group) to marks
    written : tuple of str
        Areas with handwriting in them.
    writer_seed, page_seed : tuple of int
        The hand is a candidate's, the rest is the page's.
    orientation_deg : int
    """

    sheets: Path
    sheet_index: int
    page: PageLayout
    marks: Mapping[tuple[str, int], tuple[tuple[int, MarkStyle], ...]]
    written: tuple[str, ...]
    writer_seed: tuple[int, ...]
    page_seed: tuple[int, ...]
    orientation_deg: int


@dataclass(frozen=True, slots=True)
class FileJob:
    """A scan file to write; `is_bilevel` asks for black and white."""

    path: Path
    pages: tuple[PageJob, ...]
    is_bilevel: bool = False


def write_scan_file(job: FileJob, dpi: float) -> Path:
    """Simulate the pages of one file and write it.

    Parameters
    ----------
    job : FileJob
    dpi : float
        Resolution of the scanner.

    Returns
    -------
    Path
        The file written.
    """
    pages = [_scanned(page, dpi, is_bilevel=job.is_bilevel) for page in job.pages]
    encode_scan(pages, job.path, dpi)
    return job.path


def _scanned(job: PageJob, dpi: float, *, is_bilevel: bool) -> Pixels:
    (pixels,) = render_pages(job.sheets, dpi, [job.sheet_index])
    writer = draw_writer(np.random.default_rng(job.writer_seed))
    writer = replace(writer, darkness=max(writer.darkness, 0.66))  # 2B, as the sheet asks
    rng = np.random.default_rng(job.page_seed)
    filled = fill_sheet(
        pixels,
        job.page,
        job.marks,
        dpi,
        rng,
        writer=writer,
        written=job.written,
    )
    model = draw_scanner(float(rng.uniform(0.15, 0.5)), rng)
    model = replace(model, orientation_deg=job.orientation_deg)
    if is_bilevel:
        model = replace(model, bilevel=Bilevel.THRESHOLD, threshold=160, noise=2.0)
    return scan(filled, dpi, model, rng)
